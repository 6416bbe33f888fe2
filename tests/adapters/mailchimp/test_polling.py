"""Reading an audience for what people said there, while it changes under the reader's eyes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.mailchimp.destination import MailchimpDestination
from adapters.mailchimp.sandbox import Sandbox
from connector.errors import LaneDown, TryLater
from connector.model import Claim, Evidence

BEGAN = datetime(2026, 11, 23, 10, tzinfo=UTC)


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = BEGAN

    def __call__(self) -> datetime:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The stand-in's clock."""
    return Clock()


@pytest.fixture
def mc(clock: Clock) -> Iterator[Sandbox]:
    """An audience."""
    with Sandbox(clock=clock) as opened:
        yield opened


def destination(mc: Sandbox) -> MailchimpDestination:
    return MailchimpDestination("newsletter", mc.audience, mc.api_key, mc.url)


def heard(told: Iterator[object]) -> list[Evidence]:
    return [item for said in told for item in said.evidence]  # type: ignore[attr-defined]


def fill(mc: Sandbox, clock: Clock, number: int) -> list[str]:
    """So many contacts that signed up, all in one second."""
    people = [f"kunde{at:05}@shop.example" for at in range(number)]
    for email in people:
        mc.sign_up(email)
    return people


def test_the_first_time_everybody_who_left_is_read(mc: Sandbox, clock: Clock) -> None:
    """Withdrawn at the time the audience shows, bounced apart; who is subscribed says nothing."""
    people = fill(mc, clock, 6)
    clock.now += timedelta(days=2)
    mc.unsubscribe(people[0])
    mc.admin_unsubscribe(people[1])
    mc.clean(people[2])
    mc.archive(people[3])
    told = list(destination(mc).said_since(None, now=clock.now))
    assert [
        (people[0], Claim.WITHDRAW, clock.now),
        (people[1], Claim.WITHDRAW, clock.now),
        (people[2], Claim.UNDELIVERABLE, clock.now),
    ] == [(item.contact, item.claim, item.at) for item in heard(iter(told))]
    assert told[-1].cursor


def test_afterwards_only_what_changed_is_read(mc: Sandbox, clock: Clock) -> None:
    """One page where nothing did; who came back by a form is a grant."""
    people = fill(mc, clock, 3)
    newsletter = destination(mc)
    clock.now += timedelta(days=1)
    cursor = list(newsletter.said_since(None, now=clock.now))[-1].cursor
    clock.now += timedelta(hours=1)
    mc.unsubscribe(people[0])
    mc.sign_up(people[1])
    left_at = clock.now
    clock.now += timedelta(minutes=10)
    calls = sum(mc.calls.values())
    told = list(newsletter.said_since(cursor, now=clock.now))
    assert 1 == sum(mc.calls.values()) - calls
    assert {(people[0], Claim.WITHDRAW), (people[1], Claim.GRANT)} == {
        (item.contact, item.claim) for item in heard(iter(told))
    }
    assert {left_at} == {item.at for item in heard(iter(told))}
    clock.now += timedelta(hours=1)
    assert [] == heard(newsletter.said_since(told[-1].cursor, now=clock.now))


def test_nobody_is_passed_over_while_others_come_back(mc: Sandbox, clock: Clock) -> None:
    """Between two pages some leave the list of those who left: the rest move up and are read."""
    people = fill(mc, clock, 2500)
    clock.now += timedelta(days=1)
    for email in people:
        mc.unsubscribe(email)
    pages = destination(mc).said_since(None, now=clock.now)
    read = {item.contact for item in heard(itertools.islice(pages, 1))}
    assert 1000 == len(read)
    back = people[100:150]
    for email in back:
        mc.sign_up(email)
    read |= {item.contact for item in heard(pages)}
    assert set() == set(people) - set(back) - read


def test_a_torn_reading_raises(mc: Sandbox, clock: Clock) -> None:
    """An audience that cannot be read says so: nothing may be sent there yet."""
    mc.change_key("0123456789abcdef0123456789abcde0-us1")
    with pytest.raises((TryLater, LaneDown)):
        list(destination(mc).said_since(None, now=clock.now))
