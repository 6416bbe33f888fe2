"""What a single value of the configuration may look like, and what is said when it does not.

Each function takes the text as written and gives the value, or raises ``ValueError`` with the end
of a sentence that begins with the setting's place. No text that may be secret is repeated.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import SplitResult, urlsplit
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, SecretStr

from connector.errors import meant

SHORTEST_SIGNING_SECRET = 16
_SHORTEST_WEBHOOK_KEY, _LONGEST_WEBHOOK_KEY = 24, 64
_HIGHEST_PORT = 65_535
_LONGEST_NUMBER = 20
_LONGEST_SPAN = 31
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Listen(BaseModel):
    """The address to listen on."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: int


def text(value: Any) -> str:
    """A text that is not empty."""
    if not isinstance(value, str):
        # pydantic collects ValueErrors only
        raise ValueError(f"must be a text, not a {type(value).__name__}")  # noqa: TRY004
    if not value.strip():
        raise ValueError("is empty")
    return value.strip()


def choice(*words: str) -> Callable[[Any], str]:
    """One of a few words."""

    def chosen(value: Any) -> str:
        word = text(value)
        if word not in words:
            raise ValueError(f"must be {' or '.join(words)}, not {word!r}.{meant(word, words)}")
        return word

    return chosen


def yes_or_no(value: Any) -> bool:
    """``true`` or ``false``."""
    return choice("true", "false")(value) == "true"


def matching(pattern: str, example: str) -> Callable[[Any], str]:
    """A text of one shape."""

    def matched(value: Any) -> str:
        word = text(value)
        if not re.fullmatch(pattern, word, re.ASCII):
            raise ValueError(f"must look like {example}")
        return word

    return matched


def number(low: int, high: int) -> Callable[[Any], int]:
    """A whole number in a range."""

    def counted(value: Any) -> int:
        digits = value if isinstance(value, str) else ""
        good = digits.isascii() and digits.isdecimal() and len(digits) <= _LONGEST_NUMBER
        if not good or not low <= int(digits) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(digits)

    return counted


def span(value: Any) -> timedelta:
    """A length of time in minutes, hours or days: ``30m``, ``24h``, ``7d``; at most 31 days."""
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text(value), re.ASCII)
    longest = timedelta(days=_LONGEST_SPAN)
    length = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
    if length is None or length > longest:
        raise ValueError(f"must look like 30m, 24h or 7d, and be at most {_LONGEST_SPAN} days")
    return length


def span_or_off(value: Any) -> timedelta | None:
    """As `span`; ``off`` is never."""
    if text(value) == "off":
        return None
    try:
        return span(value)
    except ValueError as fault:
        raise ValueError(f"{fault}; or off") from None


def days(low: int, high: int) -> Callable[[Any], timedelta]:
    """``30d``: a number of days in a range."""

    def counted(value: Any) -> timedelta:
        word = text(value)
        try:
            return timedelta(days=number(low, high)(word.removesuffix("d")))
        except ValueError:
            raise ValueError(f"must be from {low}d to {high}d, such as 30d") from None

    return counted


def listen(value: Any) -> Listen:
    """``HOST:PORT``, an IPv6 host in brackets."""
    host, colon, port = text(value).rpartition(":")
    if not colon or not host or (":" in host and not re.fullmatch(r"\[[0-9a-fA-F:.]+\]", host)):
        raise ValueError("must be HOST:PORT, such as 127.0.0.1:8080")
    try:
        return Listen(host=host.strip("[]"), port=number(0, _HIGHEST_PORT)(port))
    except ValueError:
        raise ValueError(f"needs a port from 0 to {_HIGHEST_PORT} after the colon") from None


def is_loopback(address: str) -> bool:
    """Does a URL lead to this very machine."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def web_address(value: Any) -> str:
    """An http or https URL with a host; without user, query, fragment or slash at its end."""
    word = text(value)
    try:
        parts: SplitResult | None = urlsplit(word)
        port_is_good = parts is not None and parts.port != 0
    except ValueError:
        parts, port_is_good = None, False
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a web address such as https://shop.example")
    if parts.username or parts.password or parts.query or parts.fragment or not port_is_good:
        raise ValueError("must be a plain web address, without user, password, ? or #")
    if re.search(r"[\s\x00-\x1f\\]", word):
        raise ValueError("must be a web address without spaces or backslashes")
    return word.rstrip("/")


def safe_address(value: Any) -> str:
    """As `web_address`; plain http only on loopback."""
    address = web_address(value)
    if not address.startswith("https://") and not is_loopback(address):
        raise ValueError("must begin with https:// (plain http only on this machine)")
    return address


def zone(value: Any) -> str:
    """The IANA name of a time zone."""
    name = text(value)
    if name not in _packaged_zones() and name not in (known := available_timezones()):
        raise ValueError(f"is no time zone: {name!r}.{meant(name, sorted(known))}")
    return name


@cache
def _packaged_zones() -> frozenset[str]:
    """The zones that come with us; the system's own are looked for, file by file, if need be."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split())


def moment(value: Any) -> datetime:
    """An ISO 8601 moment with its offset, as UTC."""
    try:
        found = datetime.fromisoformat(text(value))
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("must be a moment with an offset, such as 2026-11-23T23:30:00Z")


def store(value: Any) -> str:
    """A database URL for one of the two engines."""
    address = text(value)
    if not re.match(r"(sqlite:///.|postgresql\+psycopg://.)", address):
        raise ValueError(
            "must be sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE (not shown here)"
        )
    return address


def names(value: Any) -> tuple[str, ...]:
    """A list of names; from a variable, with commas between them."""
    found = value if isinstance(value, list) else [each.strip() for each in text(value).split(",")]
    return tuple(text(each) for each in found)


def secret(value: Any) -> SecretStr:
    """A secret as it is: without spaces, line ends or the quotes of a configuration file."""
    word = value if isinstance(value, str) else ""
    shown = f"({len(word)} characters, not shown)"
    if not word:
        raise ValueError("is empty")
    if re.search(r"\s", word):
        raise ValueError(f"has a space or line end in it {shown}: set the bare secret")
    if word[0] in "\"'`" or word[-1] in "\"'`":
        raise ValueError(f"has quotes around it {shown}: set the bare secret")
    if not word.isprintable():
        raise ValueError(f"has invisible characters in it {shown}: copy it anew")
    return SecretStr(word)


def signing_secrets(value: Any) -> tuple[SecretStr, ...]:
    """Secrets that sign webhooks, with commas between them; each long enough to be one."""
    whole = secret(value).get_secret_value()
    if whole.startswith("shpat_"):
        raise ValueError("is an API token (shpat_…); webhooks are signed with the client secret")
    found = tuple(secret(each) for each in whole.split(","))
    shortest = min(len(each.get_secret_value().encode()) for each in found)
    if shortest < SHORTEST_SIGNING_SECRET:
        raise ValueError(
            f"is too short: {shortest} bytes, at least {SHORTEST_SIGNING_SECRET} are needed. "
            "Set a longer one here and in the shop's webhook"
        )
    return found


def webhook_keys(value: Any) -> tuple[SecretStr, ...]:
    """Secrets to sign with by Standard Webhooks, with commas between them, the one in use first.

    ``whsec_`` and base64 of 24 to 64 bytes, or another text of at least 24 bytes.
    """
    found = tuple(secret(each) for each in secret(value).get_secret_value().split(","))
    for each in found:
        word = each.get_secret_value()
        if word.startswith("whsec_"):
            _check_encoded(word.removeprefix("whsec_"))
        elif len(word.encode()) < _SHORTEST_WEBHOOK_KEY:
            raise ValueError(
                f"is too short: at least {_SHORTEST_WEBHOOK_KEY} bytes are needed. "
                'Make one with: echo "whsec_$(openssl rand -base64 32)"'
            )
    return found


def _check_encoded(word: str) -> None:
    """https://www.standardwebhooks.com: a symmetric key is of 24 to 64 bytes."""
    try:
        length = len(base64.b64decode(word, validate=True))
    except ValueError:
        raise ValueError("is not whsec_ followed by base64 (not shown)") from None
    if not _SHORTEST_WEBHOOK_KEY <= length <= _LONGEST_WEBHOOK_KEY:
        raise ValueError(
            f"holds {length} bytes: {_SHORTEST_WEBHOOK_KEY} to {_LONGEST_WEBHOOK_KEY} are needed"
        )


def long_secret(value: Any) -> SecretStr:
    """One secret that is hard to guess."""
    word = secret(value)
    if len(word.get_secret_value().encode()) < SHORTEST_SIGNING_SECRET:
        raise ValueError(f"is too short: at least {SHORTEST_SIGNING_SECRET} bytes are needed")
    return word


def secret_keys(value: Any) -> tuple[SecretStr, ...]:
    """Secrets that keys are derived from, with commas between them, the one in use first."""
    found = tuple(secret(value).get_secret_value().split(","))
    if len(set(found)) < len(found):
        raise ValueError("names a key twice")
    return tuple(long_secret(each) for each in found)


def mailchimp_key(value: Any) -> SecretStr:
    """A Mailchimp API key; its end names the data centre that is called.

    https://mailchimp.com/developer/marketing/docs/fundamentals/
    """
    word = secret(value)
    if not re.fullmatch(r"[\w-]{1,100}-[a-z]{2}[0-9]{1,3}", word.get_secret_value(), re.ASCII):
        raise ValueError(
            "must end in its data centre, such as -us21: copy the whole key from Mailchimp "
            f"({len(word)} characters, not shown)"
        )
    return word
