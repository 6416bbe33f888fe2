"""Single values as Mailchimp takes them: amounts as numbers, moments in whole seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from connector.model import Json
from connector.moments import parse_utc, to_text


def amount(text: Json) -> Decimal | None:
    """An amount, digit for digit. Raises `ArithmeticError` for text that is none."""
    return None if text in (None, "") else Decimal(str(text))


def moment(text: Json) -> str | None:
    """A moment in UTC without fractions of a second, which Mailchimp refuses.

    https://mailchimp.com/developer/marketing/docs/fundamentals/
    """
    at = parse_utc(text)
    return to_text(at) if at else None


def url(text: Json) -> str | None:
    """A web address, or ``None`` for anything else: one bad address would sink the whole thing."""
    known = isinstance(text, str) and text.startswith(("http://", "https://"))
    return text if known else None


def known(pairs: Mapping[str, Json] | Iterable[tuple[str, Json]]) -> dict[str, Json]:
    """Without what is not known."""
    return {name: value for name, value in dict(pairs).items() if value is not None}
