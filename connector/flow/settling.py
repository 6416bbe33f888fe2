"""What was told settles here, alike whether a webhook brought it or a shop's past was read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from connector.flow import sales_due
from connector.flow.rules import Holds, Rules
from connector.model import (
    AddressChange,
    Cart,
    Customer,
    Deleted,
    Evidence,
    Kind,
    Lane,
    Order,
)
from connector.store import catalog, evidence, facts, outbox, readdressed
from connector.store.admission import without_person
from connector.store.causes import Cause, delivery_of
from connector.store.changes import mark_dirty
from connector.store.shelves import Thing
from mappings.consent_sources import evidence_of


@dataclass(slots=True)
class Told:
    """What deliveries or records told together, each thing with the one that told it."""

    stated: list[facts.Stated] = field(default_factory=list)
    said: list[tuple[Evidence, Cause]] = field(default_factory=list)
    moved: list[tuple[AddressChange, Cause]] = field(default_factory=list)

    def state(
        self,
        fact: Thing,
        cause: Cause,
        rules: Rules,
        *,
        shop: str,
        received_at: datetime,
        addresses: frozenset[str] = frozenset(),
    ) -> None:
        """Add a fact, and the permissions in it. ``addresses`` are as in `facts.Stated`.

        A cart that nobody is to be told of is not kept: there is no purpose for which to keep it.
        """
        if isinstance(fact, Cart) and not sales_due.are_told(rules, Kind.CART, shop):
            addresses |= {fact.email} if fact.email else set()
            fact = without_person(fact)
        self.stated.append(facts.Stated(fact, cause, addresses))
        if isinstance(fact, Customer | Order):
            consents = evidence_of(
                fact,
                rules.mapping.consent,
                received_at=received_at,
                platform=rules.platforms[shop],
            )
            self.said += [(item, cause) for item in consents]


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of it: who told something new, and who told of somebody erased."""

    applied: set[Cause]
    hidden: set[Cause]


def is_nameless(fact: Thing) -> bool:
    """Whether a fact is about a person whose address could not be read, if there was one."""
    if isinstance(fact, Deleted):
        return fact.kind is Kind.CART  # the whole checkout came, and says only that it is none
    return isinstance(fact, Customer | Order | Cart) and fact.email is None


def settle(
    conn: Connection,
    told: Told,
    rules: Rules,
    *,
    now: datetime,
    retold: bool = False,
    evaluate_after: timedelta = timedelta(0),
) -> Settled:
    """Write it all down, in the caller's transaction, and mark what follows from it.

    ``retold``: it is as a shop shows it now, not as it came about: what has no date of its own and
    was said before is not said anew. People are evaluated within ``evaluate_after``.
    """
    settlement = facts.settle(conn, told.stated)
    for target in rules.holding(Holds.ITEMS):
        mine = (catalog.key_of(item) for item in settlement.items if item[0] in target.shops)
        outbox.mark_due(conn, target.name, dict.fromkeys(mine, Lane.NORMAL), now=now)
    sales_due.mark_sold(conn, rules, settlement.sold, now=now)
    grown = evidence.append(
        conn,
        told.said,
        hidden=settlement.hidden,
        retold=_old(told, settlement.newer) if retold else (),
    )
    settlement.dirty.update(grown.contacts)
    followed = readdressed.follow(conn, told.moved)
    settlement.dirty.update(dict.fromkeys(followed.contacts))
    concerned = {person: delivery_of(cause) for person, cause in settlement.dirty.items()}
    mark_dirty(conn, concerned, now=now, after=evaluate_after)
    return Settled(
        applied=settlement.applied | grown.causes | followed.causes, hidden=settlement.hidden
    )


def _old(told: Told, newer: set[Cause]) -> set[Cause]:
    """Who states nothing newer than what was known."""
    causes: Iterable[Cause] = (cause for _, cause in told.said)
    return set(causes) - newer
