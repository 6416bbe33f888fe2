"""The first delivery of a whole shop: 100,000 people with two or three tags to Mailchimp.

The store is filled as a backfill fills it, by the real reader from a shop that makes its past up;
a real worker then evaluates everybody and delivers to the Mailchimp stand-in, in a process of its
own. That 100,000 catalog items take no more than fifty calls is measured by `benchmarks.catalog`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import select

from benchmarks import Row
from benchmarks.stage import Audience, Stage
from connector.flow.apart import Apart
from connector.flow.errands import Reader
from connector.model import Kind, Lane, Order, Understood, Version
from connector.ports import Haul, Recalled
from connector.store import errands, outbox
from connector.store.errands import BACKFILL, Errand
from connector.store.schema import records
from connector.wiring import build_house

_MOST_CALLS = 450
_CONTACTS = 100_000
_OPT_IN = "_wc_other/mycorp/newsletter-opt-in"
_CHANGING = ("POST", "PUT", "PATCH", "DELETE")
_A_HAUL = 500
_LONG_AGO = timedelta(days=500)
_LITTLE, _MUCH = 49_900, 649_900  # in øre; above 5,000 kroner is a big spender
_TWO = frozenset({"First-time buyer", "Lapsed"})
_THREE = _TWO | {"Big spender"}


@dataclass(frozen=True, slots=True)
class _Past:
    """A shop of so many people, each with one order of long ago and the newsletter's box ticked."""

    people: int

    @property
    def kinds(self) -> Sequence[Kind]:
        return (Kind.ORDER,)

    def history(
        self, kind: Kind, *, since: datetime | None, cursor: str | None, now: datetime
    ) -> Iterator[Haul]:
        """All orders; nobody asks this shop for less."""
        assert kind is Kind.ORDER
        assert since is None
        for begin in range(int(cursor or 0), self.people, _A_HAUL):
            end = min(begin + _A_HAUL, self.people)
            found = [_recalled(number, now) for number in range(begin, end)]
            yield Haul(found=found, cursor=str(end), total=self.people)

    def ids(self, kind: Kind) -> Iterator[Sequence[str]]:
        assert kind is Kind.ORDER
        yield [str(number) for number in range(self.people)]


def main(*, quick: bool = False) -> list[Row]:
    """Measure; ``quick`` is a tenth of the people, who may take a tenth of the calls."""
    share = 10 if quick else 1
    people = _CONTACTS // share
    with Audience() as audience, Stage(audience.url) as stage:
        began = time.monotonic()
        assert _fill(stage, people).applied == people
        filled = time.monotonic() - began
        made, seconds = _work(stage, audience)
        _check(stage, audience, people)
        cpu = stage.cpu("work")
        memory, _ = stage.memory("work")
        stage.stop("work")
        assert _fill(stage, people).unchanged == people
        _mark_all(stage)
        again, _ = _work(stage, audience)
        _check(stage, audience, people)
    calls, most = made.total(), _MOST_CALLS // share
    changing = sum(number for name, number in again.items() if name.startswith(_CHANGING))
    return [
        Row(
            name=f"calls for {people:,} new contacts with two or three tags each",
            value=calls,
            target=f"<= {most}",
            met=calls <= most,
        ),
        *(Row(name=f"of them {name}", value=number) for name, number in sorted(made.items())),
        Row(
            name="calls that change something, all read and due once more, nothing changed",
            value=changing,
            target="0",
            met=changing == 0,
        ),
        Row(name="calls of any kind then", value=again.total()),
        Row(name="people read and settled", value=people / filled, unit="/s"),
        Row(name="people evaluated and delivered", value=people / seconds, unit="/s"),
        Row(name="the worker, processor time a person", value=cpu / people * 1000, unit="ms"),
        Row(name="the worker, resident at most", value=memory, unit="MiB"),
    ]


def _fill(stage: Stage, people: int) -> Errand:
    """Read the whole past of the shop; how that went."""
    rules = build_house(stage.configured, stage.store).rules
    now = datetime.now(UTC)
    with stage.store.write() as conn:
        errands.begin(conn, "wool", BACKFILL, [Kind.ORDER], since=None, now=now)
    apart = Apart(_Past(people), partial(_Past, people))
    reader = Reader(stage.store, {"wool": apart}, rules, time.monotonic)
    with closing(apart):
        while reader.step(now=now):
            pass
    with stage.store.read() as conn:
        [row] = errands.of_shop(conn, "wool", BACKFILL)
    assert row.finished_at is not None, row.problem
    return row


def _work(stage: Stage, audience: Audience) -> tuple[Counter[str], float]:
    """Start a worker on what waits; the calls until all is settled, and the seconds."""
    before = audience.calls()
    began = time.monotonic()
    stage.start("work")
    settled = stage.until_settled()
    return audience.calls() - before, settled - began


def _check(stage: Stage, audience: Audience, people: int) -> None:
    """The books balance, and everybody is held as they should be."""
    books = stage.books()
    assert books["balanced"], books
    newsletter = books["destinations"]["newsletter"]
    assert newsletter["records"] == newsletter["settled"] == people, newsletter
    members = audience.members()
    assert len(members) == people
    for number in range(people):
        held = members[_email(number)]
        assert held["status"] == "subscribed", held["status"]
        assert set(held["tags"]) == (_THREE if number % 2 else _TWO), held["tags"]
        assert held["fields"]["ORDERS"] == 1, "orders were miscounted"


def _mark_all(stage: Stage) -> None:
    with stage.store.write() as conn:
        keys: Sequence[str] = conn.scalars(select(records.c.key)).all()
        lanes = dict.fromkeys(keys, Lane.NORMAL)
        outbox.mark_due(conn, "newsletter", lanes, now=datetime.now(UTC))


def _email(number: int) -> str:
    return f"kunde{number}@epost.example"


def _recalled(number: int, now: datetime) -> Recalled:
    """An order of somebody. ``now`` is rounded, so that tomorrow's past is not a new one."""
    at = now.replace(hour=0, minute=0, second=0, microsecond=0) - _LONG_AGO
    order = Order(
        shop="wool",
        id=str(number),
        version=Version(at),
        number=str(number),
        status="completed",
        currency="NOK",
        total=_MUCH if number % 2 else _LITTLE,
        placed_at=at,
        paid_at=at,
        email=_email(number),
        first_name="Kari",
        last_name=f"Nordmann {number}",
        countries=("NO",),
        meta={_OPT_IN: "1"},
    )
    return Recalled(id=order.id, understanding=Understood(facts=(order,)))
