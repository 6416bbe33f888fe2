"""Many operations in one call, which Mailchimp works on later, in any order.

https://mailchimp.com/developer/marketing/api/batch-operations/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from adapters.mailchimp.client import Door
from adapters.mailchimp.commerce.operations import Operation
from connector.errors import TryLater
from connector.model import Json

MOST_OPERATIONS = 1_000
MOST_BYTES = 4 * 1024 * 1024
"""What goes into one batch. Mailchimp says no number; its guide speaks of 1,000 and of 500."""

_FINISHED = "finished"
_MOST_LISTED = "1000"
_TEXT = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Is a batch finished, and where its results are then."""

    finished: bool
    results: str = ""


def send(door: Door, operations: Mapping[str, Mapping[str, Json]]) -> str:
    """Hand in packed operations by their ids; gives the batch's id.

    Raises `Refused`, `TooLarge`, `TryLater` or `LaneDown`.
    """
    asked = [{**packed, "operation_id": name} for name, packed in operations.items()]
    said = door.call("POST", "/batches", body={"operations": asked})
    batch = said.get("id")
    if not isinstance(batch, str) or not batch:
        raise TryLater("Mailchimp took a batch and gave it no id")
    return batch


def pack(operation: Operation) -> dict[str, Json]:
    """An operation as a batch holds it: its body is JSON in a text."""
    packed: dict[str, Json] = {"method": operation.method, "path": operation.path}
    if operation.body is not None:
        packed["body"] = _TEXT.encode(operation.body).decode()
    return packed


def size(packed: Mapping[str, Json]) -> int:
    """About how many bytes a packed operation takes in the call."""
    return len(packed["path"]) + 2 * len(packed.get("body", "")) + 100


def look(door: Door, batch: str) -> Progress:
    """How far a batch is. Raises `Refused` when there is none, `TryLater` or `LaneDown`."""
    said = door.call("GET", f"/batches/{quote(batch, safe='')}")
    return Progress(
        finished=said.get("status") == _FINISHED, results=str(said.get("response_body_url") or "")
    )


def stop(door: Door, batch: str) -> None:
    """Keep a batch from being worked on any further."""
    door.call("DELETE", f"/batches/{quote(batch, safe='')}")


def unfinished(door: Door) -> set[str]:
    """The batches of the whole account that are not finished, whoever handed them in."""
    said = door.call(
        "GET",
        "/batches",
        query=[("count", _MOST_LISTED), ("fields", "batches.id,batches.status")],
    )
    rows = said.get("batches")
    if not isinstance(rows, list):
        raise TryLater("Mailchimp's answer has no batches")
    return {
        str(each["id"])
        for each in rows
        if isinstance(each, dict) and "id" in each and each.get("status") != _FINISHED
    }
