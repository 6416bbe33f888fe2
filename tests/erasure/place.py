"""A small house in which somebody can be erased: two shops, a destination in memory, the keys."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from adapters.files import csv_safe
from connector.access import Answers
from connector.engine import Engine
from connector.house import House
from connector.model import (
    Change,
    Claim,
    Customer,
    DataRequest,
    Delivery,
    Evidence,
    Fact,
    Ignored,
    Line,
    Order,
    Outcome,
    Purpose,
    Quarantined,
    Record,
    Redaction,
    Refund,
    Settled,
    Understanding,
    Understood,
    Version,
)
from connector.ports import Door, Finding, Shape, ShopFacts
from connector.store import erasure, schema
from connector.store.connect import Store
from connector.store.schema import deliveries
from connector.store.sql import insert_missing
from connector.store.subjects import Named
from tests.one_destination import rules_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "an-erasure-secret-5d1e77"
MARK = "zz-marker"
EMAIL = f"{MARK}@x.example"
PHONE = "+4791234567"
NAME = "Zzmarkername"

MAPPING = """
version: 1
attributes:
  note: {from: order.meta_data.note}
segments:
  buyers: {when: "number_of_orders >= 1", tag: Buyer}
destinations:
  newsletter:
    fields: {FNAME: first_name, ORDERS: number_of_orders}
"""


@dataclass
class Memory:
    """A destination that holds records in a dictionary, and can be out of order."""

    name: str = "newsletter"
    batch_size: int = 500
    held: dict[str, Record] = field(default_factory=dict)
    pushed: list[Change] = field(default_factory=list)
    trouble: Exception | None = None

    def prepare(self, _shape: Shape) -> list[Finding]:
        return []

    def push(self, changes: list[Change], *, now: datetime) -> Mapping[str, Outcome]:
        if self.trouble is not None:
            raise self.trouble
        self.pushed += changes
        for change in changes:
            if change.after is None:
                self.held.pop(change.key, None)
            else:
                self.held[change.key] = change.after
        return {change.key: Settled() for change in changes}

    def flush(self) -> None:
        return


@dataclass
class Told:
    """A shop whose deliveries mean what the test says: by the number in their body."""

    name: str
    facts: dict[int, tuple[Fact, ...]] = field(default_factory=dict)
    door = Door(signature_header="", topic_header="", delivery_header="", kept_headers=())

    def understand(self, delivery: Delivery) -> Understanding:
        number = json.loads(delivery.body)["number"]
        meant = self.facts[number]
        if not meant:
            return Ignored(reason="nothing in it")
        at = delivery.received_at
        return Understood(
            facts=tuple(
                replace(fact, received_at=at) if isinstance(fact, Evidence) else fact
                for fact in meant
            )
        )

    def look_up(self, *_: Any) -> Understanding:
        return Quarantined(reason="never asked")

    def describe(self) -> ShopFacts:
        return ShopFacts(timezone="Europe/Oslo", currency="NOK")


@dataclass
class Place:
    """The house with everything around it, on one clock."""

    store: Store
    folder: Path
    now: datetime = NOON
    newsletter: Memory = field(default_factory=Memory)
    shops: dict[str, Told] = field(
        default_factory=lambda: {"wool": Told("wool"), "yarn": Told("yarn")}
    )
    numbers: int = 0

    @property
    def engine(self) -> Engine:
        rules = rules_of(MAPPING, self.shops)
        return Engine(
            House(
                store=self.store,
                shops=self.shops,
                destinations={"newsletter": self.newsletter},
                rules=rules,
                now=lambda: self.now,
                answers=Answers(
                    folder=self.folder / "exports", rules=rules, write_csv=csv_safe.write
                ),
            )
        )

    def deliver(self, *facts: Fact, shop: str = "wool", minutes: float = 0, words: str = "") -> int:
        """A delivery arrives whose body says the facts' words; gives its number."""
        self.numbers += 1
        self.shops[shop].facts[self.numbers] = facts
        first = facts[0] if facts else None
        body = {
            "number": self.numbers,
            "id": first.id if isinstance(first, Customer | Order) else None,
            "words": words or repr(facts),
        }
        topic = "customer.updated" if isinstance(first, Customer) else "order.updated"
        return self.arrive(topic, json.dumps(body), shop=shop, minutes=minutes)

    def arrive(self, topic: str, body: str, *, shop: str = "wool", minutes: float = 0) -> int:
        """A delivery of exactly these words arrives; gives its number."""
        key = hashlib.sha256(body.encode()).digest()
        with self.store.write() as conn:
            conn.execute(
                insert_missing(conn, deliveries),
                [
                    {
                        "key": key,
                        "shop": shop,
                        "topic": topic,
                        "received_at": self.now + timedelta(minutes=minutes),
                        "headers": {},
                        "body": body.encode(),
                        "body_sha256": key,
                    }
                ],
            )
            return int(conn.scalars(select(deliveries.c.id).where(deliveries.c.key == key)).one())

    def work(self) -> None:
        """Let the worker do everything that can be done now."""
        self.engine.drain()
        self.store.tidy()

    def tell(self, *facts: Fact, **more: Any) -> int:
        """A delivery arrives and is worked on."""
        number = self.deliver(*facts, **more)
        self.work()
        return number

    def erase(self, email: str = EMAIL, minutes: float = 0) -> erasure.Erased:
        """What the command does."""
        return erasure.carry_out(
            self.store,
            Named(emails=frozenset([email])),
            at=self.now + timedelta(minutes=minutes),
            reason=erasure.OPERATOR,
            now=self.now,
        )

    def rows(self, *without: str) -> dict[str, list[tuple[str, ...]]]:
        """Every table as it is, but for what only counts and dates the work."""
        with self.store.read() as conn:
            return {
                table.name: sorted(
                    tuple(
                        f"{column.name}={row[column.name]!r}"
                        for column in table.c
                        if column.name not in _INCIDENTAL
                    )
                    for row in conn.execute(select(table)).mappings()
                )
                for table in schema.metadata.sorted_tables
                if table.name not in ("cursors", *without)
            }

    def holding(self, *words: str) -> list[str]:
        """The tables in which one of these words stands, in whatever column."""
        told = self.rows()
        wanted = [word.lower() for word in words or (MARK, PHONE, NAME)]
        return sorted(
            name
            for name, rows in told.items()
            if any(word in cell.lower() for row in rows for cell in row for word in wanted)
        )


_INCIDENTAL = frozenset(
    {"mark", "since", "revision", "attempts", "due_since", "finished_at", "acknowledged_at", "id"}
    | {"delivery_id"}
)


def order(number: int = 1, email: str | None = EMAIL, minutes: float = 0, **more: Any) -> Order:
    """An order that says everything an order can say of a person."""
    at = NOON + timedelta(minutes=minutes)
    return Order(
        **{
            "shop": "wool",
            "id": str(number),
            "version": Version(at),
            "number": str(number),
            "status": "processing",
            "currency": "NOK",
            "total": 30_000,
            "placed_at": at,
            "email": email,
            "phone": PHONE,
            "first_name": NAME,
            "last_name": NAME,
            "company": NAME,
            "countries": ("NO",),
            "lines": (
                Line(id="b", product_id="1", variant_id="1", sku="s", name="Wool", quantity=2,
                     total=20_000),
                Line(id="a", product_id="2", variant_id="2", sku="t", name="Needle", quantity=1,
                     total=10_000),
            ),
            "refunds": (Refund(id="r", amount=500, reason=f"{NAME} asked"),),
            "meta": {"note": NAME},
            **more,
        }
    )  # fmt: skip


def account(
    number: int = 7, email: str | None = EMAIL, minutes: float = 0, **more: Any
) -> Customer:
    """An account that says everything an account can say of a person."""
    return Customer(
        **{
            "shop": "wool",
            "id": str(number),
            "version": Version(NOON + timedelta(minutes=minutes)),
            "email": email,
            "phone": PHONE,
            "first_name": NAME,
            "last_name": NAME,
            "company": NAME,
            "country": "NO",
            "created_at": NOON,
            "tags": (NAME,),
            "meta": {"note": NAME},
            **more,
        }
    )


def said(claim: Claim, email: str = EMAIL, minutes: float = 0, **more: Any) -> Evidence:
    """A statement about a permission."""
    at = NOON + timedelta(minutes=minutes)
    return Evidence(
        **{
            "contact": email,
            "purpose": Purpose.EMAIL,
            "claim": claim,
            "source": "wool",
            "at": at,
            "received_at": at,
            "reference": "form",
            "wording": "box",
            **more,
        }
    )


def redaction(email: str | None = EMAIL, **more: Any) -> Redaction:
    """The shop's demand to forget somebody."""
    return Redaction(
        **{
            "shop": "wool",
            "due_at": NOON + timedelta(days=30),
            "whole_shop": False,
            "email": email,
            **more,
        }
    )


def data_request(email: str | None = EMAIL, **more: Any) -> DataRequest:
    """A person's demand to see what is held of them."""
    return DataRequest(
        **{
            "shop": "wool",
            "request_id": "9",
            "due_at": NOON + timedelta(days=30),
            "email": email,
            **more,
        }
    )
