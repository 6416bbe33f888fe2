"""Why somebody is in a segment or not: each clause, the value behind it, and when it will turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from connector.money import to_major
from connector.store.schema import memberships, profile_values, profiles
from mappings.segments.attributes import InColumn, InValues, Kind, find
from mappings.segments.flips import clause_flips
from mappings.segments.sql import clause_conditions, condition
from mappings.segments.syntax import And, Clause, Comparison, Expression, InSegment, Not, Or, Query

Verdict: TypeAlias = bool | None
"""True, false, or ``None`` for unknown: then the person is not in the segment either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One part of the query and what it says of this person.

    ``value`` is what is known, in words, for a single clause; ``flips_at`` when that clause will
    change by itself. ``decisive`` tells whether the whole answer rests on this part.
    """

    text: str
    verdict: Verdict
    decisive: bool
    value: str | None = None
    flips_at: datetime | None = None
    parts: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answer about one person at one moment, the steps to it, and when it changes by itself."""

    query: str
    now: datetime
    zone: ZoneInfo
    verdict: Verdict
    step: Step
    flips_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Asker:
    """One person, asked about one query at any moment. Memberships are taken as they are now."""

    query: Query
    person: str
    conn: Connection
    zone: ZoneInfo
    currency: str

    def at(self, now: datetime, *extra: Any) -> Sequence[Any] | None:
        """The whole verdict, each clause's verdict, then ``extra`` columns; in one SELECT."""
        asked: dict[str, Any] = {"zone": self.zone, "now": now, "currency": self.currency}
        columns = (condition(self.query, **asked), *clause_conditions(self.query, **asked))
        labelled = [column.label(f"c{number}") for number, column in enumerate(columns)]
        row = self.conn.execute(
            select(*labelled, *extra).where(profiles.c.person == self.person)
        ).one_or_none()
        return None if row is None else tuple(row)


def explain(
    query: Query,
    *,
    person: str,
    conn: Connection,
    zone: ZoneInfo,
    now: datetime,
    currency: str,
) -> Explanation:
    """Why ``person`` is in the segment or not.

    Raises `LookupError` when there is no such profile, `NotYetAvailable` as `sql.condition` does.
    """
    asker = _Asker(query, person, conn, zone, currency)
    columns = _columns(query)
    row = asker.at(now, *columns.values())
    if row is None:
        raise LookupError("there is no profile of this person")
    verdicts, values = row[1 : 1 + len(query.clauses)], row[1 + len(query.clauses) :]
    known = dict(zip(columns, values, strict=True)) | _lists(query, person, conn)
    turns = _turns(asker, known, row, now)
    findings = {
        clause: _Finding(verdict, _in_words(clause, known, zone, currency), turn)
        for clause, verdict, turn in zip(query.clauses, verdicts, turns[1:], strict=True)
    }
    return Explanation(
        query=str(query),
        now=now,
        zone=zone,
        verdict=row[0],
        step=_step(query.root, findings, decisive=True),
        flips_at=turns[0],
    )


def lines(explanation: Explanation) -> list[str]:
    """The explanation in plain words, a line for each step; ``<`` marks what decided."""
    head = _HEADS[explanation.verdict]
    if explanation.flips_at is not None:
        head += f" This changes by itself at {_clock(explanation.flips_at, explanation.zone)}."
    return [head, *_step_lines(explanation.step, explanation.zone, 1)]


# --- What is known --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Finding:
    verdict: Verdict
    value: str
    flips_at: datetime | None


def _columns(query: Query) -> dict[str, Any]:
    """The columns of ``profiles`` that the query tests, by attribute."""
    return {
        name: source.column
        for name in sorted(query.attributes)
        if isinstance(source := find(name).source, InColumn)
    }


def _lists(query: Query, person: str, conn: Connection) -> dict[str, Any]:
    """The lists that the query tests by attribute, and since when the person is in a segment."""
    sources = {name: find(name).source for name in query.attributes}
    names = {source.name: name for name, source in sources.items() if isinstance(source, InValues)}
    found: dict[str, Any] = {name: [] for name in names.values()}
    if names:
        for name, value in conn.execute(
            select(profile_values.c.name, profile_values.c.value)
            .where(profile_values.c.person == person, profile_values.c.name.in_(sorted(names)))
            .order_by(profile_values.c.name, profile_values.c.value)
        ):
            found[names[name]].append(value)
    if query.references:
        for segment, since in conn.execute(
            select(memberships.c.segment, memberships.c.since).where(
                memberships.c.person == person,
                memberships.c.segment.in_(sorted(query.references)),
            )
        ):
            found[str(InSegment(segment=segment))] = since
    return found


def _turns(
    asker: _Asker, known: Mapping[str, Any], row: Sequence[Any], now: datetime
) -> list[datetime | None]:
    """When the whole answer and each clause first differ from ``row``: asked at each candidate."""
    candidates = {
        flip
        for clause in asker.query.moving
        if known.get(clause.attribute) is not None
        for flip in clause_flips(clause, known[clause.attribute], zone=asker.zone)
        if flip > now
    }
    turns: list[datetime | None] = [None] * (1 + len(asker.query.clauses))
    for candidate in sorted(candidates):
        then = asker.at(candidate)
        if then is None:  # the profile is gone since
            break
        for index, verdict in enumerate(then):
            if turns[index] is None and verdict != row[index]:
                turns[index] = candidate
    return turns


# --- The steps ------------------------------------------------------------------------------------


def _step(expression: Expression, findings: Mapping[Clause, _Finding], *, decisive: bool) -> Step:
    verdict = _verdict(expression, findings)
    match expression:
        case And(parts):
            text, inner = "all of these", parts
        case Or(parts):
            text, inner = "any of these", parts
        case Not(part):
            return Step(
                text="not",
                verdict=verdict,
                decisive=decisive,
                parts=(_step(part, findings, decisive=decisive),),
            )
        case clause:
            finding = findings[clause]
            return Step(
                text=str(clause),
                verdict=verdict,
                decisive=decisive,
                value=finding.value,
                flips_at=finding.flips_at,
            )
    return Step(
        text=text,
        verdict=verdict,
        decisive=decisive,
        parts=tuple(
            # The parts that say the same as the whole are the ones that made it so.
            _step(part, findings, decisive=decisive and _verdict(part, findings) is verdict)
            for part in inner
        ),
    )


def _verdict(expression: Expression, findings: Mapping[Clause, _Finding]) -> Verdict:
    match expression:
        case And(parts):
            verdicts = [_verdict(part, findings) for part in parts]
            return False if False in verdicts else None if None in verdicts else True
        case Or(parts):
            verdicts = [_verdict(part, findings) for part in parts]
            return True if True in verdicts else None if None in verdicts else False
        case Not(part):
            verdict = _verdict(part, findings)
            return None if verdict is None else not verdict
        case clause:
            return findings[clause].verdict


# --- In words -------------------------------------------------------------------------------------


def _in_words(clause: Clause, known: Mapping[str, Any], zone: ZoneInfo, currency: str) -> str:
    match clause:
        case InSegment():
            since = known.get(str(clause))
            return f"a member since {_clock(since, zone)}" if since else "not a member"
        case Comparison(attribute=name):
            value = known[name]
            kind = find(name).kind
            if value is None or value == []:
                words = "not known" if value is None or kind is Kind.TEXT else "an empty list"
            elif isinstance(value, datetime):
                words = _clock(value, zone)
            elif kind is Kind.NUMBER:
                words = f"{to_major(value, currency)} {currency}"
            else:
                words = ", ".join(value) if isinstance(value, list) else str(value)
            return f"{name} is {words}"
        case _:
            raise AssertionError  # the condition was refused


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


_HEADS = {
    True: "In the segment.",
    False: "Not in the segment.",
    None: "Not in the segment: something it asks about is not known.",
}
_WORDS = {True: "yes", False: "no", None: "unknown"}


def _step_lines(step: Step, zone: ZoneInfo, depth: int) -> Iterator[str]:
    parts = [f"{'  ' * depth}{_WORDS[step.verdict]}: {step.text}"]
    if step.value is not None:
        parts.append(f"({step.value})")
    if step.flips_at is not None:
        parts.append(f"until {_clock(step.flips_at, zone)}")
    if step.decisive:
        parts.append("<")
    yield " ".join(parts)
    for part in step.parts:
        yield from _step_lines(part, zone, depth + 1)
