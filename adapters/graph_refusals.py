"""What it means when Meta says no: for everybody, for one batch, or only for now.

Codes: https://developers.facebook.com/docs/graph-api/guides/error-handling and
https://developers.facebook.com/docs/marketing-api/error-reference. Limits and the headers that tell
of them: https://developers.facebook.com/docs/graph-api/overview/rate-limiting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from adapters.wire import Answer
from connector.errors import LaneDown, TryLater
from connector.model import Json

_TOKEN = frozenset({102, 190, 463, 467, 2500})
_PERMISSION = frozenset({3, 10, *range(200, 300)})
_MISSING = 803
_NO_SUCH_OBJECT = (100, 33)  # code and subcode, the same as 803
_BUSY = frozenset({4, 17, 32, 341, 613, *range(80_000, 80_015)})
_TROUBLE = frozenset({1, 2})
_BLOCKED = 368
_BLOCKED_SECONDS = 3600.0
_LONGEST_WAIT = 4 * 3600.0
_LONGEST_SHOWN = 160
_LONGEST_WORD = 60  # tokens and addresses are longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Mends:
    """What a guest calls the things that Meta may refuse to everybody, and who mends it how.

    ``scope`` is the permission that its token needs, ``thing`` what it writes to, ``forbidden`` and
    ``missing`` the mends where that is not allowed, or not there. ``known`` gives meaning and mend
    for a code with its subcode.
    """

    scope: str
    thing: str
    forbidden: str
    missing: str
    known: Mapping[tuple[int, int], tuple[str, str]] = field(default_factory=dict)


class Refused(Exception):
    """Meta understood the call and will not do it, and says in its ``words`` what is wrong."""

    def __init__(self, code: int, words: str, subcode: int = 0) -> None:
        self.code = code
        self.words = words
        self.subcode = subcode
        super().__init__(f"error {code}")


class Missing(LaneDown):
    """What was called is not there, or not for this token."""


class Busy(TryLater):
    """Meta answered that it will not now: nothing of the call was taken."""


class TooLarge(Exception):
    """The call was too large for Meta: to be sent in halves."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of what is allowed is used up, in percent, and how long until more is allowed."""

    percent: float = 0.0
    seconds: float | None = None


def usage(headers: Mapping[str, str]) -> Usage:
    """What the usage headers say together: the worst counts. Unreadable ones say nothing."""
    rows = [row for name in _USAGE_HEADERS for row in _rows(headers.get(name))]
    used = [value for row in rows for name in _PERCENTS if (value := _number(row.get(name)))]
    waits = [value for row in rows if (value := _number(row.get(_MINUTES)))]
    seconds = min(60.0 * max(waits), _LONGEST_WAIT) if waits else None
    return Usage(max(used, default=0.0), seconds)


_USAGE_HEADERS = ("X-Business-Use-Case-Usage", "X-App-Usage", "X-Ad-Account-Usage")
_PERCENTS = ("call_count", "total_cputime", "total_time", "acc_id_util_pct")
_MINUTES = "estimated_time_to_regain_access"


def _rows(text: str | None) -> Iterator[Mapping[str, Any]]:
    """The objects with figures in a header: one by itself, or lists of them by business."""
    try:
        told = msgspec.json.decode(text or "null")
    except (msgspec.DecodeError, RecursionError):
        return
    if not isinstance(told, dict):
        return
    yield told
    for rows in told.values():
        if isinstance(rows, list):
            yield from (row for row in rows if isinstance(row, dict))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0


def refusal(answer: Answer, mends: Mends) -> Exception | None:
    """The error that an answer is, or ``None`` for a JSON object without one.

    Nothing else is an answer: a page, an empty body, a list. Nor is a success that says it is none.
    """
    status = answer.status_code
    if 300 <= status < 400:  # noqa: PLR2004 - the numbers of HTTP are its names
        return LaneDown(
            f"Meta answered with a redirect ({status}), which is not followed",
            mend="Check base_url and any proxy between here and Meta.",
        )
    if status == 413:  # noqa: PLR2004 - as above
        return TooLarge()
    said = _object(answer)
    if said is None:
        return TryLater(f"Meta answered {status} and nothing that could be read")
    error = said.get("error")
    if isinstance(error, dict):
        return _meaning(error, status, usage(answer.headers).seconds, mends)
    if error is not None or said.get("success") is False or not answer.ok:
        return TryLater(f"Meta answered {status} without saying what is wrong")
    return None


def _meaning(error: Mapping[str, Json], status: int, wait: float | None, mends: Mends) -> Exception:
    told, words = error.get("code"), safe(error.get("message"))
    code = told if isinstance(told, int) else -1
    under = error.get("error_subcode")
    subcode = under if isinstance(under, int) else 0
    what = f"Meta answered with error {code}"
    if down := _down(code, subcode, what, mends):
        return down
    if code == 1 and "reduce the amount of data" in words.casefold():
        return TooLarge()
    if code == _BLOCKED:
        return Busy(f"{what}: blocked for a while", retry_after=wait or _BLOCKED_SECONDS)
    if code in _BUSY:
        return Busy(what, retry_after=wait)
    if code in _TROUBLE or error.get("is_transient") is True or status >= 500:  # noqa: PLR2004 - as above
        return TryLater(what, retry_after=wait)
    return Refused(code, words, subcode)


def _down(code: int, subcode: int, what: str, mends: Mends) -> LaneDown | None:
    """What no call will pass until a person has mended it."""
    if (code, subcode) in mends.known:
        meaning, mend = mends.known[code, subcode]
        return LaneDown(f"{what}/{subcode}: {meaning}", mend=mend)
    if code in _TOKEN:
        mend = (
            "Make a new access token for the system user in Meta Business settings, with the "
            f"permission {mends.scope}, and set it."
        )
        return LaneDown(f"{what}: the access token is refused", mend=mend)
    if code in _PERMISSION:
        return LaneDown(f"{what}: the token may not write this {mends.thing}", mend=mends.forbidden)
    if code == _MISSING or (code, subcode) == _NO_SUCH_OBJECT:
        return Missing(f"{what}: there is no such {mends.thing}", mend=mends.missing)
    return None


def safe(words: object) -> str:
    """Words of Meta's as they can be kept and shown: short, printable, on one line, no token."""
    kept = " ".join(word for word in str(words or "").split() if len(word) <= _LONGEST_WORD)
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in kept)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"


def _object(answer: Answer) -> Mapping[str, Json] | None:
    try:
        said = answer.json()
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
