"""What is held of a person is told to them whole: nothing that names them is left out."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from connector import access
from connector.flow.rules import Rules
from connector.model import Claim
from connector.store import schema
from connector.store.subjects import Named
from tests.erasure.place import (
    EMAIL,
    MARK,
    NAME,
    PHONE,
    Place,
    account,
    data_request,
    order,
    said,
)


@pytest.fixture
def known(place: Place) -> Place:
    """A house in which the person stands in every table that can name somebody."""
    place.tell(account(7, f"former-{EMAIL}"))
    place.tell(account(7, EMAIL, minutes=1))
    place.tell(order(1, minutes=2, customer_id="7"), said(Claim.GRANT, minutes=2))
    place.tell(order(2, minutes=3), said(Claim.GRANT, PHONE, minutes=3, purpose="sms"))
    place.tell(
        order(3, "neighbour@x.example", 4, phone=None, first_name="Ola", last_name="",
              company="", meta={}, refunds=()),
        said(Claim.GRANT, "neighbour@x.example", 4),
    )  # fmt: skip
    place.deliver(words=f"nothing that is understood: {EMAIL}")
    place.now += timedelta(minutes=10)
    place.work()
    (place.folder / "exports").write_text("in the way, so that a demand stays open")
    place.tell(data_request(customer_id="7"))
    place.deliver(order(4, minutes=5), words=EMAIL)
    place.engine.ingest()  # and not evaluated yet: the person waits
    return place


def told_of(place: Place, email: str = EMAIL) -> dict[str, Any]:
    with place.store.read() as conn:
        return access.gather(conn, Named(emails=frozenset([email])), rules_of(place), now=place.now)


def rules_of(place: Place) -> Rules:
    return place.engine._house.rules


def pieces(value: Any) -> set[str]:
    """The value and everything in it, each as text."""
    inner: list[Any] = []
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list):
        inner = value
    found = {json.dumps(value, sort_keys=True)}
    return found.union(*(pieces(each) for each in inner))


def test_every_column_that_names_the_person_is_told(known: Place) -> None:
    """Each value in the store that holds one of the marks is found in the file, as it is."""
    told = pieces(told_of(known))
    marked: dict[str, int] = {}
    with known.store.read() as conn:
        for table in schema.metadata.sorted_tables:
            for row in conn.execute(select(table)).mappings():
                for column in table.c:
                    shown = json.dumps(access._plain(row[column.name]), sort_keys=True)
                    if any(word in shown for word in (MARK, PHONE, NAME)):
                        marked[f"{table.name}.{column.name}"] = 1
                        assert shown in told, f"{table.name}.{column.name}"
    assert {
        "customers.email", "customers.phone", "customers.first_name", "customers.tags",
        "customers.meta", "customers.person", "customer_addresses.email", "contact_points.email",
        "contact_points.person", "orders.email", "orders.phone", "orders.company", "orders.meta",
        "orders.person", "refunds.reason", "evidence.contact", "profiles.person", "profiles.phone",
        "profile_values.value", "memberships.person", "moves.person", "records.key",
        "records.acknowledged", "deliveries.body", "dirty.person",
    } <= marked.keys()  # fmt: skip


def test_nobody_else_is_told(known: Place) -> None:
    """The neighbour stands nowhere in it."""
    text = access.as_json(told_of(known))
    assert "neighbour" not in text
    assert "Ola" not in text


def test_it_says_what_things_mean(known: Place) -> None:
    """Segments with their rule, permissions with their state, destinations with what they hold."""
    told = told_of(known)
    assert ["number_of_orders >= 1"] == [each["when"] for each in told["segments"]]
    assert ("email", "granted", True) == tuple(
        next(
            (each["purpose"], each["state"], each["may_be_written_to"])
            for each in told["consent"]
            if each["contact"] == EMAIL
        )
    )
    held = {each["key"]: each for each in told["destinations"]}
    assert NAME == held[EMAIL]["acknowledged"]["fields"]["FNAME"]
    assert held[EMAIL]["acknowledged_at"]
    assert {"Wool", "Needle"} == {line["name"] for line in told["orders"][0]["lines"]}


def test_the_csv_says_the_same(known: Place) -> None:
    """Every single value of the JSON, one a line, formulas defused."""
    (known.folder / "exports").unlink()
    told = told_of(known)
    told["profile"][0]["first_name"] = "=1+1"
    known.folder.joinpath("exports").mkdir()
    file = known.engine._house.answers.put(told, "person")  # type: ignore[union-attr]
    with file.with_suffix(".csv").open(encoding="utf-8", newline="") as opened:
        rows = list(csv.reader(opened))
    assert ["section", "row", "field", "value"] == rows[0]
    assert len(rows) - 1 == len(list(access._flat(told)))
    assert ["profile", "1", "first_name", "'=1+1"] in rows
    assert json.loads(file.read_text("utf-8")) == told


def test_after_an_erasure_only_digests_are_told(known: Place) -> None:
    """The ledger's entries are theirs still, and are shown for what they are."""
    (known.folder / "exports").unlink()
    known.work()
    known.erase()
    known.work()
    told = told_of(known)
    assert ([], [], []) == (told["profile"], told["orders"], told["deliveries"])
    assert {"suppressed"} == {each["state"] for each in told["consent"]}
    assert all(each["contact"].startswith("erased:") for each in told["evidence"])
    assert told["evidence"]
