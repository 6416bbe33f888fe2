"""The real year of invoices as webhooks: every penny accounted for, every delivery signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from adapters.woocommerce.sandbox_retail import (
    INVOICE,
    UNPLACED,
    online_retail_deliveries,
    read_invoices,
    row_worth,
)

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
ROWS = """\
1,A,LAMP,2,2010-12-01T08:26,2.55,7,United Kingdom
1,B,"BOX, RED",3,2010-12-01T08:26,0.125,7,United Kingdom
2,A,LAMP,1,2010-12-02T09:00,2.55,7,EIRE
3,C,VASE,1,2010-12-02T10:00,9.00,,Unspecified
C4,A,LAMP,-2,2010-12-03T09:00,2.55,7,United Kingdom
C5,Z,OLD THING,-1,2010-12-03T10:00,1.10,7,United Kingdom
6,D,LOST,-4,2010-12-04T10:00,0.0,,United Kingdom
C7,Q,UNKNOWN,-1,2010-12-05T10:00,3.00,8,Norway
C8,B,BOX,-90,2010-12-06T10:00,1.00,7,United Kingdom
"""


def told(path: Path, **options: Any) -> list[tuple[str, dict[str, str], dict[str, Any]]]:
    deliveries = online_retail_deliveries(path, secret="s" * 20, **options)
    return [(topic, headers, json.loads(body)) for topic, headers, body in deliveries]


def field(order: dict[str, Any], key: str) -> str | None:
    return next((f["value"] for f in order["meta_data"] if f["key"] == key), None)


def pence(text: str) -> int:
    return int(text.replace(".", ""))


def account(orders: list[dict[str, Any]]) -> int:
    """Totals less refunds, and less what stands for purchases before the data begins."""
    worth = 0
    for order in orders:
        unplaced = field(order, UNPLACED)
        if unplaced is None:
            worth += pence(order["total"]) + sum(pence(e["total"]) for e in order["refunds"])
        else:
            worth -= int(unplaced)
    return worth


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "retail.csv"
    path.write_text(f"{HEAD}\n{ROWS}", encoding="utf-8")
    return path


def test_invoices_become_orders(small: Path) -> None:
    """An invoice is a completed order with its lines, buyer and country; half pence round up."""
    topic, headers, order = told(small)[0]
    assert ("order.created", "order.created") == (topic, headers["X-WC-Webhook-Topic"])
    assert (7, "c7@retail.example", "GB", "completed") == (
        order["customer_id"],
        order["billing"]["email"],
        order["billing"]["country"],
        order["status"],
    )
    lines = [(line["name"], line["quantity"], line["total"]) for line in order["line_items"]]
    assert [("LAMP", 2, "5.10"), ("BOX, RED", 3, "0.38")] == lines
    assert ("5.48", "0.00", "GBP") == (order["total"], order["total_tax"], order["currency"])
    assert ("2010-12-01T08:26:00", "1") == (order["date_created_gmt"], field(order, INVOICE))


def test_cancellations_become_refunds(small: Path) -> None:
    """Money given back is a refund of earlier orders: first the same goods, then the newest."""
    found = told(small)
    topic, _, order = found[3]
    assert ("order.updated", "2") == (topic, field(order, INVOICE))
    assert ("refunded", "2010-12-03T09:00:00") == (order["status"], order["date_modified_gmt"])
    topic, _, order = found[4]
    assert ("order.updated", "1", "completed") == (topic, field(order, INVOICE), order["status"])
    assert [("C4", "-2.55")] == [(e["reason"], e["total"]) for e in order["refunds"]]


def test_guests_write_offs_and_the_unplaced(small: Path) -> None:
    """Without a number a guest; written off is cancelled; what fits nowhere is worth nothing."""
    orders = {field(order, INVOICE): order for _, _, order in told(small)}
    assert (0, "", "") == (
        orders["3"]["customer_id"],
        orders["3"]["billing"]["email"],
        orders["3"]["billing"]["country"],
    )
    assert ("cancelled", "0.00", 4) == (
        orders["6"]["status"],
        orders["6"]["total"],
        orders["6"]["line_items"][0]["quantity"],
    )
    unknown = orders["C7"]
    assert ("refunded", "3.00", "300") == (
        unknown["status"],
        unknown["total"],
        field(unknown, UNPLACED),
    )
    assert [e["total"] for e in unknown["refunds"]] == ["-3.00"]
    rest = orders["C8"]
    assert ("88.17", "8817") == (rest["total"], field(rest, UNPLACED))


def test_every_penny(small: Path) -> None:
    """All rows added up are orders less refunds less what stands for earlier purchases."""
    last = {order["id"]: order for _, _, order in told(small)}
    rows = [row for invoice in read_invoices(small).values() for row in invoice]
    assert sum(row_worth(row) for row in rows) == account(list(last.values()))


def test_limit(small: Path) -> None:
    """A limit counts invoices."""
    assert [field(order, INVOICE) for _, _, order in told(small, limit=2)] == ["1", "2"]
    assert told(small, limit=0) == []


def test_signatures(small: Path) -> None:
    """Every body is signed with the secret, and headers tell its topic."""
    for topic, headers, body in online_retail_deliveries(small, secret="a&amp;b"):
        digest = hmac.new(b"a&b", body, hashlib.sha256).digest()
        assert base64.b64encode(digest).decode() == headers["X-WC-Webhook-Signature"]
        assert topic == headers["X-WC-Webhook-Topic"]


@pytest.mark.corpus
def test_every_penny_of_the_real_data(corpus: Path) -> None:
    """The first 2,500 real invoices: each becomes deliveries, and the sums agree to the penny."""
    path = corpus / "data/online_retail_2010_2011.csv.gz"
    invoices = read_invoices(path, limit=2500)
    found = told(path, limit=2500)
    last = {order["id"]: order for _, _, order in found}
    expected = sum(row_worth(row) for rows in invoices.values() for row in rows)
    assert expected == account(list(last.values()))
    reasons = {entry["reason"] for order in last.values() for entry in order["refunds"]}
    numbers = {field(order, INVOICE) for order in last.values()}
    assert set(invoices) == (numbers | reasons) & set(invoices)
