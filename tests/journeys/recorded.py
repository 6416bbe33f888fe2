"""A real WooCommerce shop's scripted day: its webhooks as they arrived, and its REST answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

FIRST = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
"""A quarter of an hour after the last thing that happened in the shop: late for every delivery."""
NOON = FIRST + timedelta(hours=8)

MAPPING = """\
version: 1
orders:
  counting: {woocommerce: [processing, completed, refunded]}
consent:
  wordings: {box: "Yes, send me news and offers by e-mail. I can unsubscribe at any time."}
  sources:
    - {purpose: email, from: order.meta_data._wc_other/mycorp/newsletter-opt-in, wording: box}
    - {purpose: email, from: order.meta_data.newsletter_optin, wording: box}
    - {purpose: email, from: customer.meta_data.newsletter_optin, granted: ["yes"],
       withdrawn: ["no"], wording: box}
segments:
  first-time: {when: "number_of_orders = 1", tag: "First-time buyer"}
  returning: {when: "number_of_orders >= 2", tag: "Returning"}
  lapsed: {when: "last_order_date < -365d", tag: "Lapsed"}
  spender: {when: "amount_spent > 70", tag: "Spender"}
  spending-first: {when: "in_segment('first-time') AND in_segment('spender')", tag: "Both"}
destinations:
  newsletter:
    fields: {FNAME: first_name, LNAME: last_name, ORDERS: number_of_orders, SPENT: amount_spent,
             LASTORDER: last_order_date}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One recorded webhook: its number, topic, headers in wire order and exact bytes."""

    number: int
    topic: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def is_ping(self) -> bool:
        """Whether it only asked if somebody is there."""
        return self.topic == "ping"


def read_deliveries(corpus: Path) -> list[Observed]:
    """Every recorded webhook in the order of arrival, pings included."""
    folder = corpus / "fixtures/woocommerce-observed/deliveries"
    return [
        Observed(
            number=told["seq"],
            topic=path.stem.partition("_")[2],
            headers=tuple((name, value) for name, value in told["headers"]),
            body=path.with_suffix(".body").read_bytes(),
        )
        for path in sorted(folder.glob("*.json"))
        if path.stem != "STEPS"
        for told in [json.loads(path.read_bytes())]
    ]


def read_secret(corpus: Path) -> str:
    """The secret that the recorded webhooks are signed with."""
    whole = (corpus / "fixtures/woocommerce-observed/SECRET.txt").read_text("utf-8")
    return whole.splitlines()[0]


def read_answer(corpus: Path, name: str) -> Any:
    """A recorded REST answer."""
    path = corpus / f"fixtures/woocommerce-observed/rest/{name}.body"
    return json.loads(path.read_bytes())


@dataclass
class RecordedShop:
    """Answers on loopback what the shop answered after its day: things by id, 404 for the gone."""

    corpus: Path
    asked: list[str] = field(default_factory=list)
    _answers: dict[str, tuple[int, Any]] = field(init=False)

    def __post_init__(self) -> None:
        listed = {
            "orders": ("orders",),
            "customers": ("customers_role_all",),
            "products": ("products", "products_status_trash", "variations"),
        }
        self._answers = {
            f"/wp-json/wc/v3/{kind}/{thing['id']}": (200, thing)
            for kind, names in listed.items()
            for name in names
            for thing in read_answer(self.corpus, name)
        } | {
            "/wp-json/wc/v3/data/currencies/current": self._single("data_currency_current"),
            "/wp-json/": self._single("wp_json_root"),
            "/wp-json/wc/v3/products/24/variations": self._single("variations"),
        }
        self._gone = {
            "orders": read_answer(self.corpus, "order_404"),
            "customers": read_answer(self.corpus, "customer_deleted_404"),
            "products": read_answer(self.corpus, "product_404"),
        }

    def __enter__(self) -> Self:
        shop = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, said = shop.answer(self.path.partition("?")[0])
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=UTF-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing of each request."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def base_url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, path: str) -> tuple[int, Any]:
        """Status and body for a path; everything not recorded is gone."""
        self.asked.append(path.removeprefix("/wp-json/wc/v3/"))
        kind = path.removeprefix("/wp-json/wc/v3/").partition("/")[0]
        gone = self._gone.get(kind, self._gone["products"])  # a coupon's was not recorded
        return self._answers.get(path) or (404, gone)

    def _single(self, name: str) -> tuple[int, Any]:
        return 200, read_answer(self.corpus, name)


def by_id(things: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The things of a recorded list with their ids as text."""
    yield from ((str(thing["id"]), thing) for thing in things)
