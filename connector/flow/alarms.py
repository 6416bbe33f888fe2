"""What is an alarm of its own, beside the books: it needs a person now, whatever else is fine."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from connector import moments
from connector.flow import shop_pins, taking
from connector.moments import EPOCH
from connector.ports import OPERATOR, addressed
from connector.store import agreement, errands, flagged, lanes, overdue, readings, watching
from connector.store.agreement import Agreement
from connector.store.watching import Noticed, Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm: of which ``kind`` it is, ``where``, ``what`` happened and who mends it how."""

    kind: str
    where: str
    what: str
    mend: str
    who: str = OPERATOR


def raised(
    conn: Connection,
    *,
    shops: Collection[str] = (),
    destinations: Collection[str] = (),
    now: datetime = EPOCH,
) -> list[Alarm]:
    """Every alarm as of ``now``; of what stands still only what is configured is named."""
    held = taking.why_held(conn)
    return [
        *(_mapping(held) for _ in held[:1]),
        *(_demand(shop, number) for shop, number in flagged.alarming(conn).items()),
        *(each for seen in watching.everything(conn).values() for each in _webhooks(seen)),
        *(
            each
            for shop, known in agreement.everything(conn).items()
            for each in _disappearances(shop, known)
        ),
        *(
            _differences(name, known.held_back)
            for name, known in readings.everything(conn).items()
            if known.held_back
        ),
        *_standstills(conn, shops, destinations),
        *(
            _withdrawals(each)
            for each in overdue.withdrawals(conn, now=now)
            if each.destination in destinations
        ),
    ]


def _standstills(
    conn: Connection, shops: Collection[str], destinations: Collection[str]
) -> Iterator[Alarm]:
    """Shops that are not believed or not read, and destinations to which nothing goes.

    Where nothing goes out because of the shop or the mapping, that alone is named.
    """
    told: set[str | None] = {None}
    for shop in sorted(shops):
        trouble = shop_pins.halted(conn, shop)
        unread = {
            (row.problem, row.mend): None
            for row in errands.everything(conn)
            if row.shop == shop and row.problem and row.mend
        }
        kind = "shop" if trouble else "reading"
        for what, how in [(trouble.reason, trouble.mend)] if trouble else unread:
            who, mend = addressed(how)
            told.add(what)
            yield Alarm(kind=kind, where=f"shops.{shop}", what=what, mend=mend, who=who)
    for name in sorted(destinations):
        state = lanes.read(conn, name)
        stopped = state.mend if state.failures and state.mend != taking.MEND else None
        if stopped and state.last_problem not in told:
            who, mend = addressed(stopped)
            what = f"nothing is sent: {state.last_problem}"
            yield Alarm(
                kind="destination", where=f"destinations.{name}", what=what, mend=mend, who=who
            )


def _withdrawals(late: overdue.Overdue) -> Alarm:
    """People are still held by a destination although they left."""
    return Alarm(
        kind="withdrawal",
        where=f"destinations.{late.destination}",
        what=f"withdrawals that did not arrive there, since {moments.to_text(late.since)}: "
        f"{late.number:,} ({(late.reason or 'not brought there yet').rstrip('. ')})",
        mend="Who took their permission back is still held there: do what is asked for, or take "
        "them out by hand.",
    )


def _mapping(why: list[str]) -> Alarm:
    return Alarm(
        kind="mapping",
        where="mapping",
        what=f"the changed mapping is not taken: {'; '.join(why)}; only withdrawals are sent",
        mend=taking.MEND,
    )


def _demand(shop: str, number: int) -> Alarm:
    return Alarm(
        kind="demand",
        where=f"shops.{shop}",
        what=f"demands of people in quarantine, about another shop or about none: {number}",
        mend="`connector parked` shows each; whom it is about has a "
        "right to an answer in time, from the shop that it is about. If another shop's app points "
        "here, let it point to its own address.",
    )


def _disappearances(shop: str, known: Agreement) -> Iterator[Alarm]:
    """So much gone from a shop at once that it is not believed."""
    for kind, each in known.kinds.items():
        if each.held_back:
            yield Alarm(
                kind="disappearance",
                where=f"shops.{shop}",
                what=f"the shop no longer shows {each.held_back:,} of {each.compared:,} {kind}s; "
                "that is not believed, and nothing is deleted",
                mend="See whether the shop shows all it has. If they were deleted there: "
                f"connector reconcile {shop} --whole --believe",
            )


def _differences(destination: str, held_back: int) -> Alarm:
    """So much at a destination is not as it was taken that something else must be writing there."""
    return Alarm(
        kind="difference",
        where=f"destinations.{destination}",
        what=f"{held_back:,} records there are not as they were taken; so many at once are not "
        "repaired",
        mend="See what else writes there, and whether it shows all it has. To have it all put "
        f"right: connector reconcile {destination} --believe",
    )


def _webhooks(seen: Seen) -> Iterator[Alarm]:
    """What the watch found that a person has to mend; topics with the same fault are one alarm."""
    alike: dict[Noticed, list[str]] = {}
    for each in seen.findings:
        if each.alarm:
            alike.setdefault(replace(each, topic=""), []).append(each.topic)
    for each, topics in alike.items():
        yield Alarm(
            kind="webhook",
            where=seen.where,
            what=f"webhooks {', '.join(topics)}: {each.what}; {each.done}",
            mend=each.mend,
            who=each.who,
        )
    if seen.silent_since is not None:
        yield Alarm(
            kind="silence",
            where=seen.where,
            what=f"nothing was delivered since {moments.to_text(seen.silent_since)}, which is "
            "unlike this shop",
            mend="See whether the shop is up and sells, and with `connector doctor` whether it "
            "can reach the connector.",
        )
