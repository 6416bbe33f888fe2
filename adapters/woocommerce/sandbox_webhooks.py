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
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from adapters.town.books import Books, Row, opened
from adapters.town.wire import Wire
from adapters.woocommerce import sandbox_payloads as bodies
from adapters.woocommerce.sandbox_desk import Refusal
from adapters.woocommerce.sandbox_mischief import Mischief
from adapters.woocommerce.sandbox_payloads import Body, Site, php_json
from adapters.woocommerce.sandbox_wire import headers_for, ping_headers, succeeded

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
        self._strays = 0
        self._hooks: dict[int, Row] = {}
        self._listeners: dict[str, list[int]] = {}
        self._running = threading.RLock()
        self.waiting = threading.Condition()
        self.tally: Counter[str] = Counter()
        self.sent: deque[Sent] = deque(maxlen=10_000)
        self._reread()

    def register(self, given: Mapping[str, Any], now: datetime) -> Body:
        """Keep a new webhook and ping its address before answering."""
        topic, url = given.get("topic", ""), given.get("delivery_url", "")
        if topic not in bodies.TOPICS and not topic.startswith("action."):
            told = "Webhook topic is required and must be valid."
            raise Refusal("woocommerce_rest_webhook_invalid_topic", told, 400)
        if not url.startswith(("http://", "https://")):
            told = "Webhook delivery URL must be a valid URL starting with http:// or https://."
            raise Refusal("woocommerce_rest_webhook_invalid_delivery_url", told, 400)
        number = self._books.number("webhooks")
        body = bodies.webhook(self._site, number, now, given)
        self._books.keep(
            "webhooks",
            body,
            now,
            status=body["status"],
            topic=topic,
            secret=given.get("secret") or secrets.token_hex(25),
            failures=0,
            ping_due=1,
        )
        self._reread()
        self._ping(number)
        return body

    def change(self, number: int, given: Mapping[str, Any], now: datetime) -> Body:
        """Change a webhook; its failures stay counted even when it is made active again."""
        row = self._row(number)
        body = opened(row)
        body |= {f: given[f] for f in ("name", "status", "delivery_url") if f in given}
        bodies.touch(body, now, self._site)
        secret = given.get("secret", row["secret"])
        self._books.keep("webhooks", body, now, status=body["status"], secret=secret)
        self._reread()
        if "delivery_url" in given or row["ping_due"]:
            self._ping(number)
        return body

    def get(self, number: int) -> Body:
        """One webhook; refuses with 404."""
        return opened(self._row(number))

    def delete(self, number: int) -> Body:
        """Remove a webhook; what is queued for it is not sent."""
        body = self.get(number)
        self._books.drop("webhooks", number)
        self._reread()
        return body

    def announce(self, topic: str, about: int) -> None:
        """Queue a delivery for each active webhook on this topic; what is queued stays one."""
        listeners = self._listeners.get(topic)
        if listeners:
            with self.waiting:
                for number in listeners:
                    self._queue.setdefault((number, about), None)
                self.waiting.notify_all()

    def pending(self) -> int:
        """How many deliveries are still to be sent, strayed ones included."""
        with self.waiting:
            return len(self._queue) + len(self._strayed)

    def run(self, *, until: float = float("inf")) -> int:
        """Send what is queued and every stray whose time has come; gives how many were sent.

        Stops early when ``time.monotonic()`` reaches ``until``.
        """
        done = 0
        with self._running:
            while time.monotonic() < until:
                letter = self._due_stray()
                if letter is None:
                    key = self._next()
                    if key is None:
                        break
                    letter = self._befall(self._write(*key))
                if letter is not None:
                    self._send(letter)
                    done += 1
        return done

    def drain(self, timeout: float) -> bool:
        """Send until nothing is pending; whether that came about within ``timeout`` seconds."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            with self._running:
                self.run(until=end)
                if not self.pending():
                    return True
            time.sleep(0.005)
        return not self.pending()

    def _next(self) -> tuple[int, int] | None:
        with self.waiting:
            if not self._queue:
                return None
            key = next(iter(self._queue))
            if self._mischief.befalls("shuffled"):
                key = self._mischief.chance.choice(list(self._queue))
                self.tally["shuffled"] += 1
            del self._queue[key]
            return key

    def _write(self, number: int, about: int) -> Letter | None:
        hook = self._hooks.get(number)
        if hook is None or hook["status"] != "active":
            return None
        body = self._payload(hook["topic"], about)
        headers = headers_for(
            self._site,
            webhook=number,
            topic=hook["topic"],
            body=body,
            secret=hook["secret"],
            second=int(time.time()),
        )
        return Letter(
            webhook=number, url=hook["url"], topic=hook["topic"], headers=headers, body=body
        )

    def _payload(self, topic: str, about: int) -> bytes:
        resource, _, event = topic.partition(".")
        if self._mischief.owner_lost:
            told = "Sorry, you cannot view this resource."
            return php_json(bodies.error("woocommerce_rest_cannot_view", told, 403))
        if resource == "action":
            return php_json({"action": event, "arg": about})
        if event == "deleted":
            return php_json(bodies.deleted(about))
        row = self._books.row(_TABLES[resource], about)
        if row is None:
            return php_json(bodies.error(*_GONE[resource], 404))
        text: str = row["body"]
        return text.encode("ascii")

    def _befall(self, letter: Letter | None) -> Letter | None:
        if letter is None:
            return None
        mischief = self._mischief
        if mischief.befalls("forged"):
            body = letter.body.replace(b'"status":"', b'"status":"x', 1) + b" "
            self.tally["forged"] += 1
            self._stray(replace(letter, body=body, counts=False))
        if mischief.befalls("duplicated"):
            self.tally["duplicated"] += 1
            self._stray(replace(letter, counts=False))
        if mischief.befalls("dropped"):
            self.tally["dropped"] += 1
            return None
        if mischief.befalls("delayed"):
            self.tally["delayed"] += 1
            self._stray(letter)
            return None
        return letter

    def _stray(self, letter: Letter) -> None:
        with self.waiting:
            self._strays += 1
            due = time.monotonic() + self._mischief.delay()
            heapq.heappush(self._strayed, (due, self._strays, letter))

    def _due_stray(self) -> Letter | None:
        with self.waiting:
            if self._strayed and self._strayed[0][0] <= time.monotonic():
                return heapq.heappop(self._strayed)[2]
        return None

    def _send(self, letter: Letter) -> None:
        status = self._wire.post(letter.url, letter.headers, letter.body)
        self.tally["posted"] += 1
        self.sent.append(
            Sent(topic=letter.topic, webhook=letter.webhook, body=letter.body, status=status)
        )
        hook = self._hooks.get(letter.webhook)
        if hook is None or not letter.counts:
            return
        self.tally["accepted" if succeeded(status) else "failed"] += 1
        if succeeded(status):
            if hook["failures"]:
                self._mark(letter.webhook, failures=0)
        elif hook["failures"] < FAILURES_BORNE:
            self._mark(letter.webhook, failures=hook["failures"] + 1)
        else:
            body = opened(hook) | {"status": "disabled"}
            self._mark(letter.webhook, status="disabled", body=php_json(body).decode("ascii"))
        if hook["ping_due"]:
            self._ping(letter.webhook)

    def _ping(self, number: int) -> None:
        body = f"webhook_id={number}".encode()
        status = self._wire.post(self._hooks[number]["url"], ping_headers(self._site), body)
        self.tally["pings"] += 1
        if status == _OK:
            self._mark(number, ping_due=0)

    def _mark(self, number: int, **columns: Any) -> None:
        self._books.mark("webhooks", number, **columns)
        self._reread()

    def _row(self, number: int) -> Row:
        if number not in self._hooks:
            raise Refusal("woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.", 404)
        return self._hooks[number]

    def _reread(self) -> None:
        rows = self._books.rows("webhooks")
        listeners: dict[str, list[int]] = {}
        for row in rows:
            row["url"] = opened(row)["delivery_url"]
            if row["status"] == "active":
                listeners.setdefault(row["topic"], []).append(row["id"])
        self._hooks = {row["id"]: row for row in rows}
        self._listeners = listeners
