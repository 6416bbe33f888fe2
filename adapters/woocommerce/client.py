"""The only door to a shop's REST API: it asks for one thing, and says when it got no answer.

All it ever asks, each a GET that may be repeated:

==========================================================================  =====
``/wp-json/wc/v3/orders/{id}``                                              Basic
``/wp-json/wc/v3/customers/{id}``                                           Basic
``/wp-json/wc/v3/products/{id}`` (also for the id of a variation)           Basic
``/wp-json/wc/v3/products/{id}/variations?per_page=100&page=N``             Basic
``/wp-json/wc/v3/data/currencies/current``                                  Basic
``/wp-json/?_fields=gmt_offset,timezone_string``                            none
==========================================================================  =====

The last one is public, and since WooCommerce 11.1 its keys are refused outside ``wc/``.
Reference: https://woocommerce.github.io/woocommerce-rest-api-docs/.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeAlias

import httpx
import tenacity

from adapters.woocommerce.parse import error_in, is_missing, items_in
from connector.errors import ConfigurationFault, LaneDown, TryLater
from connector.model import Kind

LARGEST_ANSWER = 5 * 1024 * 1024
PER_PAGE = 100  # the most the API gives
_MOST_PAGES = 100
_ATTEMPTS = 3
_LONGEST_CALL = 30.0
_LONGEST_WAIT = 86_400
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # a small answer cannot unfold into a huge one
    "Cache-Control": "no-cache",
    "User-Agent": "shop-connector",
}
_PATHS = {
    Kind.ORDER: "orders",
    Kind.CUSTOMER: "customers",
    Kind.PRODUCT: "products",
    Kind.VARIANT: "products",
}

_MEND_KEYS = (
    "The shop's owner: check the consumer key and secret, and that the key belongs to an "
    "administrator. If they are right: WooCommerce takes them only when PHP sees https, so the "
    "address must be https, and a proxy that ends TLS must pass X-Forwarded-Proto on and WordPress "
    "heed it."
)
_MEND_WALL = (
    "The shop's owner: a firewall, a password or a security plugin before WordPress turned us "
    "away; let this machine's address reach /wp-json/."
)
_MEND_ROUTE = (
    "The shop's owner: check that WooCommerce is active and that WordPress > Settings > Permalinks "
    "is not 'Plain'."
)


@dataclass(frozen=True, slots=True)
class Found:
    """The shop has it, and this is what it said."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Missing:
    """WooCommerce itself said that there is no such thing."""


Answer: TypeAlias = Found | Missing


class _HiccupError(Exception):
    """No answer this time, as happens; worth asking again within the call."""


class WooCommerceClient:
    """Asks one shop. Safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        consumer_key: str,
        consumer_secret: str,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        address = httpx.URL(base_url.rstrip("/"))
        near = _is_loopback(address.host)
        if address.scheme != "https" and not near:
            raise ConfigurationFault(
                f"{address.host}: the shop's address must be https: over http WooCommerce refuses "
                "its keys, and everybody on the way could read them"
            )
        self._base = str(address)
        self._keys = httpx.BasicAuth(consumer_key, consumer_secret)
        self._http = httpx.Client(
            headers=_HEADERS,
            timeout=_TIMEOUT,
            follow_redirects=False,
            transport=transport,
            trust_env=not near,
        )
        self._ticks = ticks
        self._retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_HiccupError),
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            wait=tenacity.wait_random_exponential(multiplier=0.25, max=2),
            sleep=sleep,
            reraise=True,
        )

    def thing(self, kind: Kind, thing_id: str) -> Answer:
        """One order, customer, product or variation.

        Raises `TryLater` when the shop cannot answer, `LaneDown` when it refuses us.
        """
        return self._get(f"/wp-json/wc/v3/{_PATHS[kind]}/{thing_id}")

    def variations(self, product_id: str) -> Iterator[Mapping[str, Any]]:
        """Every variation of a product, as the shop shows them. Raises as `thing`."""
        path = f"/wp-json/wc/v3/products/{product_id}/variations"
        for page in range(1, _MOST_PAGES + 1):
            answer = self._get(f"{path}?per_page={PER_PAGE}&page={page}")
            if isinstance(answer, Missing):
                return
            items = items_in(answer.body)
            if items is None:
                raise TryLater(f"GET {path}: the answer is no list of variations")
            yield from items
            if len(items) < PER_PAGE:
                return

    def currency(self) -> Answer:
        """The shop's currency as ``{"code": "NOK", …}``. Raises as `thing`."""
        return self._get("/wp-json/wc/v3/data/currencies/current")

    def clock(self) -> Answer:
        """The site's ``timezone_string`` and ``gmt_offset``. Raises as `thing`."""
        return self._get("/wp-json/?_fields=gmt_offset,timezone_string", keys=False)

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _get(self, path: str, *, keys: bool = True) -> Answer:
        what = path.partition("?")[0]
        try:
            return self._retrying(self._get_once, path, what, keys=keys)
        except _HiccupError as hiccup:
            raise TryLater(f"GET {what}: {hiccup}") from None

    def _get_once(self, path: str, what: str, *, keys: bool) -> Answer:
        auth = self._keys if keys else None
        deadline = self._ticks() + _LONGEST_CALL
        try:
            with self._http.stream("GET", self._base + path, auth=auth) as response:
                body = self._read(response, deadline)
        except httpx.HTTPError as error:  # its text may hold addresses: the kind says enough
            raise _HiccupError(f"no answer ({type(error).__name__})") from None
        return _judge(response, body, what)

    def _read(self, response: httpx.Response, deadline: float) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise _HiccupError(f"the answer is larger than {LARGEST_ANSWER} bytes")
            if self._ticks() > deadline:
                raise _HiccupError(f"the answer took longer than {_LONGEST_CALL:.0f} s")
        return bytes(body)


def _judge(response: httpx.Response, body: bytes, what: str) -> Answer:
    """What an answer means for us. Raises where it is none."""
    status = response.status_code
    named = f"GET {what}: the shop answered {status}"
    code, told = error_in(body)
    if status == HTTPStatus.OK:
        if body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] not in {b"{", b"["}:
            raise _HiccupError("a web page instead of JSON")
        return Found(body)
    if status == HTTPStatus.NOT_FOUND and is_missing(code, told):
        return Missing()
    if code == "rest_no_route":
        raise LaneDown(f"{named}, it has no such route", mend=_MEND_ROUTE)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise LaneDown(f"{named} {code or ''}".rstrip(), mend=_MEND_KEYS if code else _MEND_WALL)
    if response.is_redirect:
        raise LaneDown(
            f"{named}, a redirect to {_host_of(response)}",
            mend="Whoever runs the connector: put the shop's final address in connector.yaml.",
        )
    wait = _retry_after(response.headers)
    passing = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT
    if passing and wait is None:
        raise _HiccupError(f"the shop answered {status}")
    raise TryLater(named, retry_after=wait)


def _host_of(response: httpx.Response) -> str:
    """Where a redirect leads, without path and query, which may hold secrets."""
    try:
        target = response.url.join(response.headers["Location"])
    except (httpx.InvalidURL, KeyError):
        return "nowhere"
    return f"{target.scheme}://{target.netloc.decode('ascii', 'replace')}"


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds to wait, from either form of the header; a date counts from the answer's own."""
    text = headers.get("Retry-After", "").strip()
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
