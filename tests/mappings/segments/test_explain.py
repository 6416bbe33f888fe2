"""Explanations of one person's place in a segment, asked of a real store on both engines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from connector.store.connect import Store
from connector.store.schema import memberships, profile_values, profiles
from mappings.segments.explain import Explanation, explain, lines
from mappings.segments.parse import NotYetAvailable, parse_query

OSLO = ZoneInfo("Europe/Oslo")
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


@pytest.fixture
def known(store: Store) -> Store:
    """A store that knows Kari, who bought twice, and Ola, who never did."""
    empty: dict[str, Any] = {
        **dict.fromkeys(("first_name", "last_name", "company"), ""),
        **dict.fromkeys(("email_domain", "last_order_at"), None),
        "shops": [],
        "number_of_orders": 0,
        "amount_spent": 0,
    }
    kari = {
        "person": "kari",
        "number_of_orders": 2,
        "amount_spent": 199990,
        "email_domain": "example.no",
        "last_order_at": datetime(2026, 3, 1, 22, 30, tzinfo=UTC),
    }
    lists = [("country", "SE"), ("country", "NO"), ("tag", "VIP"), ("attribute.topic", "yarn")]
    with store.write() as conn:
        conn.execute(insert(profiles), [empty | kari, empty | {"person": "ola"}])
        conn.execute(
            insert(profile_values),
            [
                {"person": "kari", "name": name, "value": value, "folded": value.casefold()}
                for name, value in lists
            ],
        )
        conn.execute(insert(memberships).values(segment="returning", person="kari", since=NOW))
    return store


def explained(store: Store, text: str, person: str) -> Explanation:
    """The explanation of a query for a person, now."""
    query = parse_query(text, known_attributes=["topic"])
    with store.read() as conn:
        return explain(query, person=person, conn=conn, zone=OSLO, now=NOW, currency="NOK")


def test_a_member_with_every_value(known: Store) -> None:
    """Each clause is told with what is known; a list in full, an amount with its currency."""
    explanation = explained(
        known,
        "in_segment('returning') AND amount_spent > 1000 AND customer_countries CONTAINS 'NO' "
        "AND customer_tags CONTAINS 'vip' AND topic = 'yarn' AND number_of_orders >= 2 "
        "AND customer_email_domain = 'example.no' AND last_order_date >= 2026-03-01",
        "kari",
    )
    assert explanation.verdict is True
    assert explanation.flips_at is None
    assert [
        "In the segment.",
        "  yes: all of these <",
        "    yes: in_segment('returning') (a member since 2026-11-24 11:00) <",
        "    yes: amount_spent > 1000 (amount_spent is 1999.90 NOK) <",
        "    yes: customer_countries CONTAINS 'NO' (customer_countries is NO, SE) <",
        "    yes: customer_tags CONTAINS 'vip' (customer_tags is VIP) <",
        "    yes: topic = 'yarn' (topic is yarn) <",
        "    yes: number_of_orders >= 2 (number_of_orders is 2) <",
        "    yes: customer_email_domain = 'example.no' (customer_email_domain is example.no) <",
        "    yes: last_order_date >= 2026-03-01 (last_order_date is 2026-03-01 23:30) <",
    ] == lines(explanation)


def test_the_clause_that_decided_and_when_it_turns(known: Store) -> None:
    """A false AND rests on its false parts; a date tells when it, and the whole, will turn."""
    explanation = explained(known, "number_of_orders >= 1 AND NOT last_order_date >= -365d", "kari")
    assert explanation.verdict is False
    turn = datetime(2027, 3, 1, 23, tzinfo=UTC)
    assert turn == explanation.flips_at
    assert [
        "Not in the segment. This changes by itself at 2027-03-02 00:00.",
        "  no: all of these <",
        "    yes: number_of_orders >= 1 (number_of_orders is 2)",
        "    no: not <",
        "      yes: last_order_date >= -365d (last_order_date is 2026-03-01 23:30) "
        "until 2027-03-02 00:00 <",
    ] == lines(explanation)


def test_a_clause_can_turn_and_the_whole_stay(known: Store) -> None:
    """Where another clause decides, the whole has no flip although a clause has one."""
    explanation = explained(
        known, "number_of_orders >= 1 OR last_order_date BETWEEN -365d AND -300d", "kari"
    )
    assert explanation.verdict is True
    assert explanation.flips_at is None
    first, second = explanation.step.parts
    assert (True, None) == (first.decisive, first.flips_at)
    assert (False, datetime(2026, 12, 25, 23, tzinfo=UTC)) == (second.decisive, second.flips_at)


def test_what_is_not_known(known: Store) -> None:
    """Somebody of whom nothing is known: unknown, an empty list, no member."""
    explanation = explained(
        known,
        "last_order_date < -30d AND customer_tags NOT CONTAINS 'x' AND topic != 'yarn' "
        "OR in_segment('returning')",
        "ola",
    )
    assert explanation.verdict is None
    assert [
        "Not in the segment: something it asks about is not known.",
        "  unknown: any of these <",
        "    unknown: all of these <",
        "      unknown: last_order_date < -30d (last_order_date is not known) <",
        "      yes: customer_tags NOT CONTAINS 'x' (customer_tags is an empty list)",
        "      unknown: topic != 'yarn' (topic is not known) <",
        "    no: in_segment('returning') (not a member)",
    ] == lines(explanation)


def test_nobody(known: Store) -> None:
    """A person without a profile is an error that does not repeat the address."""
    with pytest.raises(LookupError) as caught:
        explained(known, "number_of_orders = 1", "nobody@example.no")
    assert "nobody" not in str(caught.value)


def test_what_is_not_yet_available(known: Store) -> None:
    """What cannot be answered cannot be explained either."""
    with pytest.raises(NotYetAvailable):
        explained(known, "rfm_group = 'NEW'", "kari")
