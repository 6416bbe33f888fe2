"""What a receiver's answer means: taken, each record by itself, too large, refused, or later.

Statuses as Standard Webhooks suggests: https://www.standardwebhooks.com (operational
considerations, delivery success and failure).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeAlias

import httpx

from adapters import line
from connector.errors import LaneDown, TryLater
from connector.model import Outcome, Parked, Postponed, Settled
from connector.strict_json import Sound, examine

_LATER = frozenset({408, 409, 425, 429})
_NOT_TAKEN = frozenset({400, 422})
_OWNER = "Whoever runs the receiver: "
_PLAIN_WORDS = re.compile(r"[A-Za-z0-9 _.,:;()/'-]{1,80}")
_DIGITS = re.compile(r"[0-9]{4}")
_MEND = "Look it up in the receiver's own log; mend the record there or the mapping here."


@dataclass(frozen=True, slots=True)
class Taken:
    """It was taken. ``each`` is empty, or names what became of every record by its key."""

    each: Mapping[str, Outcome] | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Something in it is not taken, nobody says what."""

    status: int


@dataclass(frozen=True, slots=True)
class TooLarge:
    """Less at a time is wanted."""


Answer: TypeAlias = Taken | Refused | TooLarge


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came."""

    response: httpx.Response
    body: bytes = field(repr=False)


def judge(reply: Reply) -> Answer:
    """What a reply means. Raises `TryLater` or `LaneDown`."""
    status, headers = reply.response.status_code, reply.response.headers
    if reply.response.is_success:
        return _taken(reply)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return TooLarge()
    if status in _NOT_TAKEN:
        return Refused(status)
    if status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise TryLater(f"the receiver answered {status}", retry_after=line.retry_after(headers))
    if reply.response.is_redirect or 300 <= status < 400:  # noqa: PLR2004 - HTTP's own borders
        raise LaneDown(
            f"the receiver sends us on to {line.host_of(reply.response)}, which is not followed",
            mend="Whoever runs the connector: set url to where it really is.",
        )
    raise LaneDown(f"the receiver answered {status}", mend=_mend(status))


def _mend(status: int) -> str:
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return _OWNER + "see that both sides have the same signing secret, and the right time."
        case HTTPStatus.GONE:
            return (
                _OWNER + "it wants nothing more from here. Switch it on again, or take the "
                "destination out of connector.yaml."
            )
        case HTTPStatus.NOT_FOUND:
            return "Whoever runs the connector: set url to where the receiver is."
        case _:
            return _OWNER + "it must answer 2xx to a POST of JSON (docs/http.md)."


def _taken(reply: Reply) -> Taken:
    """Nothing, or an object; a page proves that somebody else answered."""
    if not reply.body.strip():
        return Taken()
    examined = examine(reply.body)
    if not isinstance(examined, Sound):
        raise TryLater(f"the receiver's answer is no JSON object ({examined.reason})")
    told = examined.value
    if "results" not in told:
        if told.get("error") or told.get("errors"):
            raise TryLater("the receiver answered 2xx and speaks of an error, not of which record")
        return Taken()
    results = told["results"]
    if not isinstance(results, list):
        raise TryLater("the receiver's results are no list")
    return Taken(_each(results))


def _each(results: list[Any]) -> dict[str, Outcome]:
    """What became of each record; of two results for one the worse."""
    found: dict[str, Outcome] = {}
    for row in results:
        if not isinstance(row, dict) or not isinstance(row.get("key"), str):
            continue
        outcome = _outcome(row)
        known = found.get(row["key"])
        if known is None or _SEVERITY[type(outcome)] > _SEVERITY[type(known)]:
            found[row["key"]] = outcome
    return found


_SEVERITY: Mapping[type[Outcome], int] = {Settled: 0, Postponed: 1, Parked: 2}


def _outcome(row: Mapping[str, Any]) -> Outcome:
    match row.get("status"):
        case "ok":
            return Settled()
        case "refused":
            return Parked(reason=_reason(row), mend=_MEND)
        case "later":
            return Postponed(reason=_reason(row))
        case _:
            return Postponed(reason="the receiver's result has no status ok, refused or later")


def _reason(row: Mapping[str, Any]) -> str:
    """The receiver's own words, where they can name nobody: no address, no number."""
    said = row.get("reason")
    plain = isinstance(said, str) and _PLAIN_WORDS.fullmatch(said) and not _DIGITS.search(said)
    return f"the receiver says: {said}" if plain else "the receiver does not take it"
