"""The sender of the stand-in shop: who wants to be told what, the queue, and no second try ever.

Behaviour measured on WooCommerce 11.0: the payload is what is true when it is sent, several changes
of one thing make one delivery, a failed delivery is not sent again, the seventh failure in a row
disables a webhook, and a ping follows every delivery until one was answered with exactly 200.
"""

from __future__ import annotations

import heapq
import secrets
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.woocommerce import sandbox_payloads as bodies
from adapters.woocommerce.sandbox_books import Books, opened
from adapters.woocommerce.sandbox_desk import Refusal
from adapters.woocommerce.sandbox_mischief import Mischief
from adapters.woocommerce.sandbox_payloads import Body, Site, php_json
from adapters.woocommerce.sandbox_wire import Wire, headers_for, ping_headers, succeeded

FAILURES_BORNE = 6
"""So many failures in a row a webhook bears; the next disables it."""
_OK = 200
_TABLES = {"order": "orders", "customer": "customers", "product": "products", "coupon": "coupons"}
_GONE = {
    "order": ("woocommerce_rest_shop_order_invalid_id", "Invalid ID."),
    "customer": ("wc_user_invalid_id", "Invalid user ID."),
    "product": ("woocommerce_rest_product_invalid_id", "Invalid ID."),
    "coupon": ("woocommerce_rest_shop_coupon_invalid_id", "Invalid ID."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One delivery as written; ``counts`` says whether its fate counts for the webhook."""

    webhook: int
    url: str
    topic: str
    headers: Mapping[str, str]
    body: bytes
    counts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was sent and how it was answered; ``status`` is ``None`` without an answer."""

    topic: str
    webhook: int
    body: bytes
    status: int | None


class Sender:
    """Keeps the webhooks and sends. One delivery at a time, as the shop's queue runner does."""

    def __init__(self, site: Site, books: Books, wire: Wire, mischief: Mischief) -> None:
        self._site = site
        self._books = books
        self._wire = wire
        self._mischief = mischief
        self._queue: OrderedDict[tuple[int, int], None] = OrderedDict()
        self._strayed: list[tuple[float, int, Letter]] = []
        self._listeners: dict[str, list[int]] = {}
        self._running = threading.RLock()
        self.waiting = threading.Condition()
        self.tally: Counter[str] = Counter()
        self.sent: deque[Sent] = deque(maxlen=10_000)
        for row in books.rows("webhooks"):
            self._listen(row["id"], row["topic"])

    def register(self, given: Mapping[str, Any], now: datetime) -> Body:
        """Keep a new webhook and ping its address before answering."""
        topic, url = given.get("topic", ""), given.get("delivery_url", "")
        if topic not in bodies.TOPICS and not topic.startswith("action."):
            told = "Webhook topic is required and must be valid."
            raise Refusal("woocommerce_rest_webhook_invalid_topic", told, 400)
        if not url.startswith(("http://", "https://")):
            told = "Webhook delivery URL must be a valid URL starting with http:// or https://."
            raise Refusal("woocommerce_rest_webhook_invalid_delivery_url", told, 400)
        body = bodies.webhook(self._site, self._books.number("webhooks"), now, given)
        self._books.keep(
            "webhooks",
            body,
            now,
            status=body["status"],
            topic=topic,
            secret=given.get("secret") or secrets.token_urlsafe(38)[:50],
            failures=0,
            ping_due=1,
        )
        self._ping(body["id"], url)
        self._listen(body["id"], topic)
        return body

    def change(self, number: int, given: Mapping[str, Any], now: datetime) -> Body:
        """Change a webhook; its failures stay counted even when it is made active again."""
        row = self._row(number)
        body = opened(row)
        body |= {f: given[f] for f in ("name", "status", "delivery_url") if f in given}
        bodies.touch(body, now, self._site)
        secret = given.get("secret", row["secret"])
        self._books.keep("webhooks", body, now, status=body["status"], secret=secret)
        if "delivery_url" in given or row["ping_due"]:
            self._ping(number, body["delivery_url"])
        return body

    def get(self, number: int) -> Body:
        """One webhook; refuses with 404."""
        return opened(self._row(number))

    def delete(self, number: int) -> Body:
        """Remove a webhook; what is queued for it is not sent."""
        body = self.get(number)
        self._books.drop("webhooks", number)
        self._listeners[body["topic"]].remove(number)
        return body

    def announce(self, topic: str, about: int) -> None:
        """Queue a delivery for each webhook on this topic; what is queued already stays one."""
        listeners = self._listeners.get(topic)
        if not listeners:
            return
        with self.waiting:
            for number in listeners:
                self._queue.setdefault((number, about), None)
            self.waiting.notify_all()

    def pending(self) -> int:
        """How many deliveries are still to be sent, strayed ones included."""
        with self.waiting:
            return len(self._queue) + len(self._strayed)

    def run(self, *, more: Callable[[], bool] = lambda: True) -> int:
        """Send everything that is queued and every stray whose time has come; how many were."""
        done = 0
        with self._running:
            while more():
                letter = self._next_stray() or self._next_queued()
                if letter is None:
                    if self._take() is None:
                        break
                    continue
                self._send(letter)
                done += 1
        return done

    def drain(self, timeout: float) -> bool:
        """Send until nothing is pending; whether that came about within ``timeout`` seconds."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            self.run(more=lambda: time.monotonic() < end)
            with self._running:
                if not self.pending():
                    return True
            time.sleep(0.005)
        return not self.pending()

    def _take(self) -> tuple[int, int] | None:
        raise NotImplementedError

    def _listen(self, number: int, topic: str) -> None:
        self._listeners.setdefault(topic, []).append(number)
