"""What would follow: the same statements on tables that stand in for the real ones, then nothing.

A temporary table goes before the real one of the same name, on one connection. So whatever would
work out who is in which segment works it out there, and a rollback leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Column, Connection, MetaData, Table, Text, func, select, update

from connector.store.connect import Store
from connector.store.schema import Moment, memberships, profile_values, profiles

_was_in = Table(
    "was_in", MetaData(), Column("segment", Text), Column("person", Text), Column("since", Moment)
)
_UNIQUE = {"memberships": "segment, person", "profiles": "person"}
_SOUGHT = {"memberships": "person", "profile_values": "person, name"}


@contextmanager
def shadow(store: Store, *, profiles_too: bool) -> Iterator[Connection]:
    """A connection on which memberships, and if wanted profiles, are empty tables of its own."""
    with store.engine.connect() as conn:
        conn.begin()
        try:
            if store.dialect == "sqlite":
                conn.exec_driver_sql("BEGIN")
            conn.exec_driver_sql(
                "CREATE TEMPORARY TABLE was_in AS SELECT segment, person, since FROM memberships"
            )
            conn.exec_driver_sql(
                "CREATE INDEX was_in_found ON was_in (segment, person)"
                if store.dialect == "postgresql"
                else "CREATE INDEX temp.was_in_found ON was_in (segment, person)"
            )
            for table in (memberships, *((profiles, profile_values) if profiles_too else ())):
                _stand_in(conn, table.name)
            yield conn
        finally:
            conn.rollback()


def _stand_in(conn: Connection, name: str) -> None:
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"CREATE TEMPORARY TABLE {name} (LIKE {name} INCLUDING ALL)")
        return
    conn.exec_driver_sql(f"CREATE TEMPORARY TABLE {name} AS SELECT * FROM main.{name} WHERE 0")  # noqa: S608 - names of ours
    if name in _UNIQUE:
        conn.exec_driver_sql(f"CREATE UNIQUE INDEX temp.{name}_one ON {name} ({_UNIQUE[name]})")
    if name in _SOUGHT:
        conn.exec_driver_sql(f"CREATE INDEX temp.{name}_found ON {name} ({_SOUGHT[name]})")


def everybody(store: Store) -> list[str]:
    """Everybody who has a profile."""
    with store.read() as conn:
        return list(conn.scalars(select(profiles.c.person).order_by(profiles.c.person)))


def keep_since(conn: Connection) -> None:
    """Who stayed in a segment has been in it since they came."""
    same = (_was_in.c.segment == memberships.c.segment) & (_was_in.c.person == memberships.c.person)
    since = select(_was_in.c.since).where(same).scalar_subquery()
    conn.execute(
        update(memberships).where(select(_was_in.c.person).where(same).exists()).values(since=since)
    )


def sizes(conn: Connection) -> dict[str, tuple[int, int, int]]:
    """For each segment how many were in it, are in it now, and of these were in it before."""
    before, after = (_count(conn, table) for table in (_was_in, memberships))
    stayed: dict[str, int] = dict(
        conn.execute(
            select(memberships.c.segment, func.count())
            .join(
                _was_in,
                (_was_in.c.segment == memberships.c.segment)
                & (_was_in.c.person == memberships.c.person),
            )
            .group_by(memberships.c.segment)
        ).all()
    )
    return {
        name: (before.get(name, 0), after.get(name, 0), stayed.get(name, 0))
        for name in sorted({*before, *after})
    }


def moved(conn: Connection, segment: str, *, limit: int) -> tuple[Sequence[str], Sequence[str]]:
    """Some of those who came into a segment, and some of those who left it."""
    was = select(_was_in.c.person).where(_was_in.c.segment == segment)
    now = select(memberships.c.person).where(memberships.c.segment == segment)
    came, left = (
        conn.scalars(these.except_(those).order_by("person").limit(limit)).all()
        for these, those in ((now, was), (was, now))
    )
    return came, left


def _count(conn: Connection, table: Table) -> dict[str, int]:
    rows = conn.execute(select(table.c.segment, func.count()).group_by(table.c.segment))
    return {segment: number for segment, number in rows}  # noqa: C416 - rows are no plain tuples
