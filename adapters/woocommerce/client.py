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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeAlias

import httpx
import msgspec
import tenacity

from adapters.woocommerce.parse import count_items, is_missing
from connector.errors import ConfigurationFault, LaneDown, TryLater
from connector.model import Kind

LARGEST_ANSWER = 5 * 1024 * 1024
PER_PAGE = 100  # the most the API gives
_MOST_PAGES = 100
_ATTEMPTS = 3
_LONGEST_CALL = 30.0
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

    def variations(self, product_id: str) -> Iterator[bytes]:
        """The pages of a product's variations, each a JSON list. Raises as `thing`."""
        for page in range(1, _MOST_PAGES + 1):
            query = f"per_page={PER_PAGE}&page={page}"
            answer = self._get(f"/wp-json/wc/v3/products/{product_id}/variations?{query}")
            if isinstance(answer, Missing):
                return
            yield answer.body
            if count_items(answer.body) < PER_PAGE:
                return

    def currency(self) -> bytes:
        """The shop's currency as ``{"code": "NOK", …}``. Raises as `thing`."""
        return self._need("/wp-json/wc/v3/data/currencies/current")

    def clock(self) -> bytes:
        """The site's ``timezone_string`` and ``gmt_offset``. Raises as `thing`."""
        return self._need("/wp-json/?_fields=gmt_offset,timezone_string", auth=None)

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _need(self, path: str, *, auth: httpx.Auth | None = httpx.USE_CLIENT_DEFAULT) -> bytes:
        answer = self._get(path, auth=auth)
        if isinstance(answer, Missing):
            raise TryLater(f"the shop has no {path.partition('?')[0]}")
        return answer.body

    def _get(self, path: str, *, auth: httpx.Auth | None = None) -> Answer:
        what = path.partition("?")[0]
        try:
            return self._retrying(self._get_once, path, what, auth)
        except _HiccupError as hiccup:
            raise TryLater(f"GET {what}: {hiccup}") from None
