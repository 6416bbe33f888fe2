"""How far the store agrees with each shop: what was compared, what differed, what was repaired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from connector import moments
from connector.model import Kind
from connector.store import lanes
from connector.store.schema import cursors
from connector.store.sql import insert_missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One kind of thing, since the last whole pass began.

    ``compared`` things are known; of these the shop had ``changed`` and ``gone`` ones of which no
    webhook had told, and ``missing`` ones beside them. ``repaired`` of all these are mended.
    ``unread`` the shop shows too, and they are no facts: staff, drafts, what was not understood, or
    a past that was never read. ``held_back`` are so many gone at once that it is not believed.
    """

    compared: int = 0
    missing: int = 0
    gone: int = 0
    changed: int = 0
    repaired: int = 0
    unread: int = 0
    held_back: int = 0

    @property
    def differed(self) -> int:
        """How many were not as the shop has them."""
        return self.missing + self.gone + self.changed + self.held_back


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """All kinds of one shop, as of ``at``. ``repaired`` counts from the beginning of time.

    ``first`` is when reconciling was first thought of, ``began`` when the last pass began and
    ``whole`` when the last whole one did; ``behind`` is for how many seconds the shop's clock was
    behind ours.
    """

    at: datetime | None = None
    first: datetime | None = None
    began: datetime | None = None
    whole: datetime | None = None
    behind: float = 0.0
    repaired: int = 0
    repaired_at: datetime | None = None
    kinds: Mapping[Kind, Compared] = field(default_factory=dict)

    def of(self, kind: Kind) -> Compared:
        """What is known of one kind."""
        return self.kinds.get(kind, Compared())

    def having(self, kind: Kind, compared: Compared) -> Agreement:
        """The same with another kind of thing in it."""
        return replace(self, kinds={**self.kinds, kind: compared})


def read(conn: Connection, shop: str, *, locked: bool = False) -> Agreement:
    """How far it goes; ``locked``, nobody else changes it until the transaction ends."""
    if not locked:
        return _opened(lanes.get(conn, _cursor(shop)))
    conn.execute(
        insert_missing(conn, cursors),
        [{"name": _cursor(shop), "value": None, "updated_at": moments.EPOCH}],
    )
    query = select(cursors.c.value).where(cursors.c.name == _cursor(shop)).with_for_update()
    return _opened(conn.scalar(query))


def everything(conn: Connection) -> dict[str, Agreement]:
    """That of every shop that has any."""
    query = (
        select(cursors.c.name, cursors.c.value)
        .where(cursors.c.name.startswith(_PREFIX, autoescape=True))
        .order_by(cursors.c.name)
    )
    return {row.name.removeprefix(_PREFIX): _opened(row.value) for row in conn.execute(query)}


def write(conn: Connection, shop: str, agreement: Agreement, *, now: datetime) -> None:
    """Keep it."""
    told = {
        **asdict(agreement),
        **{name: _text(getattr(agreement, name)) for name in _MOMENTS},
        "kinds": {kind.value: asdict(each) for kind, each in agreement.kinds.items()},
    }
    lanes.put(conn, _cursor(shop), told, now=now)


def told(agreement: Agreement) -> dict[str, Any] | None:
    """As ``connector status --json`` shows it; ``None`` before the first pass has ended."""
    if agreement.at is None:
        return None
    kinds = agreement.kinds.values()
    compared = sum(each.compared for each in kinds)
    differed = sum(each.differed for each in kinds)
    missing = sum(each.missing for each in kinds)  # not yet known when the others were counted
    both = compared + missing
    return {
        "at": moments.to_text(agreement.at),
        "whole_pass_at": _shown(agreement.whole),
        "compared": compared,
        "differed": differed,
        "repaired": sum(each.repaired for each in kinds),
        "ratio": max(0.0, 1 - differed / both) if both else 1.0,
        "repaired_by_reconcile": agreement.repaired,
        "last_repaired_at": _shown(agreement.repaired_at),
        "kinds": {kind.value: asdict(each) for kind, each in agreement.kinds.items()},
    }


_PREFIX = "agreement:"
_MOMENTS = ("at", "first", "began", "whole", "repaired_at")


def _opened(kept: Any) -> Agreement:
    if not kept:
        return Agreement()
    return Agreement(
        **{name: moments.parse_utc(kept[name]) for name in _MOMENTS},
        behind=kept["behind"],
        repaired=kept["repaired"],
        kinds={Kind(name): Compared(**each) for name, each in kept["kinds"].items()},
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _shown(moment: datetime | None) -> str | None:
    return None if moment is None else moments.to_text(moment)


def _cursor(shop: str) -> str:
    return f"{_PREFIX}{shop}"
