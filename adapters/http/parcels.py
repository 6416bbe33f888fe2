"""Puts changes together as the bodies that are posted, none too large for a usual server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from connector import moments
from connector.model import Change, Json, Parked, Permission, Record

MOST_RECORDS = 500
MOST_BYTES = 1_000_000
"""What nginx takes where nobody told it otherwise, with room for the frame of a body.

https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size
"""

CHANGED = "records.changed"
PING = "ping"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change as it is written in a body. ``revision`` tells two equal steps apart."""

    key: str
    revision: int
    text: bytes


def entry_of(change: Change) -> Entry | Parked:
    """A change as it is written, or why it cannot be."""
    try:
        text = msgspec.json.encode(
            {
                "key": change.key,
                "action": _action(change),
                "record": _shown(change.after),
                "before": _shown(change.before),
            }
        )
    except (UnicodeEncodeError, TypeError, ValueError, OverflowError):
        return Parked(
            reason="a value of this record cannot be written as JSON",
            mend="Look at the fields mapped to this destination",
        )
    return Entry(key=change.key, revision=change.revision, text=text)


def pack(entries: Iterable[Entry], most: int) -> Iterator[list[Entry]]:
    """The entries in their order, in parcels of at most ``most`` and `MOST_BYTES`.

    One that is larger by itself goes alone.
    """
    parcel: list[Entry] = []
    size = 0
    for entry in entries:
        if parcel and (len(parcel) >= most or size + len(entry.text) > MOST_BYTES):
            yield parcel
            parcel, size = [], 0
        parcel.append(entry)
        size += len(entry.text) + 1
    if parcel:
        yield parcel


def body_of(kind: str, destination: str, entries: Sequence[Entry], *, now: datetime) -> bytes:
    """The body of one post. ``now`` is when it was put together."""
    head = msgspec.json.encode(
        {"type": kind, "timestamp": moments.to_text(now), "destination": destination}
    )
    listed = b",".join(entry.text for entry in entries)
    return head[:-1] + b',"data":[' + listed + b"]}"


def id_of(destination: str, entries: Sequence[Entry]) -> str:
    """The header ``webhook-id``: the same for the same steps, however often they are posted.

    Who changes there and back and there again makes the same step twice; the revision tells the
    second from a repetition of the first.
    """
    digest = hashlib.sha256(destination.encode())
    for entry in entries:
        digest.update(b"\n%d " % entry.revision + entry.text)
    return f"msg_{digest.hexdigest()[:40]}"


def _action(change: Change) -> str:
    if change.erased:
        return "erase"
    return "remove" if change.after is None else "upsert"


def _shown(record: Record | None) -> Json:
    if record is None:
        return None
    permission: Permission | None = record.permission
    return {
        "email": record.email,
        "permission": permission,
        "fields": record.fields,
        "tags": record.tags,
        "tables": record.tables,
    }
