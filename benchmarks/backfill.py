"""Backfill: a shop's whole past, from the first request to stored and evaluated.

The shop is the WooCommerce stand-in with a long past, in a process of its own; ``connector
backfill`` is the real command on a new SQLite file. Every run checks its own end state.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import text

from adapters.woocommerce.sandbox_archive import Archive
from adapters.woocommerce.sandbox_payloads import Site
from benchmarks import Row, ratio
from benchmarks.command import Seen, backfill, memory_rows
from benchmarks.orders import SECRET
from benchmarks.stage import cpu_seconds, free_port
from connector.store.connect import Store
from connector.wiring import configure, draw_up_books

_RATE, _MOST_MIB = 3_000, 400  # what was promised
_ORDERS, _MILLION = 50_000, 1_000_000
_PAGE = 100
_KEY, _KEY_SECRET = "ck_sandbox", "cs_sandbox"


def main(*, quick: bool = False) -> list[Row]:
    """Measure; ``quick`` is a tenth of it, and without the million."""
    orders = _ORDERS // (10 if quick else 1)
    with _shop(orders) as (url, pid):
        ceiling = _bare(url, orders, keep=None)
        with _folder(url) as folder:
            loop = _bare(url, orders, keep=folder / "bare.db")
        used = cpu_seconds(pid)
        with _folder(url) as folder:
            seen = backfill(folder, pid)
            _check(folder, orders)
            again = backfill(folder, pid)
            _check_unchanged(again, orders)
        used = cpu_seconds(pid) - used
    rate = orders / seen.seconds
    rows = [
        Row(
            name=f"orders a second, request to stored and evaluated ({orders:,} of "
            f"{_size(orders):.1f} KB)",
            value=rate,
            unit="/s",
            target=f">= {_RATE:,}/s",
            met=rate >= _RATE,
        ),
        Row(name="the stand-in's own ceiling: a bare loop of requests", value=ceiling, unit="/s"),
        Row(name="a bare loop of requests into sqlite3, bodies only", value=loop, unit="/s"),
        ratio("ours, of the bare loop into sqlite3", rate, loop),
        Row(name="the same past once more, all unchanged", value=orders / again.seconds, unit="/s"),
        Row(name="the command's start, not in these figures", value=seen.started, unit="s"),
        Row(name="ours, processor time an order", value=seen.cpu / orders * 1000, unit="ms"),
        Row(name="stand-in, processor time an order", value=used / orders / 2 * 1000, unit="ms"),
        *memory_rows(seen, f"{orders:,} orders"),
    ]
    if not quick:
        rows += _million()
    return rows


def _million() -> list[Row]:
    with _shop(_MILLION) as (url, pid), _folder(url) as folder:
        seen = backfill(folder, pid)
        _check(folder, _MILLION)
    rate = _MILLION / seen.seconds
    shown = f"{_MILLION:,} orders"
    return [
        Row(name=f"orders a second with {shown}", value=rate, unit="/s"),
        *memory_rows(seen, shown, most=_MOST_MIB),
    ]


def _size(orders: int) -> float:
    archive = Archive(site=Site(url="http://127.0.0.1:9"), orders=orders)
    return sum(len(archive.body(number)) for number in range(1, 201)) / 200 / 1000


@contextmanager
def _shop(orders: int) -> Iterator[tuple[str, int]]:
    """The stand-in in a process of its own: its address and its number."""
    port = free_port()
    program = ["-m", "adapters.woocommerce.sandbox", "--port", str(port), "--archive", str(orders)]
    process = subprocess.Popen([sys.executable, *program], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise SystemExit("the stand-in ended without a word")
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(30)


def _bare(url: str, orders: int, *, keep: Path | None) -> float:
    """Orders a second of the shortest program: page by page, into a file or nowhere."""
    with requests.Session() as session, closing(sqlite3.connect(keep or ":memory:")) as raw:
        session.auth = (_KEY, _KEY_SECRET)
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("CREATE TABLE raw (id INTEGER PRIMARY KEY, body TEXT)")
        read = 0
        began = time.monotonic()
        while read < orders:
            answer = session.get(
                f"{url}/wp-json/wc/v3/orders",
                params={
                    "orderby": "id",
                    "order": "asc",
                    "per_page": str(_PAGE),
                    "offset": str(read),
                },
            )
            assert answer.ok, answer.status_code
            read += _PAGE
            if keep is not None:
                with raw:
                    raw.executemany(
                        "INSERT INTO raw VALUES (?, ?)",
                        [(each["id"], json.dumps(each)) for each in answer.json()],
                    )
        seconds = time.monotonic() - began
        if keep is not None:
            assert raw.execute("SELECT count(*) FROM raw").fetchone() == (orders,)
    return orders / seconds


@contextmanager
def _folder(url: str) -> Iterator[Path]:
    """A folder with a configuration and no store yet."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    shutil.copy(Path(__file__).with_name("mapping.yaml"), folder / "mapping.yaml")
    (folder / "connector.yaml").write_text(
        f"""\
shops:
  wool: {{platform: woocommerce, url: "{url}", timezone: Europe/Oslo, currency: NOK}}
destinations:
  newsletter: {{platform: mailchimp, audience: abcdef1234, base_url: "http://127.0.0.1:9"}}
""",
        encoding="utf-8",
    )
    (folder / ".env").write_text(
        f"""\
CONNECTOR_SHOPS__WOOL__CONSUMER_KEY={_KEY}
CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET={_KEY_SECRET}
CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET={SECRET.decode()}
CONNECTOR_DESTINATIONS__NEWSLETTER__API_KEY={"0" * 32}-us1
""",
        encoding="utf-8",
    )
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _check(folder: Path, orders: int) -> None:
    """Every order is there to the penny, everybody is evaluated and due, and the books balance."""
    configured = configure(folder / "connector.yaml")
    archive = Archive(site=Site(url="http://127.0.0.1:9"), orders=orders)
    with closing(Store.open(configured.settings.store)) as store:
        books = draw_up_books(configured, store)
        assert books["balanced"], books
        order = books["shops"]["wool"]["errands"]["order"]
        assert order["read"] == order["applied"] == order["total"] == orders, order
        with store.read() as conn:

            def one(sql: str) -> Any:
                return conn.execute(text(sql)).scalar_one()

            buyers = min(orders, archive.buyers)
            assert one("SELECT count(*) FROM orders WHERE NOT deleted") == orders
            assert one("SELECT count(*) FROM profiles") == buyers
            assert one("SELECT count(*) FROM dirty") == 0
            assert one("SELECT sum(number_of_orders) FROM profiles") == orders
            assert one("SELECT sum(total) FROM orders") == _charged(archive), "a penny is missing"
    due = books["destinations"]["newsletter"]["due"]
    assert due == buyers, books["destinations"]


def _charged(archive: Archive) -> int:
    """What all orders come to, in øre: they follow forty-eight patterns."""
    patterns = [json.loads(archive.body(number))["total"] for number in range(48, 96)]
    totals = [int(re.sub(r"\.", "", total)) for total in patterns]
    return sum(totals[number % len(totals)] for number in range(1, archive.orders + 1))


def _check_unchanged(seen: Seen, orders: int) -> None:
    [kind] = seen.told["kinds"]
    assert (kind["read"], kind["unchanged"]) == (orders, orders), kind
