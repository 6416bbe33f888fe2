"""Who is erased is gone: from every table, from the files themselves, from every destination."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from connector import consent
from connector.errors import ConfigurationFault, TryLater
from connector.model import Claim, ConsentState, Lane
from connector.store import evidence, outbox, schema
from tests.erasure.place import (
    EMAIL,
    MARK,
    NAME,
    NOON,
    PHONE,
    Place,
    account,
    order,
    redaction,
    said,
)

WORDS = [word.encode() for word in (MARK, PHONE, NAME)]


def live_a_little(place: Place) -> None:
    """The person has an account that moved here, two orders, permissions, and a segment."""
    place.tell(account(7, f"former-{EMAIL}"))
    place.tell(account(7, EMAIL, minutes=1))
    place.tell(order(1, minutes=2, customer_id="7"), said(Claim.GRANT, minutes=2))
    place.tell(order(2, minutes=3), said(Claim.GRANT, PHONE, minutes=3))
    place.tell(
        order(
            3,
            "neighbour@x.example",
            4,
            phone=None,
            first_name="Ola",
            last_name="",
            company="",
            meta={},
            refunds=(),
        ),
        said(Claim.GRANT, "neighbour@x.example", 4),
    )
    place.deliver(words=f"nothing that is understood: {EMAIL}")
    place.now += timedelta(minutes=10)
    place.work()


def state_of(place: Place, email: str) -> ConsentState:
    with place.store.read() as conn:
        summary = consent.summarise(
            item for item in evidence.of_people(conn, [email])[email] if item.purpose == "email"
        )
    return consent.decide(summary, consent.ConsentPolicy())


def files_of(place: Place) -> dict[str, bytes]:
    """Every file in the folder of the house, and what is in it."""
    return {
        str(file): file.read_bytes() for file in sorted(place.folder.rglob("*")) if file.is_file()
    }


def test_nothing_that_names_the_person_is_left_in_any_table(place: Place) -> None:
    """Not in facts, profiles, segments, moves, ledger, records, nor in what was delivered."""
    live_a_little(place)
    found = place.holding()
    assert {"customers", "orders", "evidence", "profiles", "deliveries", "records"} <= set(found)
    done = place.erase()
    assert (1, 2) == (done.accounts, done.orders)
    place.work()
    assert [] == place.holding()
    assert {"neighbour@x.example"} == place.newsletter.held.keys()


def test_nothing_that_names_the_person_is_left_in_the_files(place: Place) -> None:
    """Threat E5: database, journal and all: searched byte by byte."""
    live_a_little(place)
    with place.store.read() as conn:
        conn.execute(select(func.count()).select_from(schema.orders))
    if place.store.file is not None:
        assert any(word in content for content in files_of(place).values() for word in WORDS)
    place.erase()
    place.work()
    assert place.store.tidy()
    for name, content in files_of(place).items():
        assert [] == [word for word in WORDS if word in content], name


def test_orders_and_lines_stay_for_the_sums(place: Place) -> None:
    """Amounts, lines and statuses are the books of the shop; nobody is named by them."""
    live_a_little(place)
    place.erase()
    place.work()
    with place.store.read() as conn:
        kept = conn.execute(
            select(schema.orders.c.order_id, schema.orders.c.total, schema.orders.c.person)
            .where(schema.orders.c.email.is_(None))
            .order_by(schema.orders.c.order_id)
        ).all()
        lines = conn.scalar(select(func.count()).select_from(schema.order_lines))
        profiles = set(conn.scalars(select(schema.profiles.c.person)))
    assert [("1", 30_000, "wool:order:1"), ("2", 30_000, "wool:order:2")] == [
        tuple(r) for r in kept
    ]
    assert 6 == lines
    assert {"wool:order:1", "wool:order:2", "neighbour@x.example"} == profiles


def test_the_ledger_keeps_what_was_granted_under_a_digest(place: Place) -> None:
    """Kind, time, wording and source stay as a defence; the contact is a digest, and erased."""
    live_a_little(place)
    place.erase()
    with place.store.read() as conn:
        kept = (
            conn.execute(select(schema.evidence).where(schema.evidence.c.claim == "grant1"))
            .mappings()
            .all()
        )
    mine = [row for row in kept if row["contact"].startswith("erased:")]
    assert {
        ("wool", "box", NOON + timedelta(minutes=2)),
        ("wool", "box", NOON + timedelta(minutes=3)),
    } == {(row["source"], row["wording"], row["at"]) for row in mine}
    assert ConsentState.SUPPRESSED == state_of(place, EMAIL)
    assert ConsentState.SUPPRESSED == state_of(place, f"former-{EMAIL}")
    assert ConsentState.GRANTED == state_of(place, "neighbour@x.example")


def test_the_removal_is_for_good_and_the_row_goes_with_it(place: Place) -> None:
    """The destination is told that the person was erased; then nothing is kept of them here."""
    live_a_little(place)
    place.erase()
    place.work()
    last = place.newsletter.pushed[-1]
    assert (EMAIL, None, True) == (last.key, last.after, last.erased)
    assert last.before is not None
    with place.store.read() as conn:
        assert EMAIL not in set(conn.scalars(select(schema.records.c.key)))
    before = len(place.newsletter.pushed)
    place.work()
    assert before == len(place.newsletter.pushed)


def test_in_an_outage_the_removal_waits_and_goes_first(place: Place) -> None:
    """Erased while the destination is down: due, in the lane of withdrawals, first afterwards."""
    live_a_little(place)
    place.newsletter.trouble = TryLater("down")
    for number in range(10, 14):
        place.tell(
            order(number, f"p{number}@x.example", 5), said(Claim.GRANT, f"p{number}@x.example", 5)
        )
    place.erase()
    place.work()
    with place.store.read() as conn:
        due = outbox.claim(conn, "newsletter", now=place.now + timedelta(days=1), limit=100)
    assert [(EMAIL, Lane.WITHDRAWAL), (f"former-{EMAIL}", Lane.WITHDRAWAL)] == sorted(
        ((row.key, row.lane) for row in due if row.erased), reverse=True
    )
    assert [True, True, False] == [row.erased for row in due[:3]]
    place.newsletter.trouble = None
    place.newsletter.pushed.clear()
    place.now += timedelta(hours=5)
    place.work()
    assert [True, True, False] == [change.erased for change in place.newsletter.pushed[:3]]
    assert [] == place.holding(MARK)


def test_erased_twice_is_as_erased_once(place: Place) -> None:
    """The second time finds nothing, and changes nothing."""
    live_a_little(place)
    place.erase()
    place.work()
    once = place.rows()
    again = place.erase()
    place.work()
    assert (0, 0, 0) == (again.accounts, again.orders, again.records)
    assert once == place.rows()


def test_a_stranger_leaves_a_digest(place: Place) -> None:
    """Somebody nobody knows is recognised if they ever come."""
    place.erase("stranger@x.example")
    place.tell(order(1, "stranger@x.example"))
    assert ["evidence", "orders"] == sorted(
        name
        for name, rows in place.rows("suppressions", "dirty").items()
        if rows and name in ("orders", "customers", "evidence")
    )
    assert [] == place.holding("stranger")
    assert [] == place.newsletter.pushed


def test_without_a_key_nobody_is_erased(open_place: Callable[..., Place]) -> None:
    """The fault names the variable, and everything is as it was."""
    place = open_place()
    live_a_little(place)
    before = place.rows()
    with pytest.raises(ConfigurationFault, match="CONNECTOR_SECRET_KEY"):
        place.erase()
    assert before == place.rows()


def test_whoever_was_known_by_their_orders_alone_goes_with_them(place: Place) -> None:
    """An order of the account was billed to another address, which nothing else names."""
    place.tell(order(1, f"billed-{EMAIL}", customer_id="7"), said(Claim.GRANT, f"billed-{EMAIL}"))
    place.tell(account(7, EMAIL, minutes=1))
    place.erase()
    place.work()
    assert [] == place.holding()
    assert {} == place.newsletter.held


def test_an_address_that_somebody_else_has_now_is_theirs(place: Place) -> None:
    """The account moved away from an address, and another account took it: that one stays."""
    place.tell(account(7, "shared@x.example"))
    place.tell(account(7, EMAIL, minutes=1))
    place.tell(
        account(
            8,
            "shared@x.example",
            2,
            first_name="Ola",
            last_name="",
            company="",
            phone=None,
            tags=(),
            meta={},
        ),
        said(Claim.GRANT, "shared@x.example", 3),
    )
    place.now += timedelta(minutes=5)
    place.erase()
    place.work()
    assert [] == place.holding()
    assert {"shared@x.example"} == place.newsletter.held.keys()


def test_files_for_the_person_go_as_well(place: Place) -> None:
    """An answer to a data request, still in its folder, names the person."""
    live_a_little(place)
    exports = place.folder / "exports"
    exports.mkdir()
    (exports / "request-1.json").write_text(
        '{"accounts": [], "email": "Zz-Marker\\u0040x.example"}'
    )
    (exports / "request-1.csv").write_text(EMAIL)
    (exports / "request-2.json").write_text('{"accounts": [{"shop": "wool", "customer_id": "7"}]}')
    (exports / "request-3.json").write_text('{"accounts": [{"shop": "yarn", "customer_id": "7"}]}')
    (exports / "unrelated.csv").write_text("somebody else's")
    place.tell(redaction(), minutes=1)
    assert ["request-3.json", "unrelated.csv"] == sorted(file.name for file in exports.iterdir())
