"""What is an alarm of its own, beside the books: it needs a person now, whatever else is fine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from connector import moments
from connector.flow import taking
from connector.ports import OPERATOR
from connector.store import agreement, flagged, watching
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


def raised(conn: Connection) -> list[Alarm]:
    """Every alarm as of now."""
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
    ]


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
