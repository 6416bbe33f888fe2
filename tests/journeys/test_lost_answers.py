"""The answer to what was sent never comes: nothing of it is left behind at the destination."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from adapters.mailchimp.destination import MailchimpDestination
from connector import wiring
from connector.engine import Engine
from connector.errors import TryLater
from connector.model import Change, Outcome
from tests.journeys.town import Town

KARI = "kari@shop.example"

Push = Callable[..., Mapping[str, Outcome]]


class Killed(BaseException):
    """The process is gone, here and now."""


@pytest.fixture(params=[Killed, TryLater])
def trouble(request: pytest.FixtureRequest) -> type[BaseException]:
    """What is in the way of the answer."""
    kind: type[BaseException] = request.param
    return kind


@pytest.fixture
def lose(
    trouble: type[BaseException], town: Town, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Work off what waits, and lose the answer to what is sent, if it ``arrives`` at all."""
    pushed: Push = MailchimpDestination.push
    arrives = True

    def push(
        self: MailchimpDestination, changes: Sequence[Change], *, now: datetime
    ) -> Mapping[str, Outcome]:
        if arrives:
            pushed(self, changes, now=now)
        raise trouble("the connection was torn")

    def once(*, arriving: bool = True) -> None:
        nonlocal arrives
        arrives = arriving
        town.clock.skip(hours=1)
        town.shop.deliver()
        with monkeypatch.context() as patch:
            patch.setattr(MailchimpDestination, "push", push)
            if trouble is Killed:
                with pytest.raises(Killed):
                    town.premises.work()
                house = wiring.build_house(town.premises.configured, town.premises.store)
                town.premises.engine = Engine(replace(house, now=town.clock))
            else:
                town.premises.work()

    return once


def test_a_tag_of_which_nobody_knows_is_taken_away(town: Town, lose: Callable[..., None]) -> None:
    """Sent as a first-time buyer, and a second order came before it was known whether it was."""
    town.buy(KARI, ticks=True)
    lose()
    held = town.held(KARI)
    assert held is not None
    assert ["First-time buyer"] == held["tags"]
    town.buy(KARI)
    town.pass_on()
    held = town.held(KARI)
    assert held is not None
    assert (["Big basket", "Returning"], 2) == (held["tags"], held["fields"]["ORDERS"])
    assert 0 == town.newsletter()["due"]


def test_who_was_perhaps_subscribed_is_unsubscribed(town: Town, lose: Callable[..., None]) -> None:
    """A withdrawal reaches whom the destination may hold, though it never said that it does."""
    account = town.register(KARI)
    town.buy(KARI, ticks=True, account=account)
    lose()
    assert "subscribed" == town.status(KARI)
    town.withdraw(account)
    town.pass_on()
    assert "unsubscribed" == town.status(KARI)


def test_a_removal_of_which_nobody_knows_is_repeated(town: Town, lose: Callable[..., None]) -> None:
    """A tag that was to go, and the answer was lost: in the end it is as wanted."""
    town.buy(KARI, ticks=True)
    town.pass_on()
    town.buy(KARI)
    lose()
    town.pass_on()
    held = town.held(KARI)
    assert held is not None
    assert ["Big basket", "Returning"] == held["tags"]
    calls = town.premises.changing_calls()
    town.premises.replay()
    town.pass_on()
    assert calls == town.premises.changing_calls()


def test_what_never_arrived_is_sent_again(town: Town, lose: Callable[..., None]) -> None:
    """Nothing of the lost step was taken: tags, fields and all come with the next."""
    town.buy(KARI, ticks=True)
    lose(arriving=False)
    assert town.held(KARI) is None
    town.pass_on()
    held = town.held(KARI)
    assert held is not None
    assert (["First-time buyer"], 1) == (held["tags"], held["fields"]["ORDERS"])
    town.buy(KARI)
    lose(arriving=False)
    town.buy(KARI)
    lose(arriving=False)
    town.pass_on()
    held = town.held(KARI)
    assert held is not None
    assert (["Big basket", "Returning"], 3) == (held["tags"], held["fields"]["ORDERS"])
