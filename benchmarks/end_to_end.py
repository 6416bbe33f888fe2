"""End to end: from a shop's webhook to the Mailchimp stand-in that holds the contact.

Everything real: ``connector serve`` and ``connector work`` on one SQLite file, the stand-in and the
posting client in processes of their own. Every run checks its own end state.
"""

from __future__ import annotations

import random
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select

from benchmarks import Row, ratio
from benchmarks.orders import Season, Town
from benchmarks.stage import CONNECTIONS, Audience, Stage
from connector.model import Lane
from connector.store import outbox
from connector.store.schema import records

_RATE, _IDLE, _CALLS = 500, 1.0, 60  # what was promised
_LOOK = 0.005


def main(*, quick: bool = False) -> list[Row]:
    """Measure; ``quick`` is a tenth of it."""
    scale = 10 if quick else 1
    with Audience() as audience, Stage(audience.url) as stage:
        rows = _sustained(stage, audience, deliveries=15_000 // scale)
    with Audience() as audience, Stage(audience.url) as stage:
        rows += _idle(stage, audience, singles=60 // scale)
    with Audience() as audience, Stage(audience.url) as stage:
        rows += _calls(stage, audience, contacts=10_000 // scale)
    return rows


def _sustained(stage: Stage, audience: Audience, *, deliveries: int) -> list[Row]:
    town = Town(seed=7)
    alone = _receiver_alone(audience, town.season(deliveries // 3))
    season = Town(seed=11).season(deliveries)
    stage.start("work")
    stage.start("serve")
    pouring = stage.pour(season.wares)
    used = stage.cpu("serve"), stage.cpu("work"), audience.cpu()
    seen = pouring.run()
    settled = stage.until_settled()
    rate = deliveries / (settled - seen["began"])
    memory = {name: stage.memory(name) for name in ("serve", "work")}
    cpu = [stage.cpu("serve") - used[0], stage.cpu("work") - used[1], audience.cpu() - used[2]]
    _check(stage, audience, season)
    calls = audience.calls()
    return [
        Row(
            name=f"orders a second, webhook to acknowledged ({deliveries:,} of "
            f"{season.size:.1f} KB, {CONNECTIONS} connections)",
            value=rate,
            unit="/s",
            target=f">= {_RATE}/s",
            met=rate >= _RATE,
        ),
        Row(name="posting them took", value=seen["ended"] - seen["began"], unit="s"),
        Row(name="and the rest, once all were answered", value=settled - seen["ended"], unit="s"),
        Row(name="answered meanwhile, p99", value=seen["p99"] * 1000, unit="ms"),
        Row(name="receiver alone, no worker", value=alone, unit="/s"),
        ratio("end to end, of the receiver alone", rate, alone),
        ratio("receiver beside a busy worker, of the receiver alone", seen["rate"], alone),
        Row(name="contacts in the audience, all as they should be", value=len(season.ticked)),
        Row(name="calls that took", value=calls.total()),
        *(
            Row(name=f"{who}, processor time an order", value=spent / deliveries * 1000, unit="ms")
            for who, spent in zip(("receiver", "worker", "stand-in"), cpu, strict=True)
        ),
        *(
            Row(name=f"{who}, {what}", value=held, unit="MiB")
            for who, each in (("receiver", memory["serve"]), ("worker", memory["work"]))
            for what, held in zip(
                ("its largest process, resident at most", "all of it"), each, strict=True
            )
        ),
    ]


def _receiver_alone(audience: Audience, season: Season) -> float:
    with Stage(audience.url) as stage:
        stage.start("serve")
        return stage.pour(season.wares).run()["rate"]


def _check(stage: Stage, audience: Audience, season: Season) -> None:
    """The books balance, and the audience holds exactly those who ticked the box, as they are."""
    books = stage.books()
    shop, newsletter = books["shops"]["wool"], books["destinations"]["newsletter"]
    assert books["balanced"], books
    assert shop["received"] == len(season.wares) == shop["applied"] + shop["unchanged"], shop
    assert newsletter["records"] == newsletter["settled"] == len(season.orders), newsletter
    members = audience.members()
    assert season.ticked == set(members), "the wrong contacts arrived"
    for email, held in members.items():
        number = season.orders[email]
        assert held["status"] == "subscribed", held["status"]
        assert held["fields"]["ORDERS"] == number, "a contact's orders were miscounted"
        assert _tag(number) in held["tags"], "a contact lacks its tag"
        assert len({"First-time buyer", "Returning", "Regular"} & set(held["tags"])) == 1


def _tag(number: int) -> str:
    if number == 1:
        return "First-time buyer"
    return "Returning" if number <= 3 else "Regular"


def _idle(stage: Stage, audience: Audience, *, singles: int) -> list[Row]:
    town, chance = Town(seed=3), random.Random(3)
    stage.start("work")
    stage.start("serve")
    _arrives(stage, audience, town)  # the first one finds the audience unprepared
    taken = []
    for _ in range(singles):
        time.sleep(chance.uniform(0.1, 0.4))  # never in step with the lanes
        taken.append(_arrives(stage, audience, town))
    taken.sort()
    median = statistics.median(taken)
    return [
        Row(
            name=f"a lone order, from POST to held by the audience, median of {singles}",
            value=median,
            unit="s",
            target=f"<= {_IDLE:g} s",
            met=median <= _IDLE,
        ),
        Row(name="the slowest of them", value=taken[-1], unit="s"),
    ]


def _arrives(stage: Stage, audience: Audience, town: Town) -> float:
    email, ware = town.newcomer()
    began = time.monotonic()
    stage.post(ware)
    while not audience.holds(email):
        time.sleep(_LOOK)
        assert time.monotonic() < began + 30, "a lone order did not arrive"
    return time.monotonic() - began


def _calls(stage: Stage, audience: Audience, *, contacts: int) -> list[Row]:
    town = Town(seed=5)
    first = town.newcomers(contacts)
    stage.fill(first.wares)
    made, seconds = _work(stage, audience)
    stage.stop("work")
    second = town.again(first)
    stage.fill(second.wares)
    changed, _ = _work(stage, audience)
    _mark_all(stage)
    nothing = audience.calls()
    stage.until_settled()
    idle = audience.calls() - nothing
    orders = Counter(first.orders)
    orders.update(second.orders)
    wares = [*first.wares, *second.wares]
    _check(stage, audience, Season(wares=wares, orders=orders, ticked=first.ticked))
    shown = f"{contacts:,}"
    return [
        _few(f"calls for {shown} new contacts with tags", made),
        _few(f"calls for {shown} contacts whose fields and tags change (one tag leaves)", changed),
        Row(
            name=f"calls for {shown} due records in which nothing changed",
            value=idle.total(),
            target="0",
            met=not idle,
        ),
        Row(name="contacts evaluated and delivered", value=contacts / seconds, unit="/s"),
    ]


def _few(name: str, calls: Counter[str]) -> Row:
    number = calls.total()
    return Row(name=name, value=number, target=f"<= {_CALLS}", met=number <= _CALLS)


def _work(stage: Stage, audience: Audience) -> tuple[Counter[str], float]:
    """Start a worker on what is dirty; the calls until all is settled, and the seconds."""
    before = audience.calls()
    began = time.monotonic()
    stage.start("work")
    settled = stage.until_settled()
    return audience.calls() - before, settled - began


def _mark_all(stage: Stage) -> None:
    with stage.store.write() as conn:
        keys: Sequence[str] = conn.scalars(select(records.c.key)).all()
        lanes = dict.fromkeys(keys, Lane.NORMAL)
        outbox.mark_due(conn, "newsletter", lanes, now=datetime.now(UTC))
