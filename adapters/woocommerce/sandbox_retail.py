"""A year of a real shop's invoices (UCI "Online Retail", 2010-2011) as signed WooCommerce webhooks.

The data has one row a line: ``InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,
CustomerID,Country`` (https://archive.ics.uci.edu/dataset/352/online+retail). Every amount in it
ends up somewhere, to the penny:

- An invoice is an order, completed, with a line for each row; a row's worth is quantity times
  price, rounded to whole pence. It arrives as ``order.created``. The customer's number is the
  account, their address ``c12345@retail.example``; without a number it is a guest without address.
- An invoice of stock written off (quantities below zero, all worth nothing) is an order that was
  cancelled, with the quantities turned.
- A cancelling invoice (number with ``C``, or a negative correction) names no order. WooCommerce
  knows money given back only as a refund of an order, so it is one: of the customer's earlier
  orders, first those that hold the same goods, then the newest, never more than an order still has.
  Each order concerned arrives anew, as ``order.updated`` with all its refunds.
- What is left then belongs to purchases before the data begins. It is an order of its own, with
  status ``refunded`` and wholly refunded: worth nothing, and marked by the extra field `UNPLACED`
  with the amount in pence.

So: all rows added up = totals of orders - refunds of orders not marked - marked amounts.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

from adapters.woocommerce import sandbox_orders as bodies
from adapters.woocommerce.sandbox_orders import Goods
from adapters.woocommerce.sandbox_payloads import Body, Site, money, php_json, touch
from adapters.woocommerce.sandbox_refunds import refund_entry
from adapters.woocommerce.sandbox_wire import headers_for

UNPLACED = "_retail_unplaced"
"""Extra field of an order that stands for money given back for purchases not in the data."""
INVOICE = "_retail_invoice"
"""Extra field of every order: its invoice's number. A refund has its own as its reason."""
SITE = Site(
    url="https://retail.example",
    name="Online Retail",
    timezone="Europe/London",
    currency="GBP",
    tax_percent=0,
)
_COUNTRIES = {
    "United Kingdom": "GB",
    "France": "FR",
    "Australia": "AU",
    "Netherlands": "NL",
    "Germany": "DE",
    "Norway": "NO",
    "EIRE": "IE",
    "Switzerland": "CH",
    "Spain": "ES",
    "Poland": "PL",
    "Portugal": "PT",
    "Italy": "IT",
    "Belgium": "BE",
    "Lithuania": "LT",
    "Japan": "JP",
    "Iceland": "IS",
    "Channel Islands": "JE",
    "Denmark": "DK",
    "Cyprus": "CY",
    "Sweden": "SE",
    "Austria": "AT",
    "Israel": "IL",
    "Finland": "FI",
    "Bahrain": "BH",
    "Greece": "GR",
    "Hong Kong": "HK",
    "Singapore": "SG",
    "Lebanon": "LB",
    "Malta": "MT",
    "United Arab Emirates": "AE",
    "Saudi Arabia": "SA",
    "Czech Republic": "CZ",
    "Canada": "CA",
    "Brazil": "BR",
    "USA": "US",
    "RSA": "ZA",
}
"""ISO 3166 codes of the data's country names; other names stand for no country."""
_WEBHOOKS = {"order.created": 1, "order.updated": 2}
_SECOND = timedelta(seconds=1)
_APART = 100
"""More rows than ever stand between two of one invoice; in the data it is three."""
Row: TypeAlias = Mapping[str, str]
"""One row of the data: column to text."""


@dataclass(slots=True)
class _Sold:
    """An order that was delivered, with what of it can still be given back."""

    body: Body
    left: int
    codes: frozenset[str]
    changed: datetime


@dataclass(slots=True)
class _Shop:
    """What the shop of the data knows while its year goes by."""

    by_customer: dict[str, list[_Sold]] = field(default_factory=lambda: defaultdict(list))
    numbers: dict[str, int] = field(default_factory=dict)
    last: int = 0

    def number(self) -> int:
        self.last += 1
        return self.last

    def product(self, code: str) -> int:
        """The id of a product by its code: products have numbers of their own here."""
        return self.numbers.setdefault(code.upper(), len(self.numbers) + 1)


def online_retail_deliveries(
    csv_path: Path | str, *, secret: str, limit: int | None = None
) -> Iterator[tuple[str, dict[str, str], bytes]]:
    """Topic, headers and body of every delivery, in the order of the invoices.

    ``limit`` stops after so many invoices. The file may be gzipped.
    """
    for topic, moment, order in online_retail_orders(csv_path, limit=limit):
        body = php_json(order)
        headers = headers_for(
            SITE,
            webhook=_WEBHOOKS[topic],
            topic=topic,
            body=body,
            secret=secret,
            second=int(moment.timestamp()),
        )
        yield topic, headers, body


def online_retail_orders(
    csv_path: Path | str, *, limit: int | None = None
) -> Iterator[tuple[str, datetime, Body]]:
    """Topic, time and order of every delivery. An order that comes again is the same dict."""
    shop = _Shop()
    for invoice, rows in read_invoices(csv_path, limit=limit).items():
        moment = datetime.fromisoformat(rows[0]["InvoiceDate"]).replace(tzinfo=SITE.zone)
        worth = sum(row_worth(row) for row in rows)
        if invoice.startswith("C") or worth < 0:
            yield from _give_back(shop, invoice, rows, moment)
        else:
            order = _order(shop, invoice, rows, moment)
            written_off = int(rows[0]["Quantity"]) < 0
            bodies.turn(order, "cancelled" if written_off else "completed", moment, SITE, paid=True)
            if not written_off:
                _remember(shop, rows, order, worth, moment)
            yield "order.created", moment, order


def read_invoices(csv_path: Path | str, *, limit: int | None = None) -> dict[str, list[Row]]:
    """All rows by invoice, in the order in which the invoices begin, or of the first ``limit``."""
    path = Path(csv_path)
    invoices: dict[str, list[Row]] = {}
    beyond = 0
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            if len(invoices) == limit and row["InvoiceNo"] not in invoices:
                beyond += 1
                if beyond > _APART:
                    break
            else:
                invoices.setdefault(row["InvoiceNo"], []).append(row)
    return invoices


def row_worth(row: Row) -> int:
    """What a row is worth in pence; below zero when money is given back."""
    pounds = Decimal(row["UnitPrice"]) * int(row["Quantity"])
    return int((pounds * 100).quantize(Decimal(1), rounding="ROUND_HALF_UP"))


def _order(shop: _Shop, invoice: str, rows: Sequence[Row], moment: datetime) -> Body:
    customer, country = rows[0]["CustomerID"], _COUNTRIES.get(rows[0]["Country"], "")
    email = f"c{customer}@retail.example" if customer else ""
    given = {
        "customer_id": customer or 0,
        "billing": {"country": country, "email": email},
        "shipping": {"country": country},
    }
    number = shop.number()
    marks = [{"id": number, "key": INVOICE, "value": invoice}]
    key = f"wc_order_retail{invoice}"
    order = bodies.new_order(SITE, number, moment, given, key=key, meta_data=marks)
    order["line_items"] = [
        bodies.line(
            SITE,
            number * 10_000 + place,
            Goods(
                name=row["Description"],
                product_id=shop.product(row["StockCode"]),
                sku=row["StockCode"],
            ),
            quantity=abs(int(row["Quantity"])),
            subtotal=worth,
            total=worth,
        )
        for place, (row, worth) in enumerate((row, abs(row_worth(row))) for row in rows)
    ]
    bodies.total_up(order, SITE, 0)
    return order


def _remember(shop: _Shop, rows: Sequence[Row], order: Body, worth: int, moment: datetime) -> None:
    codes = frozenset(row["StockCode"] for row in rows)
    sold = _Sold(body=order, left=worth, codes=codes, changed=moment)
    shop.by_customer[rows[0]["CustomerID"]].append(sold)


def _give_back(
    shop: _Shop, invoice: str, rows: Sequence[Row], moment: datetime
) -> Iterator[tuple[str, datetime, Body]]:
    amount = -sum(row_worth(row) for row in rows)
    codes = {row["StockCode"] for row in rows}
    earlier = [sold for sold in reversed(shop.by_customer[rows[0]["CustomerID"]]) if sold.left]
    rest = amount
    for sold in sorted(earlier, key=lambda sold: not sold.codes & codes):
        if not rest:
            return
        part = min(rest, sold.left)
        rest -= part
        sold.left -= part
        entry = refund_entry(SITE, shop.number(), amount=part, reason=invoice)
        sold.body["refunds"].insert(0, entry)
        # The data goes by minutes; of two states of one moment none could say which is newer.
        sold.changed = max(moment, sold.changed + _SECOND)
        touch(sold.body, sold.changed, SITE)
        if not sold.left:
            bodies.turn(sold.body, "refunded", sold.changed, SITE)
        yield "order.updated", sold.changed, sold.body
    if rest or not amount:
        yield "order.created", moment, _unplaced(shop, invoice, rows, moment, rest)


def _unplaced(shop: _Shop, invoice: str, rows: Sequence[Row], moment: datetime, rest: int) -> Body:
    order = _order(shop, invoice, rows, moment)
    if order["total"] != money(rest, SITE.currency):  # a part was placed: which lines, none can say
        goods = Goods(name="Earlier purchases")
        item = order["line_items"][0]["id"]
        left = bodies.line(SITE, item, goods, quantity=1, subtotal=rest, total=rest)
        order["line_items"] = [left]
        bodies.total_up(order, SITE, 0)
    bodies.turn(order, "refunded" if rest else "cancelled", moment, SITE)
    order["meta_data"].append({"id": order["id"] + 1, "key": UNPLACED, "value": str(rest)})
    if rest:
        order["refunds"] = [refund_entry(SITE, shop.number(), amount=rest, reason=invoice)]
    return order
