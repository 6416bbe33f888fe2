"""What of two houses one knows and the other does not: thing by thing, and for how long it was so.

Both stores are read by SQLite itself, which compares thousands of rows in milliseconds; how and
when something became known is left out, as in `benchmarks.end_state`.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self, TypeAlias

from sqlalchemy import Table

from benchmarks.end_state import State, differences, end_state
from benchmarks.household import Household
from connector.store import schema

Thing: TypeAlias = tuple[str, ...]
"""A table, and what tells its row from others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """A table: what tells its rows apart, whose they are, and what says only how they came."""

    table: Table
    key: Sequence[str]
    whose: str = "NULL"
    left_out: frozenset[str] = frozenset()


_TIE = frozenset({"version_tie"})  # of two bodies that say the same, which was read
_EVIDENCE = frozenset({"evidence_id", "received_at", "delivery_id", "country"})
_TABLES = (
    _Compared(table=schema.orders, key=("order_id",), whose="person", left_out=_TIE),
    _Compared(table=schema.refunds, key=("order_id", "refund_id")),
    _Compared(table=schema.products, key=("product_id",), left_out=_TIE),
    _Compared(table=schema.variants, key=("variant_id",), left_out=_TIE),
    _Compared(table=schema.customers, key=("customer_id",), whose="person", left_out=_TIE),
    _Compared(
        table=schema.evidence,
        key=("contact", "purpose", "claim", "source"),
        whose="contact",
        left_out=_EVIDENCE,
    ),
    _Compared(table=schema.profiles, key=("person",), whose="person"),
    _Compared(
        table=schema.memberships,
        key=("segment", "person"),
        whose="person",
        left_out=frozenset({"since", "delivery_id"}),
    ),
)
_GONE = ("unsubscribed", "archived", "cleaned")
PEOPLE = frozenset({"customers", "evidence", "profiles", "memberships"})
"""The tables that say who people are, rather than what they bought."""


@dataclass(slots=True)
class Gaps:
    """The differences as of the last look, and the longest that each thing ever differed."""

    _raw: sqlite3.Connection
    _queries: Mapping[str, str]
    _since: dict[Thing, datetime] = field(default_factory=dict)
    _looked: datetime | None = None
    most: int = 0
    """So many things differed at once, at most."""
    longest: dict[Thing, timedelta] = field(default_factory=dict)
    whose: dict[Thing, str] = field(default_factory=dict)

    @classmethod
    def between(cls, whole: Household, other: Household) -> Self:
        """Compare two households with stores in files."""
        raw = sqlite3.connect(f"file:{whole.folder}/connector.db?mode=ro", uri=True)
        raw.execute("ATTACH ? AS other", [f"file:{other.folder}/connector.db?mode=ro"])
        return cls(raw, {each.table.name: _query(each) for each in _TABLES})

    def look(self, now: datetime) -> None:
        """Compare. What differs now may have done so since just after the last look."""
        begun = self._looked or now
        differing = set(self._differing())
        for thing in self._since.keys() - differing:
            self._end(thing, now)
            del self._since[thing]
        for thing in differing - self._since.keys():
            self._since[thing] = begun
        self._looked = now
        self.most = max(self.most, len(differing))

    def open(self, now: datetime) -> Collection[Thing]:
        """What differs as of the last look; it counts as differing until now."""
        for thing in self._since:
            self._end(thing, now)
        return frozenset(self._since)

    def people_of(self, accounts: Collection[str]) -> Iterator[str]:
        """Whose these accounts are in either house."""
        for place in ("main", "other"):
            rows = self._raw.execute(f"SELECT customer_id, person FROM {place}.customers")  # noqa: S608 - our own two names
            yield from (person for account, person in rows if account in accounts)

    def close(self) -> None:
        """Let go of both stores."""
        self._raw.close()

    def _end(self, thing: Thing, now: datetime) -> None:
        span = now - self._since[thing]
        self.longest[thing] = max(span, self.longest.get(thing, span))

    def _differing(self) -> Iterator[Thing]:
        for table, query in self._queries.items():
            with closing(self._raw.execute(query)) as rows:
                for *key, whose in rows:
                    thing = (table, *map(str, key))
                    self.whose[thing] = str(whose)
                    yield thing


def compare(one: Household, other: Household) -> list[str]:
    """Everything in which what two households know, and what their audiences hold, differs."""
    mine, theirs = _mailable(one), _mailable(other)
    audience = [
        f"audience {email}"
        for email in sorted(mine.keys() | theirs.keys())
        if mine.get(email) != theirs.get(email)
    ]
    return [*differences(_state(one), _state(other)), *audience]


def _mailable(house: Household) -> Mapping[str, Mapping[str, object]]:
    """Who may be mailed, or is asked, with fields and tags.

    Whoever took that back is absent if that was known before they were ever sent, else held with
    the fields of the day: which of the two, and of which day, is no difference.
    """
    return {
        email: {name: held[name] for name in ("status", "fields", "tags")}
        for email, held in house.audience.members().items()
        if held["status"] not in _GONE
    }


def _state(house: Household) -> State:
    """What is so, without which of two bodies that say the same was read.

    A webhook about a permission names no country, and what the shop shows of it does.
    """
    state = {
        table: [re.sub(r',?"version_tie":\d+', "", row) for row in rows]
        for table, rows in end_state(house.store).items()
    }
    state["evidence"] = [re.sub(r'"country":[^,]+,', "", row) for row in state["evidence"]]
    return {table: sorted(rows) for table, rows in state.items()}


def _query(compared: _Compared) -> str:
    columns = [column.name for column in compared.table.c if column.name not in compared.left_out]
    if "deleted" in columns:  # dated by the delivery that told of it, or by the pass that saw it
        columns.remove("version_at")
        columns.append("iif(deleted, NULL, version_at)")
    name, told, keys = compared.table.name, ", ".join(columns), ", ".join(compared.key)
    sides = [f"{place}.{name}" for place in ("main", "other")]
    either = " UNION ALL ".join(
        f"SELECT * FROM (SELECT {told} FROM {mine} EXCEPT SELECT {told} FROM {theirs})"  # noqa: S608 - names of our own schema
        for mine, theirs in (sides, reversed(sides))
    )
    return f"SELECT DISTINCT {keys}, {compared.whose} FROM ({either})"  # noqa: S608 - likewise
