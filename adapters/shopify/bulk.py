"""Lets Shopify write everything of one kind into a file: asks for it once, and waits for it.

https://shopify.dev/docs/api/usage/bulk-operations/queries. The operation goes on without us; after
a break it is found again by its id, or, if that was lost, by its query.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from adapters.shopify.asking import Ask
from adapters.shopify.client import query_text
from adapters.shopify.reading import members
from connector.errors import TryLater
from connector.moments import to_text
from connector.shop_fields import read_moment, read_whole

_UNFILTERED = '(query: "")'
_BUSY = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})


class Stage(StrEnum):
    """How far an operation is, as far as it matters."""

    WORKING = "working"
    DONE = "done"
    DENIED = "denied"
    FAILED = "failed"
    LOST = "lost"
    """Cancelled, too old, or unknown: only a new one helps."""


# https://shopify.dev/docs/api/admin-graphql/2026-10/enums/BulkOperationStatus
_STAGES = {
    "CREATED": Stage.WORKING,
    "RUNNING": Stage.WORKING,
    "CANCELING": Stage.WORKING,
    "COMPLETED": Stage.DONE,
    "FAILED": Stage.FAILED,
    "CANCELED": Stage.LOST,
    "EXPIRED": Stage.LOST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """How an operation stands. ``url`` is where its file is, if there is anything in it."""

    stage: Stage
    counted: int = 0
    """How many things it has looked at so far, children too."""
    total: int | None = None
    url: str | None = None
    size: int | None = None


class BusyError(Exception):
    """As many operations as may are running already."""


class RefusedError(Exception):
    """The shop will not do it in bulk."""


def query_for(name: str, since: datetime | None) -> str:
    """A query of ``bulk_*``; it takes no variables, so the filter becomes a part of its text."""
    filtered = f"""(query: "updated_at:>='{to_text(since)}'")""" if since else ""
    return query_text(name).replace(_UNFILTERED, filtered)


def start(ask: Ask, query: str, *, grouped: bool) -> str:
    """Begin an operation and give its id. Raises `BusyError`, `RefusedError` and as ``ask``."""
    told = ask("bulk_start", {"query": query, "grouped": grouped}).data.get("bulkOperationRunQuery")
    payload = told if isinstance(told, dict) else {}
    codes = {error.get("code") for error in members(payload.get("userErrors"))}
    if codes & _BUSY:
        raise BusyError
    if codes:
        raise RefusedError
    match payload.get("bulkOperation"):
        case {"id": str(gid)}:
            return gid
        case _:
            raise TryLater("the shop does not say whether it began a bulk operation")


def find(ask: Ask, query: str, *, since: datetime) -> str | None:
    """An operation with this query, begun at ``since`` or later, that is at work or done."""
    told = ask("bulk_list", {}).data.get("bulkOperations")
    for node in members(told.get("nodes") if isinstance(told, dict) else None):
        begun, text, gid = read_moment(node.get("createdAt")), node.get("query"), node.get("id")
        alive = _STAGES.get(str(node.get("status"))) in {Stage.WORKING, Stage.DONE}
        same = isinstance(text, str) and text.split() == query.split()
        if alive and same and begun is not None and begun >= since and isinstance(gid, str):
            return gid
    return None


def look(ask: Ask, gid: str) -> Operation:
    """How an operation stands.

    What failed in part is not read: an order in that file may lack lines, and nothing shows it.
    """
    node = ask("bulk_look", {"id": gid}).data.get("bulkOperation")
    if not isinstance(node, dict):
        return Operation(stage=Stage.LOST)
    stage = _STAGES.get(str(node.get("status")), Stage.LOST)
    if stage is Stage.FAILED and node.get("errorCode") == "ACCESS_DENIED":
        stage = Stage.DENIED
    url = node.get("url")
    return Operation(
        stage=stage,
        counted=_count(node, "objectCount") or 0,
        total=_count(node, "rootObjectCount"),
        url=url if isinstance(url, str) and url else None,
        size=_count(node, "fileSize"),
    )


def _count(node: Mapping[str, Any], name: str) -> int | None:
    """``UnsignedInt64`` comes as text."""
    return read_whole(node.get(name))
