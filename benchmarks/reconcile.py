"""Reconciliation: what a pass that finds nothing costs, and how soon a lost delivery is repaired.

A shop of each platform and a Mailchimp audience, stand-ins over HTTP, by a simulated clock; what is
asked of them is counted by endpoint. First all agree, and passes find nothing. Then deliveries are
lost for six hours: `benchmarks.losses`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

from adapters.mailchimp.sandbox import Sandbox as Audience
from benchmarks import Row
from benchmarks.household import AUDIENCE, Clock, Household, changing
from benchmarks.losses import Size, rows_of_losses
from benchmarks.streets import Street, opened
from connector.store import errands
from connector.store.errands import RECONCILE, REREAD, SWEEP

_BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
_NAMES = ("wool", "pins")
_ORDERS, _DAYS = 3_000, 60
_QUICK = Size(past=150, minutes=30, orders=15, shares=(1.0,))


def main(*, quick: bool = False) -> list[Row]:
    """Measure; ``quick`` is a tenth of the orders, and half an hour in which all is lost."""
    rows = _quiet(_ORDERS // (10 if quick else 1))
    for name in _NAMES:
        rows += rows_of_losses(name, _QUICK if quick else Size())
    return rows


def _quiet(orders: int) -> list[Row]:
    """All is known, all is sent: what the passes ask for then."""
    clock = Clock(_BEGAN)
    with ExitStack() as stack:
        streets = [
            stack.enter_context(opened(name, clock, orders=orders, days=_DAYS, seed=seed))
            for seed, name in enumerate(_NAMES)
        ]
        audience = stack.enter_context(Audience(clock=clock))
        shops = {street.name: street.shop for street in streets}
        house = stack.enter_context(Household(shops=shops, audience=audience, clock=clock))
        house.read_past()
        for _ in range(2):  # the passes after the reading, and what they may still have to see
            clock.skip(hours=1)
            house.engine.reconcile()
            house.work()
        books = house.books()
        assert books["balanced"], books
        held = len(audience.members())
        light = _pass(house)
        rows = [
            *_light(streets, light, orders, held),
            *_silence(house, light),
        ]
        clock.skip(hours=22)
        # A day after it was first read, the audience is read whole; the shops a pass later.
        eve, whole = _pass(house), _pass(house)
        assert not (eve["applied"] + whole["applied"]).total()
        return [*rows, *_whole(streets, whole | {AUDIENCE: eve[AUDIENCE]})]


def _pass(house: Household) -> dict[str, Counter[str]]:
    """What the next pass asks of each shop and of the audience, and what it applies, by kind."""
    house.clock.skip(minutes=20)  # a quarter of an hour after the audience was last asked
    for line in house.lines.values():
        line.calls.clear()
    house.audience.calls.clear()
    assert house.engine.reconcile() == len(house.lines)
    while house.engine.errand():
        pass
    calls = {name: Counter(line.calls) for name, line in house.lines.items()}
    [target] = house.house.rules.targets
    while house.engine.deliver(target):
        pass
    return {**calls, AUDIENCE: Counter(house.audience.calls), "applied": _applied(house)}


def _applied(house: Household) -> Counter[str]:
    """What the passes that were begun last brought to light; all of them must be over."""
    with house.store.read() as conn:
        rows = [
            row
            for shop in house.lines
            for errand in (RECONCILE, REREAD, SWEEP)
            for row in errands.of_shop(conn, shop, errand)
        ]
    assert all(row.finished_at for row in rows), rows
    return Counter({f"{row.shop} {row.errand} {row.kind}": row.applied for row in rows})


def _light(
    streets: Sequence[Street], seen: Mapping[str, Counter[str]], orders: int, held: int
) -> Iterator[Row]:
    """A page of each list at most."""
    sides = {street.name: f"{street.platform} ({orders:,} orders)" for street in streets}
    for name, shown in {**sides, AUDIENCE: f"Mailchimp ({held:,} contacts)"}.items():
        most = max(seen[name].values())
        yield Row(
            name=f"{shown}, a pass that finds nothing: pages of one list, at most",
            value=most,
            target="<= 1",
            met=most <= 1,
        )
        yield from _each(seen[name])


def _silence(house: Household, seen: Mapping[str, Counter[str]]) -> Iterator[Row]:
    """Nothing is changed anywhere, nothing evaluated, nothing due."""
    sent = sum(line.changing() for line in house.lines.values()) + changing(seen[AUDIENCE])
    yield Row(name="calls that change something in these", value=sent, target="0", met=sent == 0)
    found = seen["applied"].total()
    yield Row(name="things found to be other than known", value=found, target="0", met=found == 0)
    evaluated, due = house.engine.evaluate(), house.books()["destinations"][AUDIENCE]["due"]
    yield Row(
        name="people evaluated, and records due, after it",
        value=evaluated + due,
        target="0",
        met=evaluated + due == 0,
    )


def _whole(streets: Sequence[Street], seen: Mapping[str, Counter[str]]) -> Iterator[Row]:
    """The daily pass reads every id, what has no list of changes, and the whole audience."""
    sides = {street.name: street.platform for street in streets}
    for name, platform in {**sides, AUDIENCE: "Mailchimp"}.items():
        yield Row(name=f"{platform}, the daily whole pass: calls", value=seen[name].total())
        yield from _each(seen[name])


def _each(calls: Counter[str]) -> Iterator[Row]:
    return (Row(name=f"of them {name}", value=many) for name, many in sorted(calls.items()))
