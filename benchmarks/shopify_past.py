"""A Shopify shop's whole past by bulk operation: from the stream to stored and evaluated.

The shop is the Shopify stand-in in a process of its own, which makes the file of the bulk operation
up line by line; ``connector backfill`` is the real command on a new SQLite file. Every run checks
its own end state.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import text

from adapters.shopify.sandbox_flood import Flood
from benchmarks import Row, ratio
from benchmarks.command import backfill, memory_rows
from benchmarks.stage import cpu_seconds, free_port
from connector.store.connect import Store
from connector.wiring import configure, draw_up_books

_RATE = 5_000  # what was promised
_ORDERS = 50_000
_DOMAIN = "ull-og-pinner.myshopify.com"
_SECRET, _TOKEN = "shpss_sandbox_0123456789", "shpat_sandbox"
_QUERY = "{ orders { edges { node { id } } } }"
_RUN = """mutation { bulkOperationRunQuery(query: "%s", groupObjects: true)
{ bulkOperation { id } userErrors { message } } }"""
_LOOK = '{ bulkOperation(id: "%s") { status url fileSize } }'
_MAPPING = """
version: 1
orders:
  counting: {shopify: [paid]}
segments:
  first-time:  {when: "number_of_orders = 1", tag: "First-time buyer"}
  returning:   {when: "number_of_orders BETWEEN 2 AND 3", tag: "Returning"}
  regular:     {when: "number_of_orders >= 4", tag: "Regular"}
  big-spender: {when: "amount_spent > 5000", tag: "Big spender"}
  lapsed:      {when: "last_order_date < -365d", tag: "Lapsed"}
  neighbours:  {when: "customer_countries CONTAINS 'SE' OR customer_countries CONTAINS 'DK'",
                tag: "Sweden and Denmark"}
  lost-friend: {when: "in_segment('regular') AND last_order_date < -180d", tag: "Lost friend"}
destinations:
  newsletter:
    contacts: {policy: everyone}
    fields: {FNAME: first_name, LNAME: last_name, ORDERS: number_of_orders, SPENT: amount_spent,
             LASTORDER: last_order_date}
    tags: {segments: all}
"""


def main(*, quick: bool = False) -> list[Row]:
    """Measure; ``quick`` is a tenth of it."""
    orders = _ORDERS // (10 if quick else 1)
    with _shop(orders) as (url, pid):
        size, seconds = _bare(url)
        used = cpu_seconds(pid)
        with _folder(url) as folder:
            seen = backfill(folder, pid)
            _check(folder, orders)
            used = cpu_seconds(pid) - used
            again = backfill(folder, pid)
            [kind] = again.told["kinds"]
            assert (kind["read"], kind["unchanged"]) == (orders, orders), kind
    rate, ceiling = orders / seen.seconds, orders / seconds
    return [
        Row(
            name=f"orders a second, from the bulk operation to stored and evaluated ({orders:,} of "
            f"{size / orders / 1000:.1f} KB, three lines each)",
            value=rate,
            unit="/s",
            target=f">= {_RATE:,}/s",
            met=rate >= _RATE,
        ),
        Row(name="the stand-in's own ceiling: the file read to nowhere", value=ceiling, unit="/s"),
        ratio("ours, of that ceiling", rate, ceiling),
        Row(name="the same past once more, all unchanged", value=orders / again.seconds, unit="/s"),
        Row(name="the command's start, not in these figures", value=seen.started, unit="s"),
        Row(name="ours, processor time an order", value=seen.cpu / orders * 1000, unit="ms"),
        Row(name="stand-in, processor time an order", value=used / orders * 1000, unit="ms"),
        *memory_rows(seen, f"{orders:,} orders"),
    ]


@contextmanager
def _shop(orders: int) -> Iterator[tuple[str, int]]:
    """The stand-in in a process of its own: its address and its number."""
    port = free_port()
    program = ["-m", "adapters.shopify.sandbox", "--port", str(port), "--flood", str(orders)]
    process = subprocess.Popen([sys.executable, *program], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise SystemExit("the stand-in ended without a word")
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(30)


def _bare(url: str) -> tuple[int, float]:
    """The file of all orders in bytes, and the seconds in which a bare loop reads it."""
    with requests.Session() as session:
        session.headers["X-Shopify-Access-Token"] = _TOKEN

        def ask(query: str) -> Any:
            answer = session.post(f"{url}/admin/api/2026-10/graphql.json", json={"query": query})
            assert answer.ok, answer.status_code
            return answer.json()["data"]

        name = ask(_RUN % _QUERY)["bulkOperationRunQuery"]["bulkOperation"]["id"]
        told = ask(_LOOK % name)["bulkOperation"]
        began = time.monotonic()
        with requests.get(told["url"], stream=True, timeout=60) as answer:
            size = sum(map(len, answer.iter_content(64 * 1024)))
        seconds = time.monotonic() - began
        assert size == int(told["fileSize"]), size
        return size, seconds


@contextmanager
def _folder(url: str) -> Iterator[Path]:
    """A folder with a configuration and no store yet."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    (folder / "mapping.yaml").write_text(_MAPPING, encoding="utf-8")
    (folder / "connector.yaml").write_text(
        f"""\
shops:
  wool: {{platform: shopify, domain: {_DOMAIN}, base_url: "{url}", timezone: Europe/Oslo,
         currency: NOK}}
destinations:
  newsletter: {{platform: mailchimp, audience: abcdef1234, base_url: "http://127.0.0.1:9"}}
""",
        encoding="utf-8",
    )
    (folder / ".env").write_text(
        f"""\
CONNECTOR_SHOPS__WOOL__ACCESS_TOKEN={_TOKEN}
CONNECTOR_SHOPS__WOOL__CLIENT_SECRET={_SECRET}
CONNECTOR_DESTINATIONS__NEWSLETTER__API_KEY={"0" * 32}-us1
""",
        encoding="utf-8",
    )
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _check(folder: Path, orders: int) -> None:
    """Every order and line is there to the øre, everybody is evaluated, and the books balance."""
    configured = configure(folder / "connector.yaml")
    pence, buyers = _charged(orders)
    with closing(Store.open(configured.settings.store)) as store:
        books = draw_up_books(configured, store)
        assert books["balanced"], books
        order = books["shops"]["wool"]["errands"]["order"]
        assert order["read"] == order["applied"] == orders, order
        with store.read() as conn:

            def one(sql: str) -> Any:
                return conn.execute(text(sql)).scalar_one()

            assert one("SELECT count(*) FROM orders WHERE NOT deleted") == orders
            assert one("SELECT count(*) FROM order_lines") == 3 * orders
            assert one("SELECT count(*) FROM dirty") == 0
            assert one("SELECT count(*) FROM profiles") == len(buyers)
            assert one("SELECT sum(number_of_orders) FROM profiles") == orders
            assert one("SELECT sum(total) FROM orders") == pence, "an øre is missing"
    due = books["destinations"]["newsletter"]["due"]
    assert due == len(buyers), books["destinations"]


def _charged(orders: int) -> tuple[int, Counter[bytes]]:
    """What all orders come to, in øre, and how many each buyer has: as the file itself says."""
    _, _, _, read = Flood(orders=orders).file_for(_QUERY)
    whole = b"".join(read(0))
    totals = re.findall(rb'"totalPriceSet":{"shopMoney":{"amount":"(\d+)\.(\d\d)"', whole)
    assert len(totals) == orders, len(totals)
    buyers = Counter(re.findall(rb'"customer":{"id":"([^"]+)"', whole))
    return sum(int(major) * 100 + int(minor) for major, minor in totals), buyers
