"""What was last seen of each shop's webhooks, and when a shop was heard."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, delete, func, select, type_coerce

from connector import moments
from connector.store import inbox, lanes
from connector.store.put_aside import was_delivered
from connector.store.schema import cursors, deliveries

_PREFIX = "watch:"
_STATUSES = ("waiting", "applied", "unchanged", "ignored", "quarantined")


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """One thing about a topic's webhook: what is not right, what was ``done``, what ``who`` does.

    ``done`` is empty where nothing was; ``mend`` where nobody has to act. An ``alarm`` is one that
    a person has to mend before anything else.
    """

    topic: str
    what: str
    done: str = ""
    mend: str = ""
    who: str = ""
    alarm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A mending that a platform refused: when, what was to be mended, why, and who mends that."""

    at: datetime
    flaws: tuple[str, ...]
    reason: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the last look saw. ``ok`` when nothing was left undone; ``where`` is ``shops.wool``.

    ``fine_at`` is when a look last found nothing to mend; ``revived`` are the moments at which a
    topic's webhook was put back lately, ``unproven`` since when one is not yet seen to hold;
    ``left`` are the topics that are not mended any more until a person has.
    """

    checked_at: datetime
    where: str
    ok: bool = True
    findings: tuple[Noticed, ...] = ()
    silent_since: datetime | None = None
    fine_at: datetime | None = None
    revived: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    unproven: Mapping[str, datetime] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    refused: Refused | None = None


def read(conn: Connection, name: str) -> Seen | None:
    """What was last seen of a shop or destination, if anybody ever looked."""
    kept = lanes.get(conn, f"{_PREFIX}{name}")
    return _opened(kept) if kept else None


def write(conn: Connection, name: str, seen: Seen, *, now: datetime) -> None:
    """Keep what was seen."""
    lanes.put(conn, f"{_PREFIX}{name}", _kept(seen), now=now)


def everything(conn: Connection) -> dict[str, Seen]:
    """What was last seen of everybody."""
    query = (
        select(cursors.c.name, cursors.c.value)
        .where(cursors.c.name.startswith(_PREFIX, autoescape=True))
        .order_by(cursors.c.name)
    )
    return {
        row.name.removeprefix(_PREFIX): _opened(row.value)
        for row in conn.execute(query)
        if row.value
    }


def forget_others(conn: Connection, names: Collection[str]) -> None:
    """Forget what was seen of shops and destinations that are watched no more."""
    gone = [f"{_PREFIX}{name}" for name in everything(conn) if name not in names]
    conn.execute(delete(cursors).where(cursors.c.name.in_(gone)))


def was_set_up(conn: Connection, name: str) -> bool:
    """Whether webhooks were ever registered from here."""
    return bool(lanes.get(conn, f"webhooks:{name}"))


def told(seen: Seen) -> dict[str, Any]:
    """As ``connector status --json`` shows it."""
    return {
        "checked_at": moments.to_text(seen.checked_at),
        "ok": seen.ok,
        "findings": [
            {"topic": each.topic, "what": each.what, "done": each.done, "mend": each.mend}
            for each in seen.findings
        ],
        "silent_since": moments.to_text(seen.silent_since) if seen.silent_since else None,
    }


def last_heard(conn: Connection, shop: str) -> datetime | None:
    """When a shop last delivered."""
    return inbox.last_heard(conn, shop)


def heard(
    conn: Connection, shop: str, *, since: datetime, stretch: timedelta
) -> tuple[int, Sequence[datetime]]:
    """How many deliveries came since a moment, and the beginnings of the stretches they came in."""
    length = stretch // timedelta(microseconds=1)
    number = (type_coerce(deliveries.c.received_at, BigInteger) // length).label("stretch")
    rows = conn.execute(
        select(number, func.count().label("came"))
        .where(
            deliveries.c.shop == shop,
            deliveries.c.status.in_(_STATUSES),
            deliveries.c.received_at >= since,
            was_delivered(),
        )
        .group_by(number)
    ).all()
    return sum(row.came for row in rows), [
        moments.from_micros(row.stretch * length) for row in rows
    ]


def came_since(conn: Connection, shop: str, topic: str, since: datetime) -> bool:
    """Whether a delivery for a topic came after a moment."""
    query = select(deliveries.c.id).where(
        deliveries.c.shop == shop,
        deliveries.c.status.in_(_STATUSES),
        deliveries.c.received_at > since,
        deliveries.c.topic == topic,
        was_delivered(),
    )
    return conn.scalar(query.limit(1)) is not None


def _kept(seen: Seen) -> dict[str, Any]:
    refused = seen.refused
    return {
        "checked_at": seen.checked_at.isoformat(),
        "where": seen.where,
        "ok": seen.ok,
        "findings": [asdict(each) for each in seen.findings],
        "silent_since": _text(seen.silent_since),
        "fine_at": _text(seen.fine_at),
        "revived": {
            topic: [each.isoformat() for each in times] for topic, times in seen.revived.items()
        },
        "unproven": {topic: since.isoformat() for topic, since in seen.unproven.items()},
        "left": list(seen.left),
        "refused": refused and {**asdict(refused), "at": refused.at.isoformat()},
    }


def _opened(kept: Mapping[str, Any]) -> Seen:
    refused = kept["refused"]
    return Seen(
        checked_at=_moment(kept["checked_at"]),
        where=kept["where"],
        ok=kept["ok"],
        findings=tuple(Noticed(**each) for each in kept["findings"]),
        silent_since=moments.parse_utc(kept["silent_since"]),
        fine_at=moments.parse_utc(kept["fine_at"]),
        revived={
            topic: tuple(_moment(each) for each in times)
            for topic, times in kept["revived"].items()
        },
        unproven={topic: _moment(since) for topic, since in kept["unproven"].items()},
        left=tuple(kept["left"]),
        refused=refused
        and replace(
            Refused(**{**refused, "flaws": tuple(refused["flaws"])}), at=_moment(refused["at"])
        ),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
