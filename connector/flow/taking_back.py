"""Tells a shop who withdrew elsewhere, so that what it shows of an account is so everywhere.

A permission is never written anywhere: only that one was taken back, with the time when the person
said so. What the shop says itself it is not told again; its echo carries the same time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from connector import consent, moments
from connector.errors import LaneDown, TryLater
from connector.flow.rules import Rules, Target
from connector.model import (
    Change,
    Claim,
    ConsentState,
    Evidence,
    Outcome,
    Permission,
    Postponed,
    Purpose,
    Record,
    Settled,
)
from connector.ports import Finding, Shape, TakingBack
from connector.store import evidence
from connector.store.schema import customers

_AT_ONCE = 50  # each is one call or two to the shop
_YES = frozenset(
    {Claim.GRANT, Claim.GRANT_CONFIRMED, Claim.GRANT_STATE, Claim.GRANT_UNDATED, Claim.PENDING}
)


def desired(
    conn: Connection, persons: Sequence[str], target: Target, rules: Rules
) -> dict[str, Record | None]:
    """Of whom the shop should know that they withdrew, with its own numbers of their accounts."""
    (shop,) = target.shops
    accounts = _accounts(conn, shop, persons)
    said = evidence.of_people(conn, list(accounts), Purpose.EMAIL)
    wanted: dict[str, Record | None] = dict.fromkeys(persons)
    for person, numbers in accounts.items():
        told = said.get(person, ())
        state = consent.decide(consent.summarise(told), rules.consent_policy)
        news = _newest(told, shop) if state is ConsentState.WITHDRAWN else None
        if news is not None:
            wanted[person] = Record(
                key=person,
                email=person,
                permission=Permission.WITHDRAWN,
                fields={
                    "at": moments.to_text(news.at or news.received_at),
                    "by": news.source,
                    "accounts": sorted(numbers),
                },
            )
    return wanted


def _accounts(conn: Connection, shop: str, persons: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for email, number in conn.execute(
        select(customers.c.email, customers.c.customer_id).where(
            customers.c.shop == shop, customers.c.email.in_(persons), ~customers.c.deleted
        )
    ):
        found.setdefault(email, []).append(number)
    return found


def _newest(told: Sequence[Evidence], shop: str) -> Evidence | None:
    """The newest withdrawal, unless the shop says as much itself by now."""
    withdrawn = [each for each in told if each.claim is Claim.WITHDRAW]
    newest = max(withdrawn, key=_moment, default=None)
    if newest is None or newest.source == shop:
        return None
    own = [each for each in told if each.source == shop]
    no = max((_moment(each) for each in own if each.claim is Claim.WITHDRAW), default=None)
    yes = max((_moment(each) for each in own if each.claim in _YES), default=None)
    return None if no is not None and (yes is None or no >= yes) else newest


def _moment(said: Evidence) -> datetime:
    return said.at or said.received_at


class ShopTold:
    """A shop as a destination of withdrawals. ``mark`` is as `ports.TakingBack` has it."""

    batch_size = _AT_ONCE

    def __init__(self, name: str, shop: TakingBack, mark: Mapping[str, str]) -> None:
        self.name = name
        self._shop = shop
        self._mark = mark

    def prepare(self, shape: Shape) -> Sequence[Finding]:
        """There is nothing to make ready."""
        del shape
        return ()

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        """Tell the shop of each. Raises `TryLater` or `LaneDown` when not one could be told."""
        done: dict[str, Outcome] = {}
        for change in changes:
            try:
                done[change.key] = self._tell(change, now)
            except (TryLater, LaneDown) as problem:
                if not done:
                    raise
                later = getattr(problem, "retry_after", None)
                rest = Postponed(reason=problem.reason, retry_after=later)
                return {each.key: done.get(each.key, rest) for each in changes}
        return done

    def flush(self) -> None:
        """Nothing is held back."""

    def _tell(self, change: Change, now: datetime) -> Settled:
        wanted = change.after
        if wanted is None:  # the person allowed it again, or the shop knows: that is no news to it
            return Settled()
        withdrawn = Evidence(
            contact=change.key,
            purpose=Purpose.EMAIL,
            claim=Claim.WITHDRAW,
            source=str(wanted.fields["by"]),
            at=moments.parse_utc(wanted.fields["at"]),
            received_at=now,
        )
        known = self._shop.take_back(
            withdrawn, customer_ids=wanted.fields["accounts"], mark=self._mark or None
        )
        return Settled(note="" if known else "the shop has no account with this address")
