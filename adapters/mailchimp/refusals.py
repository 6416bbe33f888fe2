"""What it means when Mailchimp says no: for everybody, for one contact, or only for now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum, auto

from adapters.mailchimp.wire import Answer
from connector.errors import LaneDown, TryLater
from connector.model import Json, Parked

_LONGEST_WAIT = 4 * 3600.0  # seconds; a longer wish is a mistake or a bad joke
_LONGEST_TITLE = 80


class Refused(Exception):
    """Mailchimp understood one call and will not do it. Its words may hold a person's address."""

    def __init__(self, status: int, problem: Mapping[str, Json]) -> None:
        self.status = status
        self.title = _title(problem)
        self.complaint = Complaint.from_problem(problem)
        super().__init__(f"{status} {self.title}")


class TooLarge(Exception):
    """The call was too large for Mailchimp (413): to be sent in halves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What Mailchimp says is wrong with one contact: its words, its code, the field it names."""

    words: str
    code: str = ""
    field: str = ""

    @classmethod
    def from_problem(cls, problem: Mapping[str, Json]) -> Complaint:
        """Read a problem answer (RFC 7807).

        https://mailchimp.com/developer/marketing/docs/errors/
        """
        details = [each for each in _list(problem.get("errors")) if isinstance(each, dict)]
        words = [problem.get("title"), problem.get("detail"), *(d.get("message") for d in details)]
        return cls(
            words=" ".join(str(each) for each in words if each),
            code=_title(problem),
            field=str(details[0].get("field") or "") if details else "",
        )

    @classmethod
    def from_item(cls, item: Mapping[str, Json]) -> Complaint:
        """Read one of ``errors`` in the answer to a batch.

        https://mailchimp.com/developer/marketing/api/lists/batch-subscribe-or-unsubscribe/
        """
        return cls(
            words=f"{item.get('error') or ''} {item.get('field_message') or ''}",
            code=str(item.get("error_code") or ""),
            field=str(item.get("field") or ""),
        )


class Meaning(Enum):
    """What a complaint about one contact comes to."""

    OPTED_OUT = auto()
    FORGOTTEN = auto()
    BAD_ADDRESS = auto()
    MANY_LISTS = auto()
    MISSING_FIELD = auto()
    BAD_FIELD = auto()
    TOO_LARGE = auto()
    UNKNOWN = auto()


_SIGNS: tuple[tuple[str, Meaning], ...] = (
    ("compliance", Meaning.OPTED_OUT),
    ("previously unsubscribed", Meaning.OPTED_OUT),
    ("must opt in again", Meaning.OPTED_OUT),
    ("forgotten email", Meaning.FORGOTTEN),
    ("permanently deleted", Meaning.FORGOTTEN),
    ("lot of lists", Meaning.MANY_LISTS),
    ("looks fake or invalid", Meaning.BAD_ADDRESS),
    ("valid email", Meaning.BAD_ADDRESS),
    ("email address must contain", Meaning.BAD_ADDRESS),
    ("portion of the email address is invalid", Meaning.BAD_ADDRESS),
    ("must be provided", Meaning.MISSING_FIELD),
    ("enter a value", Meaning.MISSING_FIELD),
    ("be blank", Meaning.MISSING_FIELD),
    ("is required", Meaning.MISSING_FIELD),
    ("merge field", Meaning.BAD_FIELD),
    ("field-specific", Meaning.BAD_FIELD),
)

_PARKED: Mapping[Meaning, Parked] = {
    Meaning.FORGOTTEN: Parked(
        reason="forgotten_email",
        mend="This contact was permanently deleted in Mailchimp. Only the person can come back, "
        "through a Mailchimp sign-up form.",
    ),
    Meaning.BAD_ADDRESS: Parked(
        reason="invalid_address",
        mend="Mailchimp takes this e-mail address for a wrong one. Correct it in the shop.",
    ),
    Meaning.MANY_LISTS: Parked(
        reason="many_lists",
        mend="Mailchimp says this address joined many lists lately. Release it in a few weeks, "
        "or let the person use a Mailchimp sign-up form.",
    ),
    Meaning.TOO_LARGE: Parked(
        reason="too_large",
        mend="Mailchimp finds this one contact too large. Map fewer fields to it.",
    ),
}


def meaning(complaint: Complaint) -> Meaning:
    """What the words mean. Mailchimp's codes for contacts are too general to go by."""
    words = complaint.words.lower()
    for sign, found in _SIGNS:
        if sign in words:
            return found
    return Meaning.BAD_FIELD if complaint.field else Meaning.UNKNOWN


def parked(what: Meaning, complaint: Complaint) -> Parked:
    """What a person is told of a contact that Mailchimp refuses for good."""
    return _PARKED.get(what) or Parked(
        reason=f"refused: {complaint.code or 'no reason given'}"[:_LONGEST_TITLE],
        mend="Add this contact by hand in Mailchimp: it says there what it dislikes.",
    )


def refusal(answer: Answer) -> Exception | None:
    """The error that an answer is, or ``None`` for a 2xx.

    A 401, 403 or 429 without a JSON problem comes from the wall in front of Mailchimp when it is
    pressed too hard, and says nothing about our key.
    https://mailchimp.com/developer/marketing/docs/fundamentals/#throttling
    """
    status = answer.status_code
    if answer.ok:
        return None
    if status == 413:  # noqa: PLR2004 - the numbers of HTTP are its names
        return TooLarge()
    if 300 <= status < 400:  # noqa: PLR2004 - as above
        return LaneDown(
            f"Mailchimp answered with a redirect ({status}), which is not followed",
            mend="Check base_url and any proxy between here and Mailchimp.",
        )
    problem = _problem(answer)
    if problem is None or status >= 500 or status in (408, 429):  # noqa: PLR2004 - as above
        return TryLater(f"Mailchimp answered {status}", retry_after=retry_after(answer.headers))
    if status in (401, 403):
        return LaneDown(
            f"Mailchimp refuses the API key: {_title(problem)}",
            mend="Make a new API key in Mailchimp (Account > Extras > API keys) and set it.",
        )
    return Refused(status, problem)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from ``Retry-After`` as seconds or as a date beside the answer's own date.

    Nonsense is ``None``; the longest is four hours.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_WAIT)
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return min(max(wait.total_seconds(), 0.0), _LONGEST_WAIT)


def _problem(answer: Answer) -> Mapping[str, Json] | None:
    try:
        said = answer.json()
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) and ("title" in said or "detail" in said) else None


def _title(problem: Mapping[str, Json]) -> str:
    return str(problem.get("title") or "no title")[:_LONGEST_TITLE]


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
