"""What an edited mapping would change: who gains and loses which segment, tag, field, permission.

Worked out with the very statements that would do it, on tables that stand in for the real ones.
What a destination has not taken yet is left out: it will be sent whatever the mapping says.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from connector.flow import taking, weighing
from connector.flow.rules import Holds, Rules, Target
from connector.flow.wanted import desired
from connector.model import Record
from connector.store import lanes, shadow
from connector.store.connect import Store
from connector.store.kept import record_from
from connector.store.schema import profiles, records

_TOKEN = "mapping:plan"  # noqa: S105 - the name under which a plan is remembered
_COMPARED = (Holds.PEOPLE, Holds.ITEMS)


@dataclass(slots=True)
class _Tally:
    """What changes at one destination, with some keys for each kind of change."""

    examples: int
    compared: int = 0
    waiting: int = 0
    touched: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    keys: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def note(self, kind: str, name: str, key: str) -> None:
        """One change of a kind, and whose."""
        self.counts[kind, name] += 1
        some = self.keys.setdefault((kind, name), [])
        if len(some) < self.examples:
            some.append(key)

    def told(self) -> dict[str, Any]:
        """As JSON: ``counts`` and, if wanted, ``examples`` by kind and name."""
        return {
            "compared": self.compared,
            "waiting": self.waiting,
            "changed": self.touched,
            **_nested(dict(sorted(self.counts.items()))),
            **({"examples": _nested(dict(sorted(self.keys.items())))} if self.examples else {}),
        }


def draw_up(store: Store, rules: Rules, *, now: datetime, examples: int = 0) -> dict[str, Any]:
    """The plan as ``connector plan --json`` prints it; keeps nothing. Raises `StoreUnavailable`."""
    digests = taking.Digests.of(rules)
    with store.read() as conn:
        kept = lanes.get(conn, taking.TAKEN) or {}
    anew = kept.get("profiles") != digests.profiles
    with weighing.as_if_taken(store, rules, now=now, profiles_too=anew) as (conn, weighed):
        told: dict[str, Any] = {
            "mapping": digests.whole,
            "changed": kept.get("whole") != digests.whole,
            "people": weighed.people,
            "segments": {
                shift.segment: {
                    "before": shift.before,
                    "after": shift.after,
                    "gains": shift.gains,
                    "losses": shift.losses,
                    **(_who(conn, shift.segment, examples) if examples else {}),
                }
                for shift in weighed.shifts
            },
            "destinations": {
                target.name: _compare(conn, target, rules, examples).told()
                for target in rules.targets
                if target.holds in _COMPARED
            },
            "confirm": weighed.too_large if kept else [],
        }
    return told


def token_of(told: Mapping[str, Any]) -> str:
    """What a plan comes to, without its examples: another mapping or another state is another."""
    counts = {
        "mapping": told["mapping"],
        "segments": {
            name: {key: each[key] for key in ("before", "after", "gains", "losses")}
            for name, each in told["segments"].items()
        },
        "destinations": {
            name: {key: part for key, part in each.items() if key not in ("examples", "waiting")}
            for name, each in told["destinations"].items()
        },
    }
    return hashlib.sha256(json.dumps(counts, sort_keys=True).encode()).hexdigest()


def remember(store: Store, told: Mapping[str, Any], *, now: datetime) -> None:
    """Keep what the plan came to, so that it can be seen whether anything moved since."""
    with store.write() as conn:
        lanes.put(conn, _TOKEN, {"token": token_of(told), "mapping": told["mapping"]}, now=now)


def remembered(store: Store) -> Mapping[str, str] | None:
    """What the last plan came to: its ``token``, and the digest of its ``mapping``."""
    with store.read() as conn:
        kept: Mapping[str, str] | None = lanes.get(conn, _TOKEN)
    return kept


def confirm(store: Store, told: Mapping[str, Any], *, now: datetime) -> None:
    """Let the worker take this mapping, however large the change."""
    with store.write() as conn:
        lanes.put(conn, taking.CONFIRMED, {"whole": told["mapping"]}, now=now)
        lanes.put(conn, _TOKEN, None, now=now)


def _who(conn: Connection, segment: str, limit: int) -> dict[str, list[str]]:
    came, left = shadow.moved(conn, segment, limit=limit)
    return {"come": list(came), "leave": list(left)}


def _compare(conn: Connection, target: Target, rules: Rules, examples: int) -> _Tally:
    tally = _Tally(examples)
    for batch in weighing.batches(_keys(conn, target)):
        rows = _held(conn, target, batch)
        settled = {key: held for key, (status, held) in rows.items() if status == "settled"}
        tally.waiting += sum(status != "settled" for status, _ in rows.values())
        mine = [key for key in batch if key in settled or key not in rows]
        held = {key: settled.get(key) for key in mine}
        for key, (wanted, _) in desired(conn, mine, held, target, rules).items():
            tally.compared += 1
            found = list(_differences(held[key], wanted))
            tally.touched += bool(found)
            for kind, name in found:
                tally.note(kind, name, key)
    return tally


def _keys(conn: Connection, target: Target) -> Sequence[str]:
    """Whoever has a record there, and for people whoever might get one."""
    with_record = conn.scalars(
        select(records.c.key).where(records.c.destination == target.name)
    ).all()
    if target.holds is not Holds.PEOPLE:
        return sorted(with_record)
    return sorted({*with_record, *conn.scalars(select(profiles.c.person))})


def _held(
    conn: Connection, target: Target, keys: Sequence[str]
) -> dict[str, tuple[str, Record | None]]:
    rows = conn.execute(
        select(records.c.key, records.c.status, records.c.acknowledged).where(
            records.c.destination == target.name, records.c.key.in_(keys)
        )
    )
    return {key: (status, record_from(key, kept)) for key, status, kept in rows}


def _differences(held: Record | None, wanted: Record | None) -> Iterator[tuple[str, str]]:
    """Each thing that changes, by its kind and name."""
    if held is None and wanted is None:
        return
    if held is None or wanted is None:
        yield "records", "come" if held is None else "go"
    before, after = (set(each.tags) if each else set() for each in (held, wanted))
    yield from (("tags gained", tag) for tag in sorted(after - before))
    yield from (("tags lost", tag) for tag in sorted(before - after))
    old, new = (dict(each.fields) if each else {} for each in (held, wanted))
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            kind = "gained" if name not in old else "lost" if name not in new else "changed"
            yield f"fields {kind}", name
    was, will = (each.permission.value if each and each.permission else "none"
                 for each in (held, wanted))  # fmt: skip
    if was != will:
        yield "consent", f"{was} to {will}"
    if held and wanted and dict(held.tables) != dict(wanted.tables):
        yield "tables", "changed"


def _nested(flat: Mapping[tuple[str, str], Any]) -> dict[str, dict[str, Any]]:
    nested: dict[str, dict[str, Any]] = {}
    for (kind, name), value in flat.items():
        nested.setdefault(kind, {})[name] = value
    return nested
