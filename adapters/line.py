"""The line to a shop: no answer may take too long, be too big, or send us somewhere else.

For guests that speak through `httpx`; `wire` is for those whose official client needs `requests`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

_CONNECT_SECONDS = 5.0
_LONGEST_WAIT = 86_400
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # a small answer cannot unfold into a huge one
    "User-Agent": "shop-connector",
}


class HiccupError(Exception):
    """No answer this time, as happens: worth asking again after ``wait`` seconds, if told."""

    def __init__(self, reason: str, *, wait: float | None = None) -> None:
        self.wait = wait
        super().__init__(reason)


def is_private(address: httpx.URL) -> bool:
    """Can nobody on the way read along: over https, or on this very machine."""
    return address.scheme == "https" or _is_loopback(address.host)


def open_line(
    address: httpx.URL,
    *,
    seconds: float,
    transport: httpx.BaseTransport | None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Client:
    """A line to one shop, which may be silent for so many ``seconds``. No proxy to this machine."""
    return httpx.Client(
        headers={**_HEADERS, **(headers or {})},
        timeout=httpx.Timeout(seconds, connect=_CONNECT_SECONDS),
        follow_redirects=False,
        transport=transport,
        trust_env=not _is_loopback(address.host),
    )


def read_body(
    response: httpx.Response,
    *,
    largest: int,
    seconds: float,
    since: float,
    ticks: Callable[[], float],
) -> bytes:
    """A whole body of at most ``largest`` bytes, ``seconds`` after ``since`` by ``ticks``.

    Raises `HiccupError` for more.
    """
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > largest:
            raise HiccupError(f"the answer is larger than {largest} bytes")
        if ticks() > since + seconds:
            raise HiccupError(f"the answer took longer than {seconds:.0f} s")
    return bytes(body)


def host_of(response: httpx.Response) -> str:
    """Where a redirect leads, without path and query, which may hold secrets."""
    try:
        target = response.url.join(response.headers["Location"])
    except (httpx.InvalidURL, KeyError):
        return "nowhere"
    return f"{target.scheme}://{target.netloc.decode('ascii', 'replace')}"


def date_in(headers: httpx.Headers) -> datetime | None:
    """The moment by the other side's clock, if it is told rightly."""
    try:
        told = parsedate_to_datetime(headers.get("Date", ""))
        return told.astimezone(UTC) if told.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def retry_after(headers: httpx.Headers) -> float | None:
    """Seconds to wait, from either form of the header; a date counts from the answer's own.

    Shopify writes ``2.0``. https://shopify.dev/docs/api/usage/limits
    """
    text = headers.get("Retry-After", "").strip().removesuffix(".0")
    if text.isascii() and text.isdigit() and len(text) <= len(str(_LONGEST_WAIT)):
        return float(min(int(text), _LONGEST_WAIT))
    try:
        until, sent = (parsedate_to_datetime(t) for t in (text, headers.get("Date", "")))
        return min(max((until - sent).total_seconds(), 0.0), float(_LONGEST_WAIT))
    except (ValueError, TypeError):
        return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
