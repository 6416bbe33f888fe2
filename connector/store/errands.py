"""How far the readings of shops' pasts have come: one row for each shop, errand and kind of thing.

An errand is carried out by whoever gets to it: rows say what is wanted and where to go on, nothing
is kept in a process that would be missing after its death.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, select, text, update

from connector.errors import ConnectorError
from connector.model import Kind
from connector.moments import to_text
from connector.store.connect import Store
from connector.store.schema import errands
from connector.store.sql import insert_missing

BACKFILL = "backfill"
"""Everything a shop has, once."""
RECONCILE = "reconcile"
"""What changed in a shop since the last time, in case a webhook was lost."""
REREAD = "reread"
"""Everything of a kind once more, where nothing less shows what changed or is missing."""
SWEEP = "sweep"
"""Every id that a shop shows, compared with those that are known."""
BELIEVED = "believed"
"""The cursor of a sweep whose findings a person believes beforehand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """A row: what is read of which shop, how far it has come, and what became of what was read.

    ``read`` is the sum of the four counts after it. ``problem`` is what is in the way now; with
    a ``mend`` a person has to act first.
    """

    shop: str
    errand: str
    kind: Kind
    since: datetime | None
    cursor: str | None
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    total: int | None
    read: int
    applied: int
    unchanged: int
    ignored: int
    quarantined: int
    problem: str | None
    mend: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many things were read in one go, and what became of them.

    ``missed`` are those of the applied that were no news in the shop: no webhook had told of them.
    """

    applied: int = 0
    unchanged: int = 0
    ignored: int = 0
    quarantined: int = 0
    missed: int = 0

    @property
    def read(self) -> int:
        """All of them."""
        return self.applied + self.unchanged + self.ignored + self.quarantined


def begin(
    conn: Connection,
    shop: str,
    errand: str,
    kinds: Sequence[Kind],
    *,
    since: datetime | None,
    now: datetime,
    restart: bool = False,
) -> bool:
    """Ask for an errand, or take up one that was not finished. True if it had begun before.

    One that was finished begins anew, and so does any with ``restart``. Raises `ConnectorError` if
    it is under way with another ``since``.
    """
    known = {row.kind: row for row in of_shop(conn, shop, errand) if row.kind in kinds}
    under_way = [row for row in known.values() if row.finished_at is None]
    if under_way and not restart:
        for row in under_way:
            if since not in (None, row.since):
                raise ConnectorError(
                    f"A {errand} of {shop} {_since(row.since)} is not finished. Go on with it by "
                    "leaving --since out, or begin anew with --restart."
                )
        since = under_way[0].since
        stale = [kind for kind in kinds if kind not in known]
        _write(conn, shop, errand, stale, since=since, now=now)
        conn.execute(
            update(errands).where(_of(shop, errand)).values(problem=None, mend=None),
        )
        return True
    conn.execute(delete(errands).where(_of(shop, errand), errands.c.kind.in_(kinds)))
    _write(conn, shop, errand, kinds, since=since, now=now)
    return False


def _write(
    conn: Connection,
    shop: str,
    errand: str,
    kinds: Sequence[Kind],
    *,
    since: datetime | None,
    now: datetime,
) -> None:
    if kinds:
        conn.execute(
            insert_missing(conn, errands),
            [
                {
                    "shop": shop,
                    "errand": errand,
                    "kind": kind.value,
                    "since": since,
                    "started_at": now,
                    "updated_at": now,
                }
                for kind in kinds
            ],
        )


def of_shop(conn: Connection, shop: str, errand: str) -> list[Errand]:
    """The rows of one errand to a shop."""
    return [row for row in everything(conn) if (row.shop, row.errand) == (shop, errand)]


def everything(conn: Connection) -> list[Errand]:
    """Every row there is."""
    query = select(errands).order_by(errands.c.shop, errands.c.errand, errands.c.kind)
    return [Errand(**{**row, "kind": Kind(row["kind"])}) for row in conn.execute(query).mappings()]


def read_whole(conn: Connection, shop: str) -> set[Kind]:
    """The kinds of which all that a shop has was read once, so that none should be missing."""
    return {
        row.kind
        for row in of_shop(conn, shop, BACKFILL)
        if row.finished_at is not None and row.since is None
    }


def believe(conn: Connection, shop: str, errand: str) -> None:
    """What an errand that is under way finds gone is gone, however much it is: a person said so."""
    conn.execute(
        update(errands)
        .where(_of(shop, errand), errands.c.finished_at.is_(None))
        .values(cursor=BELIEVED)
    )


def unfinished(conn: Connection) -> list[Errand]:
    """What is still to be read."""
    return [row for row in everything(conn) if row.finished_at is None]


def advance(
    conn: Connection,
    row: Errand,
    counted: Counted,
    *,
    cursor: str | None,
    total: int | None,
    now: datetime,
    finished: bool,
) -> Errand | None:
    """Write how far it has come. ``None`` if somebody else went on with it since ``row`` was read.

    Whoever gets ``None`` must undo its transaction: what it read is in the other's counts.
    """
    after = replace(
        row,
        cursor=cursor,
        total=row.total if total is None else total,
        read=row.read + counted.read,
        applied=row.applied + counted.applied,
        unchanged=row.unchanged + counted.unchanged,
        ignored=row.ignored + counted.ignored,
        quarantined=row.quarantined + counted.quarantined,
        updated_at=now,
        finished_at=now if finished else None,
        problem=None,
        mend=None,
    )
    done = conn.execute(
        update(errands)
        .where(
            _of(row.shop, row.errand),
            errands.c.kind == row.kind.value,
            errands.c.started_at == row.started_at,
            errands.c.finished_at.is_(None),
            errands.c.read == row.read,
            errands.c.cursor.is_not_distinct_from(row.cursor),
        )
        .values({name: getattr(after, name) for name in _ADVANCING})
    )
    return after if done.rowcount == 1 else None


def note_problem(conn: Connection, row: Errand, problem: str, mend: str | None) -> None:
    """Keep what is in the way, for whoever watches."""
    conn.execute(
        update(errands)
        .where(_of(row.shop, row.errand), errands.c.kind == row.kind.value)
        .values(problem=problem, mend=mend)
    )


def forget_problems(conn: Connection, shop: str) -> None:
    """It is tried once more: whatever was in the way may be mended."""
    conn.execute(update(errands).where(errands.c.shop == shop).values(problem=None, mend=None))


@contextmanager
def alone(store: Store, shop: str, errand: str) -> Iterator[bool]:
    """Whether nobody else carries this errand out; on PostgreSQL nobody will until the end.

    Two that do it all the same do each other no harm (`advance`): they only ask the shop twice.
    """
    if store.dialect != "postgresql":
        yield True  # there is one worker
        return
    name = hashlib.blake2b(f"{errand}/{shop}".encode(), digest_size=8).digest()
    key = {"key": int.from_bytes(name, signed=True)}
    with store.engine.connect() as conn:
        mine = bool(conn.scalar(text("SELECT pg_try_advisory_lock(:key)"), key))
        conn.commit()
        try:
            yield mine
        finally:
            if mine:
                conn.execute(text("SELECT pg_advisory_unlock(:key)"), key)
                conn.commit()


def _of(shop: str, errand: str) -> ColumnElement[bool]:
    return and_(errands.c.shop == shop, errands.c.errand == errand)


def _since(since: datetime | None) -> str:
    return "of everything" if since is None else f"since {to_text(since)}"


_ADVANCING = (
    "cursor", "total", "read", "applied", "unchanged", "ignored", "quarantined", "updated_at",
    "finished_at", "problem", "mend",
)  # fmt: skip
