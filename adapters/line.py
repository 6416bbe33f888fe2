"""The line to a shop: no answer may take too long, be too big, or send us somewhere else.

For guests that speak through `httpx`; `wire` is for those whose official client needs `requests`.
"""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache

import httpcore
import httpx

from adapters import reach, trust
from adapters.deadline import Timed, within
from adapters.reach import Reach

__all__ = [
    "HiccupError",
    "date_in",
    "host_of",
    "is_private",
    "open_line",
    "pieces",
    "read_body",
    "retry_after",
    "trusting",
    "within",
]

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
    return address.scheme == "https" or reach.is_this_machine(address.host)


def open_line(
    address: httpx.URL,
    *,
    seconds: float,
    transport: httpx.BaseTransport | None,
    headers: Mapping[str, str] | None = None,
    private_network: bool = False,
) -> httpx.Client:
    """A line to one shop, which may be silent for so many ``seconds``; for the whole: `within`.

    It leads to public addresses only, or also into a ``private_network`` if that is allowed for
    this shop, or, to a host that is written as this machine, there; to any other address a call
    raises `LaneDown`. Where the surroundings name a proxy, it is the proxy that looks names up.
    """
    far = reach.reach_for(address.host, private_network=private_network)
    return httpx.Client(
        headers={**_HEADERS, **(headers or {})},
        timeout=httpx.Timeout(seconds, connect=_CONNECT_SECONDS),
        follow_redirects=False,
        transport=transport or _way_to(address, far),
        trust_env=False,  # no .netrc, and proxies only as `_way_to` sees them
    )


def _way_to(address: httpx.URL, far: Reach) -> httpx.BaseTransport:
    if far is Reach.THIS_MACHINE or not reach.may_be_tried(address.host, far):
        return _Pinned(far)
    proxy = _proxy_to(address)
    return _Proxied(proxy) if proxy else _Pinned(far)


def _proxy_to(address: httpx.URL) -> str | None:
    """The proxy that the surroundings (``HTTPS_PROXY``, ``NO_PROXY``, …) name for an address."""
    named = urllib.request.getproxies()
    proxy = named.get(address.scheme) or named.get("all")
    if not proxy or urllib.request.proxy_bypass(address.host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def trusting() -> ssl.SSLContext:
    """What checks certificates: against the authorities that an admin named, or everybody's."""
    return _trusting(trust.named_authorities())


@cache
def _trusting(file: str | None) -> ssl.SSLContext:
    """More than a hundred certificates are read, the same for every line."""
    return ssl.create_default_context(cafile=file) if file else httpx.create_ssl_context()


class _Pinned(httpx.HTTPTransport):
    """Connects to addresses that were checked; name and certificate stay those of the host."""

    def __init__(self, far: Reach) -> None:
        checked = trusting()
        super().__init__(verify=checked)
        # httpx has no word for what opens its sockets: only its pool does.
        self._pool = httpcore.ConnectionPool(
            ssl_context=checked, network_backend=Timed(_Checking(far))
        )


class _Proxied(httpx.HTTPTransport):
    """Connects to a proxy, which looks names up; one that speaks SOCKS knows no deadline."""

    def __init__(self, proxy: str) -> None:
        checked = trusting()
        super().__init__(proxy=proxy, verify=checked)
        told = httpx.Proxy(proxy)
        if told.url.scheme in {"http", "https"}:
            self._pool = httpcore.HTTPProxy(
                proxy_url=str(told.url),
                proxy_auth=told.raw_auth,
                ssl_context=checked,
                network_backend=Timed(httpcore.SyncBackend()),
            )


class _Checking(httpcore.SyncBackend):
    def __init__(self, far: Reach) -> None:
        self._far = far

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Look the host up once and connect to the first of its addresses that answers."""
        try:
            found = reach.addresses(host, port, self._far)
        except OSError as unknown:
            raise httpcore.ConnectError(str(unknown)) from unknown
        *others, last = found
        for address in others:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return super().connect_tcp(last, port, timeout, local_address, socket_options)


def read_body(
    response: httpx.Response,
    *,
    largest: int,
    seconds: float,
    since: float,
    ticks: Callable[[], float],
) -> bytes:
    """A whole body of at most ``largest`` bytes, ``seconds`` after ``since`` by ``ticks``.

    What keeps any piece of it from coming out is for `within` to cut off.

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


def pieces(response: httpx.Response, *, seconds: float) -> Iterator[bytes]:
    """A body piece by piece, however long it is: each comes in so many ``seconds``."""
    arriving = response.iter_bytes()
    while True:
        with within(seconds):
            piece = next(arriving, None)
        if piece is None:
            return
        yield piece


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
