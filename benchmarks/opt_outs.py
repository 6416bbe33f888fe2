"""Who left Mailchimp stays away: 10,000 whom the shops call subscribed, 3,000 of them had left.

The first sync of two shops with an audience that some left already, by the real flow on a simulated
clock; then everything is told anew, replayed, read once more, and mapped otherwise. Each time the
stand-in's own state is held against what it was before anything was connected. `benchmarks.leavers`
has who they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests

from adapters.mailchimp.sandbox import Sandbox as Audience
from adapters.mailchimp.sandbox_members import member_id
from adapters.shopify.sandbox import Sandbox as ShopifySandbox
from adapters.woocommerce.sandbox import Sandbox as WooCommerceSandbox
from benchmarks import Row
from benchmarks.ears import Deaf, Named, Watched
from benchmarks.household import AUDIENCE, SEALED_WITH, Clock, Household, StandIn
from benchmarks.leavers import Crowd, Retell
from benchmarks.letterbox import receiver
from benchmarks.streets import POINTS
from connector.ports import DestinationAdapter
from connector.store import inbox
from connector.store.inbox import Inbox

_NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
_SAYS_STATES = ("customers_email_marketing_consent/update",)
_SAYS_BOXES = ("order.updated", "customer.updated")
_MAILS = "PUT /lists/{list_id}/members/{subscriber_hash}"
_AT_ONCE = 500
_OTHERWISE = (
    ('tag: "Big spender"', 'tag: "Great spender"'),
    ("SPENT: amount_spent}", "SPENT: amount_spent, COUNTRY: country}"),
)
"""What another mapping says instead: everybody is worked out and written anew."""


def main(*, quick: bool = False) -> list[Row]:
    """Measure; ``quick`` is a twentieth of the people."""
    share = 20 if quick else 1
    with _scene(share) as (scene, shops, retell):
        rows = list(_rows(scene, shops, retell))
    with _scene(10 * share) as (scene, shops, _):
        rows += _without_ears(scene, shops)
    with _scene(10 * share) as (scene, _, _):
        return [*rows, *_as_others_do(scene)]


def _rows(scene: _Scene, shops: Mapping[str, StandIn], retell: Sequence[Retell]) -> Iterator[Row]:
    crowd, audience, clock = scene.crowd, scene.audience, scene.clock
    house = Household(shops=shops, audience=audience, clock=clock, refit=scene.watched)
    with house, receiver(house, Inbox(house.store).accept) as address:
        house.read_past()
        yield from _after_the_first(scene)
        audience.calls.clear()

        for name, shop in shops.items():
            _register(shop, f"{address}/{name}")
        for tell in retell:
            tell()
        for shop in shops.values():
            assert shop.drain()
        clock.skip(minutes=1)
        house.work()
        with house.store.write() as conn:
            told = inbox.replay(conn)
        assert told == len(retell), told
        house.work()
        yield from _after(scene, f"all of it told anew by {told:,} webhooks, and these replayed")

        clock.skip(hours=1)
        house.read_past()
        yield from _after(scene, "the whole past read once more")

        clock.skip(hours=1)
        text = house.mapping
        for former, other in _OTHERWISE:
            assert former in text
            text = text.replace(former, other)
        house.change_mapping(text)
        house.work()
        assert "COUNTRY" in audience.fields()
        assert scene.states(crowd.stay, "subscribed") == len(crowd.stay)
        yield from _after(scene, "another mapping, by which everybody is written anew")

        clock.skip(days=2)
        house.engine.reconcile()
        house.work()
        yield from _after(scene, "two days later, all read by the daily passes")
        books = house.books()
        assert books["balanced"], books


def _after_the_first(scene: _Scene) -> Iterator[Row]:
    crowd, calls = scene.crowd, scene.audience.calls
    added = scene.states(crowd.stay, "subscribed")
    yield Row(
        name=f"first sync of {len(crowd.everybody):,} people: of those who never left, added",
        value=added,
        target=f"{len(crowd.stay):,}",
        met=added == len(crowd.stay),
    )
    yield from _kept(scene, f"of {len(crowd.left):,} who had left (or bounced)")
    named = len(scene.named.emails & crowd.shown_as_left)
    yield Row(name="of them: named to be added", value=named, target="0", met=named == 0)
    asked = scene.states(crowd.may_be_asked, "pending")
    yield Row(
        name="whose own yes is newer: asked by one mail, and not subscribed",
        value=asked,
        target=f"{len(crowd.may_be_asked):,}",
        met=asked == len(crowd.may_be_asked) == calls[_MAILS],
    )
    yield Row(name="calls for all that", value=calls.total())
    for name, many in sorted(calls.items()):
        if many > 1:
            yield Row(name=f"of them {name}", value=many)


def _after(scene: _Scene, what: str) -> Iterator[Row]:
    """Nobody came back, and nobody was asked once more."""
    yield from _kept(scene, what)
    again = scene.audience.calls[_MAILS]
    yield Row(name=f"{what}: mails that ask", value=again, target="0", met=again == 0)


def _kept(scene: _Scene, what: str) -> Iterator[Row]:
    crowd = scene.crowd
    back = scene.states(crowd.left | crowd.may_be_asked, "subscribed")
    yield Row(name=f"{what}: resubscribed", value=back, target="0", met=back == 0)
    other = scene.disturbed()
    yield Row(
        name=f"{what}: asked, written to, or otherwise not as they were",
        value=other,
        target="0",
        met=other == 0,
    )


def _without_ears(scene: _Scene, shops: Mapping[str, StandIn]) -> Iterator[Row]:
    """What reading the opt-outs first is worth."""
    with Household(
        shops=shops, audience=scene.audience, clock=scene.clock, refit=scene.deaf
    ) as house:
        house.read_past()
        yield from _harm(scene, "the same without asking the audience first")


def _as_others_do(scene: _Scene) -> Iterator[Row]:
    """A program that sends a status for everybody, and asks whom Mailchimp refuses to subscribe.

    So does the plugin that most WooCommerce shops use:
    https://github.com/mailchimp/mc-woocommerce/issues/1264.
    """
    audience, people = scene.audience, sorted(scene.crowd.everybody)
    scene.named.emails.update(people)
    with requests.Session() as session:
        session.auth = ("anybody", audience.api_key)
        address = f"{audience.url}/3.0/lists/{audience.audience}"
        for start in range(0, len(people), _AT_ONCE):
            members = [
                {"email_address": email, "status": "subscribed"}
                for email in people[start : start + _AT_ONCE]
            ]
            answer = session.post(address, json={"members": members, "update_existing": True})
            assert answer.ok, answer.status_code
            for refused in answer.json()["errors"]:
                email = refused["email_address"]
                asked = {"email_address": email, "status": "pending", "status_if_new": "pending"}
                answer = session.put(f"{address}/members/{member_id(email)}", json=asked)
                assert answer.ok, answer.status_code
    yield from _harm(scene, "a program that sends a status, and asks whoever is refused")


def _harm(scene: _Scene, what: str) -> Iterator[Row]:
    """What became of those who left, so that it is seen that it would be seen."""
    left = scene.crowd.left
    who = f"{what}, of {len(left):,} who had left"
    yield Row(name=f"{who}: named to be added", value=len(scene.named.emails & left))
    yield Row(name=f"{who}: resubscribed", value=scene.states(left, "subscribed"))
    yield Row(name=f"{who}: asked", value=scene.states(left, "pending"))
    yield Row(name=f"{who}: not as they were", value=scene.disturbed())


def _register(shop: StandIn, address: str) -> None:
    if isinstance(shop, WooCommerceSandbox):
        shop.register(address, SEALED_WITH, _SAYS_BOXES)
    else:
        shop.register(address, _SAYS_STATES)


@contextmanager
def _scene(share: int) -> Iterator[tuple[_Scene, Mapping[str, StandIn], Sequence[Retell]]]:
    """The people with their past, in both shops and in an audience."""
    clock = Clock(_NOW)
    crowd = Crowd(share=share, now=_NOW)
    with (
        Audience(clock=clock) as audience,
        WooCommerceSandbox(auto=False, keep_alive=True, clock=clock) as wool,
        ShopifySandbox(auto=False, keep_alive=True, clock=clock, points=POINTS) as pins,
    ):
        retell = crowd.say_yes(wool, pins)
        scene = _Scene(crowd=crowd, audience=audience, clock=clock)
        yield scene, {"wool": wool, "pins": pins}, retell


@dataclass(kw_only=True)
class _Scene:
    """Both shops, the people, an audience that some of them left, and how all that was."""

    crowd: Crowd
    audience: Audience
    clock: Clock
    named: Named = field(default_factory=Named)
    before: Mapping[str, Mapping[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.crowd.leave(self.audience)
        self.before = self.audience.members()
        self.audience.calls.clear()

    def states(self, people: frozenset[str], status: str) -> int:
        """How many of these people have this status now."""
        members = self.audience.members()
        return sum(members[email]["status"] == status for email in people & members.keys())

    def disturbed(self) -> int:
        """How many of those who had left are not as they were, to the last field.

        Of who was archived the status is what counts: nobody there is written to.
        """
        members = self.audience.members()
        return sum(
            members[email]["status"] != was["status"]
            or (was["status"] != "archived" and members[email] != was)
            for email, was in self.before.items()
            if email in self.crowd.left
        )

    def watched(self, _: DestinationAdapter) -> DestinationAdapter:
        """The real adapter, which tells whom it adds."""
        adapter = Watched(
            AUDIENCE, self.audience.audience, self.audience.api_key, base_url=self.audience.url
        )
        adapter.named = self.named
        return adapter

    def deaf(self, real: DestinationAdapter) -> DestinationAdapter:
        """The same without ears."""
        return Deaf(real=real, named=self.named)
