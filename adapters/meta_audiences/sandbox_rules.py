"""What the stand-in refuses: a list of people that is not written right, a session out of order.

It is stricter than Meta, which counts a wrong digest as invalid: here it spoils the call, unless
the whole row is empty.
https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_ROWS = 10_000
MOST_BYTES = 20_000_000
HASHED = (
    *("EMAIL", "PHONE", "FN", "LN", "FI", "CT", "ST", "ZIP", "COUNTRY", "GEN", "DOBY", "DOBM"),
    *("DOBD", "DOB"),
)
RAW = ("EXTERN_ID", "MADID", "PAGEUID", "LOOKALIKE_VALUE")
VALUE = "LOOKALIKE_VALUE"
_DIGEST = re.compile("[0-9a-f]{64}")
_OF_NOTHING = hashlib.sha256(b"").hexdigest()
_OF_CALL = frozenset({"payload", "session", "method"})
_OF_SESSION = {"session_id", "batch_seq", "last_batch_flag", "estimated_num_total"}
_OF_AUDIENCE = frozenset(
    {"name", "description", "subtype", "customer_file_source", "is_value_based"}
)


@dataclass(slots=True)
class Session:
    """A list that comes in several calls: whose, how written, how far it is."""

    purpose: str
    schema: Sequence[str]
    batch: int = 0
    closed: bool = False


def audience_fault(form: Mapping[str, str]) -> str | None:
    """What is wrong with an audience that is to be made."""
    if unknown := sorted(form.keys() - _OF_AUDIENCE):
        return f"Unknown parameter {unknown[0]}"
    if not form.get("name"):
        return "The parameter name is required"
    if form.get("subtype") != "CUSTOM":
        return "Param subtype must be CUSTOM"
    if form.get("customer_file_source") != "USER_PROVIDED_ONLY":
        return "The parameter customer_file_source is required"
    if form.get("is_value_based", "true") != "true":
        return "Param is_value_based must be a boolean"
    return None


def payload_in(form: Mapping[str, str]) -> Mapping[str, Any] | str:
    """Schema and rows of a call; or what is wrong with it."""
    if unknown := sorted(form.keys() - _OF_CALL):
        return f"Unknown parameter {unknown[0]}"
    try:
        payload = json.loads(form.get("payload", ""))
    except ValueError:
        return "Param payload must be a JSON object"
    if not isinstance(payload, dict) or payload.keys() != {"schema", "data"}:
        return "Param payload must have schema and data"
    schema, rows = payload["schema"], payload["data"]
    if not isinstance(schema, list) or not schema or len(set(schema)) < len(schema):
        return "Param schema must be a list of different keys"
    if unknown := [key for key in schema if key not in (*HASHED, *RAW)]:
        return f"Unknown key {unknown[0]} in schema"
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_ROWS:
        return f"Param data must be a list of 1 to {MOST_ROWS} rows"
    return next((fault for row in rows for fault in _row_faults(schema, row)), payload)


def _row_faults(schema: Sequence[str], row: Any) -> Iterator[str]:
    if not isinstance(row, list) or len(row) != len(schema):
        yield "A row has a value for each key of the schema"
        return
    for key, value in zip(schema, row, strict=True):
        if key == VALUE:
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                yield f"{VALUE} must be a number, and not negative"
        elif key in RAW or value == "":
            continue
        elif not isinstance(value, str) or not _DIGEST.fullmatch(value):
            yield f"{key} must be a SHA-256 in small hexadecimal digits"
        elif value == _OF_NOTHING:
            yield f"{key} is the SHA-256 of nothing"


def session_fault(
    sessions: dict[int, Session], text: str | None, purpose: str, schema: Sequence[str]
) -> str | None:
    """What is wrong with the session of a call, which is noted; ``purpose`` is what it is for."""
    if text is None:
        return None
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict) or not {"session_id", "batch_seq", "last_batch_flag"} <= (
        told.keys()
    ):
        return "Param session must have session_id, batch_seq and last_batch_flag"
    number, batch, last = told["session_id"], told["batch_seq"], told["last_batch_flag"]
    if told.keys() - _OF_SESSION or type(number) is not int or number < 1 or type(last) is not bool:
        return "Param session is not written right"
    session = sessions.setdefault(number, Session(purpose, schema))
    if session.purpose != purpose or session.closed:
        return "session_id must be unique"
    if list(session.schema) != list(schema):
        return "The schema must stay the same in a session"
    if batch != session.batch + 1:
        return f"batch_seq must be {session.batch + 1}"
    session.batch, session.closed = batch, last
    return None
