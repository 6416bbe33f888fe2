"""From a change of ours to the rows that Meta's audiences take, and back to what became of it.

A record's ``fields`` are digests by the names of `connector.match_keys`, and with ``value`` what
the person is worth, as decimal text. Its tags are the audiences it is in.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from connector import match_keys
from connector.doubts import versions
from connector.identity import normal_email
from connector.match_keys import DIGEST
from connector.model import Change, Outcome, Parked, Permission, Record, Settled

Ids: TypeAlias = Mapping[str, str]
"""Digests by their names; only those there are."""

COLUMNS: Mapping[str, str] = {
    "email": "EMAIL",
    "phone": "PHONE",
    "first_name": "FN",
    "last_name": "LN",
    "city": "CT",
    "postcode": "ZIP",
    "country": "COUNTRY",
}
"""Meta's names of what people are known by, in the order in which they are sent.

https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences#hash
"""
VALUE = "LOOKALIKE_VALUE"
OWN = ("email", "phone")
"""What one person has to themselves: the rest only helps to tell two apart."""
_VALUE_FIELD = "value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One person on the way to or from an audience. ``key`` says whose record it is."""

    key: str
    ids: Ids
    value: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a change asks for: out of audiences first, then into them; or forgotten everywhere."""

    key: str
    leaves: Sequence[tuple[str, Row]] = ()
    joins: Sequence[tuple[str, Row]] = ()
    forgets: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class _Held:
    """What a record says that is held: nothing of a person who does not allow it.

    ``versions`` are the digests that may be held, more than one when an answer was lost; ``ids``
    the newest of them.
    """

    audiences: frozenset[str]
    versions: Sequence[Ids]
    value: str | None

    @property
    def ids(self) -> Ids:
        return self.versions[-1]


def plan(change: Change, valued: Collection[str]) -> Plan | Outcome:
    """The rows for a change; or the outcome when there is nothing to send.

    ``valued`` are the audiences that want each person's value.
    """
    key = change.key
    before, after = _held(change.before), _held(change.after)
    if change.erased:
        rows = _everything(change, before)
        return Plan(key=key, forgets=rows) if rows else Settled()
    if after.audiences and (fault := _fault(after, valued)):
        return fault
    leaves = [
        (name, Row(key=key, ids=ids))
        for name in before.audiences - after.audiences
        for ids in before.versions
    ]
    staying = before.audiences & after.audiences
    leaves += [
        (name, Row(key=key, ids=gone))
        for ids in before.versions
        if (gone := _lost(ids, after.ids))
        for name in staying
    ]
    joins = [
        (name, Row(key=key, ids=after.ids, value=_value(after, name, valued)))
        for name in after.audiences
        if name not in staying
        or any(ids != after.ids for ids in before.versions)
        or (name in valued and before.value != after.value)
    ]
    if not leaves and not joins:
        return Settled()
    return Plan(key=key, leaves=_sorted(leaves), joins=_sorted(joins))


def schema_of(rows: Collection[Row], *, valued: bool = False) -> tuple[str, ...]:
    """The columns of a call: those that anybody in it has."""
    used = [column for name, column in COLUMNS.items() if any(name in row.ids for row in rows)]
    return (*used, VALUE) if valued else tuple(used)


def cells(row: Row, schema: Sequence[str]) -> list[Any]:
    """A row under a schema. What is not known is the empty text."""
    known = {COLUMNS[name]: told for name, told in row.ids.items()}
    return [
        (row.value or Decimal(0)) if column == VALUE else known.get(column, "") for column in schema
    ]


def _held(record: Record | None) -> _Held:
    if record is None or record.permission is not Permission.SEND:
        return _Held(frozenset(), ({},), None)
    value = record.fields.get(_VALUE_FIELD)
    told = [
        {name: str(each[name]) for name in COLUMNS if each.get(name)}
        for each in versions(record.fields)
    ]
    return _Held(
        frozenset(record.tags),
        [ids for at, ids in enumerate(told) if ids not in told[:at]],
        value if isinstance(value, str) else None,
    )


def _fault(after: _Held, valued: Collection[str]) -> Parked | None:
    """Why a record cannot go, found before anything of it is sent: a clear name never leaves."""
    if not all(DIGEST.fullmatch(told) for told in after.ids.values()):
        return Parked(
            reason="not_hashed", mend="Report it: a record for Meta must hold digests alone."
        )
    if not any(name in after.ids for name in OWN):
        return Parked(
            reason="no_identifier",
            mend="Meta needs an e-mail address or a phone number: give the customer one.",
        )
    wants = after.audiences & frozenset(valued)
    if wants and _amount(after.value) is None:
        return Parked(
            reason="no_value",
            mend="Report it: the audience wants what each person spent, and it is not told.",
        )
    return None


def _lost(old: Ids, new: Ids) -> Ids:
    """What was a person's own, and is no more: it may be somebody else's by now."""
    return {name: old[name] for name in OWN if name in old and old[name] != new.get(name)}


def _amount(text: str | None) -> Decimal | None:
    try:
        amount = Decimal(text or "")
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def _value(after: _Held, name: str, valued: Collection[str]) -> Decimal | None:
    return _amount(after.value) if name in valued else None


def _everything(change: Change, before: _Held) -> list[Row]:
    """All that an erased person may be known by: what was sent, and the address itself."""
    rows = [Row(key=change.key, ids=ids) for ids in before.versions if ids]
    address = normal_email(change.key)
    digest = match_keys.digest(match_keys.email, address)
    if digest and all(ids.get("email") != digest for ids in before.versions):
        rows.append(Row(key=change.key, ids={"email": digest}))
    return rows


def _sorted(rows: Sequence[tuple[str, Row]]) -> tuple[tuple[str, Row], ...]:
    return tuple(sorted(rows, key=lambda each: each[0]))
