"""Who is in an audience: those whose ads consent is granted, for as long as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from adapters.meta_audiences.destination import MetaAudiencesDestination
from adapters.meta_audiences.sandbox import Sandbox
from connector.flow import deliver
from connector.flow.targets import shape_of
from connector.match_keys import digest, email
from connector.model import (
    Claim,
    Customer,
    Evidence,
    Lane,
    Permission,
    Postponed,
    Purpose,
    Version,
)
from connector.store.connect import Store
from connector.store.schema import records
from tests.flow.conftest import NOON, World
from tests.one_destination import rules_of

MAPPING = """
version: 1
segments:
  returning: {when: "number_of_orders >= 2"}
  big: {when: "amount_spent > 500", tag: Big}
destinations:
  lookalikes:
    audiences:
      Comes back: {segment: returning}
      Worth it: {segment: big, value: amount_spent}
"""
KARI = "kari@shop.example"


@pytest.fixture
def world(store: Store) -> World:
    """A shop whose people are told to an advertiser."""
    rules = rules_of(MAPPING, name="lookalikes", destination="meta_audiences")
    return World(store, rules)


@pytest.fixture
def meta() -> Iterator[Sandbox]:
    """An ad account without audiences."""
    with Sandbox() as opened:
        yield opened


def said(claim: Claim, contact: str = KARI, minutes: int = 0, purpose: str = "ads") -> Evidence:
    """What somebody said about advertising."""
    at = NOON.replace(minute=minutes)
    return Evidence(
        contact=contact, purpose=Purpose(purpose), claim=claim, source="wool", at=at, received_at=at
    )


def buy(world: World, *, orders: int = 2, contact: str = KARI) -> None:
    """Let somebody buy so often, for 300 each."""
    world.tell(*(world.order(number, contact) for number in range(1, orders + 1)))


def test_only_the_grant_for_ads_counts(world: World) -> None:
    """Neither a purchase nor the newsletter's permission is one; it is never inherited."""
    buy(world)
    world.tell(said(Claim.GRANT, purpose="email"))
    assert 0 == world.settle()
    assert {} == world.destination.held
    world.tell(said(Claim.GRANT))
    assert 1 == world.settle()
    held = world.destination.held[KARI]
    assert (Permission.SEND, ("Comes back", "Worth it")) == (held.permission, held.tags)


def test_a_record_is_digests_and_a_value(world: World) -> None:
    """Nothing of a person in clear but the key by which we know them; net of refunds."""
    buy(world, orders=1)
    world.tell(world.order(2, KARI, total=45_050), said(Claim.GRANT))
    world.settle()
    held = world.destination.held[KARI]
    assert {"email": digest(email, KARI), "value": "750.50"}.items() <= held.fields.items()
    assert {"email", "first_name", "value"} == held.fields.keys()
    assert "Kari" not in str(held.fields)


def test_who_is_in_no_audience_is_not_held(world: World) -> None:
    """A grant alone is no reason to tell of somebody; nor is a value without an audience of it."""
    buy(world, orders=1)
    world.tell(said(Claim.GRANT))
    assert 0 == world.settle()
    buy(world, orders=2)
    world.tell(world.order(2, KARI, 1, total=1_000))
    assert 1 == world.settle()
    held = world.destination.held[KARI]
    assert ("Comes back",) == held.tags
    assert "value" not in held.fields


def test_a_withdrawal_takes_a_person_out_and_goes_first(world: World) -> None:
    """In the lane of withdrawals, and for good, until a newer grant."""
    buy(world)
    world.tell(said(Claim.GRANT))
    world.settle()
    world.tell(said(Claim.WITHDRAW, minutes=1))
    world.evaluate()
    with world.store.read() as conn:
        assert [Lane.WITHDRAWAL] == list(conn.scalars(select(records.c.lane)))
    assert 1 == world.deliver()
    assert {} == world.destination.held
    (change,) = world.destination.pushed[-1]
    assert change.before is not None
    assert (digest(email, KARI), None) == (change.before.fields["email"], change.after)
    world.tell(said(Claim.GRANT, minutes=10))
    assert 1 == world.settle()


def test_a_withdrawal_of_the_newsletter_is_none_of_ads(world: World) -> None:
    """Each permission is its own, in both directions."""
    buy(world)
    world.tell(said(Claim.GRANT), said(Claim.WITHDRAW, purpose="email"))
    assert 1 == world.settle()
    assert [KARI] == list(world.destination.held)


def test_a_withdrawal_at_a_former_address_counts(world: World) -> None:
    """It is the same person: the account moved to another address, and the no went along."""
    old = "kari@old.example"
    for number, address in enumerate((old, KARI)):
        account = Customer(
            shop="wool", id="7", version=Version(NOON.replace(minute=number)), email=address
        )
        world.tell(account)
    buy(world)
    world.tell(said(Claim.GRANT))
    world.settle()
    assert [KARI] == list(world.destination.held)
    world.tell(said(Claim.WITHDRAW, old, minutes=5))
    assert 1 == world.settle()
    assert {} == world.destination.held


def test_leaving_a_segment_leaves_its_audience(world: World) -> None:
    """A refund takes somebody below the mark; the other audience stays."""
    buy(world)
    world.tell(said(Claim.GRANT))
    world.settle()
    world.tell(world.order(2, KARI, 5, total=5_000))
    world.settle()
    assert ("Comes back",) == world.destination.held[KARI].tags


def test_whole_way_to_meta_and_back(world: World, meta: Sandbox) -> None:
    """Told with an answer that was lost, withdrawn before it was told again: nobody stays there."""
    target = world.rules.targets[0]
    destination = MetaAudiencesDestination(
        "lookalikes", meta.ad_account, meta.access_token, base_url=meta.url, timeout=5.0
    )
    assert [] == list(destination.prepare(shape_of(target, world.rules)))
    assert (True, False) == (
        meta.audience("Worth it").valued,
        meta.audience("Comes back").valued,
    )
    buy(world)
    world.tell(said(Claim.GRANT))
    world.evaluate()
    meta.misbehave("torn after", endpoint="POST /audience/users")
    deliver.drain(world.store, target, destination, world.rules, now=world.now)
    assert {digest(email, KARI)} == set(meta.audience("Comes back").people)
    world.tell(said(Claim.WITHDRAW, minutes=1))
    world.evaluate()
    deliver.drain(world.store, target, destination, world.rules, now=world.now)
    assert {} == meta.inside(digest(email, KARI))
    with world.store.read() as conn:
        assert ["settled"] == list(conn.scalars(select(records.c.status)))


def test_a_flagged_audience_keeps_its_people_due(world: World) -> None:
    """What Meta does not take stays due, however often it is tried, and its reason is kept."""
    buy(world)
    world.tell(said(Claim.GRANT))
    world.settle()
    blocked = Postponed(reason="Meta has flagged the audience", retry_after=3600.0)
    world.destination.answers[KARI] = blocked
    world.tell(said(Claim.WITHDRAW, minutes=1))
    world.settle()
    with world.store.read() as conn:
        row = conn.execute(select(records)).one()
    assert ("due", "Meta has flagged the audience") == (row.status, row.reason)
    assert [KARI] == list(world.destination.held)
