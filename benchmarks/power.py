"""Cuts the power at random moments and asks whether any delivery said yes to is missing.

The power is that of a simulated disk (`benchmarks.forgetful`): a kill cannot show what a store
leaves to the operating system. The statements, the settings of the connection and the tables are
the store's own.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import random
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import apsw
from sqlalchemy import insert, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import Compiled
from sqlalchemy.sql import ClauseElement

from benchmarks import Row
from benchmarks.forgetful import Disk, PowerCut
from connector.model import Arrival
from connector.moments import to_micros
from connector.store import arrivals, inbox
from connector.store.connect import Store
from connector.store.engines import make_durable
from connector.store.schema import deliveries, dirty

_FILE = "/connector.db"
_NOW = datetime(2026, 11, 25, tzinfo=UTC)
_LONGEST_FUSE = 800  # writes and syncs until the power fails, at most
_CUTS_A_STORE = 10  # cuts that one store has to live through
_FINISHES = 0.3  # transactions that are a worker's, of all
_numbers = itertools.count()

_insert = arrivals._insert  # noqa: SLF001 - the very statement is what is tried
_row = arrivals._row  # noqa: SLF001 - as above


@dataclass(slots=True)
class Toll:
    """What so many power cuts did."""

    cuts: int = 0
    acknowledged: int = 0
    missing: int = 0
    """Deliveries, or the verdicts on them, that were said to be durable and are not there."""
    torn: int = 0
    """Transactions of which a part is there, and bodies that are not what was sent."""
    damaged: int = 0
    """How often SQLite found its file inconsistent afterwards."""


def as_it_is(conn: apsw.Connection) -> None:
    """The store's own settings."""
    make_durable(cast("Any", conn), None)


def careless(conn: apsw.Connection) -> None:
    """The store's own settings but one: the fault that the cuts must show."""
    as_it_is(conn)
    conn.execute("PRAGMA synchronous=NORMAL")


def cut_often(
    settings: Callable[[apsw.Connection], None],
    *,
    cuts: int,
    seed: int,
    stop_at_loss: bool = False,
) -> Toll:
    """Cut the power so many times; the same again for the same seed."""
    chance = random.Random(seed)
    toll = Toll()
    empty = _empty_store()
    while toll.cuts < cuts and not (stop_at_loss and toll.missing):
        life = _Life(settings, chance, {_FILE: empty})
        for _ in range(min(_CUTS_A_STORE, cuts - toll.cuts)):
            life.work_until_dark()
            toll.cuts += 1
            life.compare(toll)
            if stop_at_loss and toll.missing:
                break
    return toll


def _empty_store() -> bytes:
    """A file with all tables, as the migrations make it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "connector.db"
        Store.open(f"sqlite:///{file}").close()
        return file.read_bytes()


def _compiled(statement: ClauseElement) -> Compiled:
    return statement.compile(dialect=sqlite.dialect(paramstyle="named"))


def _run(conn: apsw.Connection, statement: Compiled, **given: Any) -> list[Any]:
    """Execute a statement of the store's by this driver; the rows."""
    return conn.execute(statement.string, {**statement.params, **given}).fetchall()


_FINISH = _compiled(inbox._FINISH)  # noqa: SLF001 - the very statement is what is tried
_MARK = _compiled(insert(dirty))
_HELD = _compiled(
    select(deliveries.c.key, deliveries.c.body, deliveries.c.body_sha256, deliveries.c.status)
)
_MARKED = _compiled(select(dirty.c.person))
_WAITING = _compiled(
    select(deliveries.c.id, deliveries.c.key)
    .where(deliveries.c.status == "waiting")
    .order_by(deliveries.c.id)
    .limit(20)
)


@dataclass(slots=True)
class _Life:
    """One store, from its first delivery through its cuts."""

    settings: Callable[[apsw.Connection], None]
    chance: random.Random
    files: dict[str, bytes]
    before: set[bytes] = field(default_factory=set)
    arrived: set[bytes] = field(default_factory=set)
    finished: set[bytes] = field(default_factory=set)
    in_hand: set[bytes] = field(default_factory=set)
    """What was under way when it went dark: all of it may be there, or nothing."""

    def work_until_dark(self) -> None:
        disk = self._disk(self.chance.randint(2, _LONGEST_FUSE))
        try:
            conn = self._open(disk)
            while disk.left is None:
                if self.chance.random() < _FINISHES:
                    self._finish(conn, disk)
                else:
                    self._receive(conn, disk)
        except (PowerCut, apsw.Error):
            # SQLite may say in its own words that the disk is gone.
            if disk.left is None:
                raise
        disk.unregister()
        assert disk.left is not None
        self.files = disk.left

    def _receive(self, conn: apsw.Connection, disk: Disk) -> None:
        group = [self._arrival() for _ in range(self.chance.choice((1, 1, 2, 5, 20)))]
        self.in_hand = {arrival.key for arrival in group}
        values = tuple(itertools.chain.from_iterable(_row(arrival) for arrival in group))
        conn.execute(_insert("sqlite", len(group)), values)
        if disk.left is None:
            self.arrived |= self.in_hand
            self.in_hand = set()

    def _finish(self, conn: apsw.Connection, disk: Disk) -> None:
        """A worker's transaction: the verdicts, and what follows from the deliveries."""
        batch = _run(conn, _WAITING)
        now = to_micros(_NOW)
        rest = dict.fromkeys(("reason", "detail", "mend", "flags", "next_attempt_at"))
        conn.execute("BEGIN IMMEDIATE")
        for number, key in batch:
            verdict = {**rest, "id": number, "status": "applied", "finished_at": now}
            _run(conn, _FINISH, **{f"b_{name}": value for name, value in verdict.items()})
            _run(conn, _MARK, person=key.hex(), mark=1, since=now, delivery_id=number)
        conn.execute("COMMIT")
        if disk.left is None:
            self.finished |= {key for _, key in batch}

    def _arrival(self) -> Arrival:
        body = self.chance.randbytes(self.chance.randint(200, 6000))
        return Arrival(
            shop="wool",
            topic="order.updated",
            key=hashlib.sha256(body).digest(),
            received_at=_NOW,
            headers={},
            body=body,
        )

    def compare(self, toll: Toll) -> None:
        """Open what is left as the next start would, and count what is not as it was said."""
        disk = self._disk(-1)
        try:
            conn = self._open(disk)
            verdict = conn.execute("PRAGMA integrity_check").fetchall()
            rows = _run(conn, _HELD)
            marked = {bytes.fromhex(person) for (person,) in _run(conn, _MARKED)}
            conn.close()
        except apsw.Error:
            toll.damaged += 1
            rows, marked, verdict = [], set(), [("ok",)]
        disk.unregister()
        self.files = {path: bytes(file.seen) for path, file in disk.platters.items()}
        toll.damaged += verdict != [("ok",)]
        keys = {row[0] for row in rows}
        applied = {row[0] for row in rows if row[3] == "applied"}
        toll.acknowledged += len(self.arrived - self.before)
        toll.missing += len(self.arrived - keys) + len(self.finished - applied)
        toll.torn += len(applied ^ marked)
        toll.torn += sum(hashlib.sha256(row[1]).digest() != row[2] for row in rows)
        toll.torn += bool(keys - self.arrived - self.in_hand)
        toll.torn += bool(self.in_hand & keys) and not self.in_hand <= keys
        # The next cut counts from what is there now.
        self.before, self.in_hand = keys, set()
        self.arrived, self.finished = set(keys), applied

    def _disk(self, fuse: int) -> Disk:
        name = f"forgetful-{next(_numbers)}"
        return Disk(name, self.files, fuse=fuse, chance=self.chance)

    def _open(self, disk: Disk) -> apsw.Connection:
        conn = apsw.Connection(_FILE, vfs=disk.name)
        conn.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        # Without shared memory the journal belongs to one connection; it is synced all the same.
        conn.execute("PRAGMA locking_mode=EXCLUSIVE")
        self.settings(conn)
        # Seldom or often carried over from the journal: both must be safe.
        conn.execute(f"PRAGMA wal_autocheckpoint={self.chance.choice((10, 100, 1000, 4000))}")
        return conn


def main(*, cuts: int = 1_000, seed: int | None = None) -> list[Row]:
    """Cut the power, for the store as it is and for one with a known fault."""
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    toll = cut_often(as_it_is, cuts=cuts, seed=seed)
    control = cut_often(careless, cuts=40, seed=seed, stop_at_loss=True)
    return [
        Row(name="power cuts", value=toll.cuts, unit=f"seed {seed}"),
        Row(name="deliveries acknowledged", value=toll.acknowledged),
        Row(name="acknowledged and missing", value=toll.missing, target="0", met=not toll.missing),
        Row(
            name="halves of a transaction, torn bodies",
            value=toll.torn,
            target="0",
            met=not toll.torn,
        ),
        Row(name="damaged files", value=toll.damaged, target="0", met=not toll.damaged),
        Row(
            name="cuts until the careless store (synchronous=NORMAL) was caught",
            value=control.cuts,
            target="<= 40",
            met=bool(control.missing),
        ),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.power", description=__doc__)
    parser.add_argument("--cuts", type=int, default=1_000)
    parser.add_argument("--seed", type=int)
    told = parser.parse_args()
    found = main(cuts=told.cuts, seed=told.seed)
    for row in found:
        print(row.name, row.value, row.unit, row.target, {True: "", None: ""}.get(row.met, "NO"))
    sys.exit(any(row.met is False for row in found))
