"""A receiver is tried with a signed ping, which changes nothing, and known by what it answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from adapters.http.destination import HttpDestination
from adapters.http.sandbox import Sandbox
from connector.errors import LaneDown
from connector.ports import CheckableDestination, Grade, Introducing, Shape


def test_a_ping_that_is_taken(crm: Sandbox, destination: HttpDestination) -> None:
    """Fine, with the clocks compared; nothing is kept there."""
    assert isinstance(destination, CheckableDestination)
    findings = destination.check_up(Shape(fields={}), now=datetime.now(UTC))
    assert [Grade.FINE, Grade.FINE] == [finding.grade for finding in findings]
    assert ({}, []) == (crm.records(), crm.batches)
    [(message_id, told)] = crm.bodies
    assert ("ping", "crm", []) == (told["type"], told["destination"], told["data"])
    assert message_id.startswith("msg_ping_")


def test_two_pings_are_two(crm: Sandbox, destination: HttpDestination) -> None:
    """Neither is taken for a repetition."""
    destination.introduce()
    destination.introduce()
    assert 2 == len(set(crm.ids))


@pytest.mark.parametrize(
    ("fault", "grade", "words"),
    [
        ("401", Grade.ALARM, "signing secret"),
        ("410", Grade.ALARM, "Switch it on again"),
        ("500", Grade.WARNING, "Try again"),
        ("422", Grade.NOTE, "ping"),
    ],
)
def test_what_is_said_of_one_that_is_not(
    crm: Sandbox, destination: HttpDestination, fault: str, grade: Grade, words: str
) -> None:
    """How grave it is, and what to do."""
    crm.misbehave(fault)
    first = destination.check_up(Shape(fields={}), now=datetime.now(UTC))[0]
    assert grade == first.grade
    assert words in first.mend


def test_a_clock_far_off_is_told(crm: Sandbox, destination: HttpDestination) -> None:
    """Its signature would not be believed."""
    del crm
    findings = destination.check_up(Shape(fields={}), now=datetime.now(UTC) + timedelta(hours=1))
    assert [Grade.FINE, Grade.WARNING] == [finding.grade for finding in findings]


def test_whose_it_is(crm: Sandbox, connect: Callable[..., HttpDestination]) -> None:
    """By the name it gives itself, else by a digest of its address, never the address."""
    destination = connect()
    assert isinstance(destination, Introducing)
    unnamed = destination.introduce()
    assert unnamed.account.startswith("url-")
    assert crm.url not in unnamed.account
    assert unnamed.at is not None
    crm.call_itself("call-centre-7")
    assert "call-centre-7" == destination.introduce().account
    crm.misbehave("422")
    assert unnamed.account == destination.introduce().account
    crm.misbehave("401")
    with pytest.raises(LaneDown):
        destination.introduce()
