"""A record as it is kept: what a destination holds, as JSON without its key."""

from __future__ import annotations

from typing import Any

import msgspec

from connector.model import Permission, Record


def record_json(record: Record | None) -> Any:
    """A record as kept: what a destination holds, without its key."""
    if record is None:
        return None
    content = msgspec.to_builtins(record)
    del content["key"]
    if not record.doubts:
        del content["doubts"]
    return content


def record_from(key: str, kept: Any) -> Record | None:
    """The record that was kept under a key."""
    if kept is None:
        return None
    return Record(
        key=key,
        email=kept["email"],
        permission=Permission(kept["permission"]) if kept["permission"] else None,
        fields=kept["fields"],
        tags=tuple(kept["tags"]),
        tables={name: tuple(rows) for name, rows in kept["tables"].items()},
        doubts=tuple(kept.get("doubts", ())),
    )
