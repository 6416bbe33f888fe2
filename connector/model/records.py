"""What a destination should hold, the step there, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import TypeAlias

from connector.model.permissions import Evidence, Permission
from connector.model.statements import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What one destination should hold, or holds, about one person or one thing.

    ``fields`` are destination field names with JSON values, ``tags`` only ours, ``tables`` rows
    by table name for destinations that keep tables. A thing that is for sale is nobody: its key is
    ``shop/variant``, it has no ``email``, and ``permission`` is ``None``. What was sold and what
    could be has the keys of `mappings.sales`. ``doubts`` are those of the ``tags`` that a
    destination was sent, or should have let go, and never answered for.
    """

    key: str
    email: str | None
    permission: Permission | None
    fields: Mapping[str, Json] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    tables: Mapping[str, tuple[Mapping[str, Json], ...]] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The step from what a destination last acknowledged to what it should hold.

    ``before`` is ``None`` for what it never acknowledged, ``after`` is ``None`` for what it should
    no longer hold. ``granted_at`` is the newest first-hand grant behind a person's permission.
    ``removed_at`` is when it took our removal, of what it held before and does not since.
    ``erased``: the person is to be forgotten for good, whatever it holds of them (``after`` is
    ``None``; ``before`` too, where it may hold somebody whom it never acknowledged).
    ``revision`` is the same when a step is tried again, and another when it is taken anew.
    """

    key: str
    before: Record | None
    after: Record | None
    granted_at: datetime | None = None
    removed_at: datetime | None = None
    erased: bool = False
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The destination took the change. ``evidence`` is what its answer told about permissions."""

    evidence: tuple[Evidence, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """The destination refuses this record for good: a person must look. ``evidence`` as above."""

    reason: str
    mend: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """This record was not taken this time; ``retry_after`` in seconds when the answer named one.

    ``sent``: or it was, but whether it is taken will be known only later.
    """

    reason: str
    retry_after: float | None = None
    sent: bool = False


Outcome: TypeAlias = Settled | Parked | Postponed


class Lane(IntEnum):
    """The order in which due records are sent: permission taken away goes before all else."""

    WITHDRAWAL = 0
    NORMAL = 1
    RESTING = 2  # what rests on other records of the destination: an order on its products
