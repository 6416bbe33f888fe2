"""The only door to a shop's REST API: it asks for one thing, and says when it got no answer.

All it ever asks, each a GET that may be repeated:

==========================================================================  =====
``/wp-json/wc/v3/orders/{id}``                                              Basic
``/wp-json/wc/v3/customers/{id}``                                           Basic
``/wp-json/wc/v3/products/{id}`` (also for the id of a variation)           Basic
``/wp-json/wc/v3/products/{id}/variations?per_page=100&page=N``             Basic
``/wp-json/wc/v3/{orders,customers,products,variations}?…`` (`listed`)      Basic
``/wp-json/wc/v3/data/currencies/current``                                  Basic
``/wp-json/wc/v3/{orders,customers,products}?per_page=1&_fields=id``        Basic
``/wp-json/wc/v3/webhooks?per_page=100&page=N``                             Basic
``/wp-json/?_fields=gmt_offset,timezone_string``                            none
``/wp-json/?_fields=home,url``                                              none
==========================================================================  =====

The last two are public, and since WooCommerce 11.1 its keys are refused outside ``wc/``. All it
ever writes are webhooks: ``POST /wp-json/wc/v3/webhooks`` (once, never repeated by itself), ``PUT``
and ``DELETE /wp-json/wc/v3/webhooks/{id}``; and a withdrawal into an account's extra field:
``PUT /wp-json/wc/v3/customers/{id}``.
Reference: https://woocommerce.github.io/woocommerce-rest-api-docs/.
"""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

import httpx
import tenacity

from adapters import line
from adapters.line import HiccupError
from adapters.woocommerce.bodies import items_in
from adapters.woocommerce.stretches import Listed, TooMuchError
from adapters.woocommerce.verdicts import (
    Answer,
    Found,
    Missing,
    RefusedError,
    judge,
    kind_of,
)
from connector.errors import ConfigurationFault, TryLater
from connector.model import Kind
from connector.strict_json import Sound, examine

LARGEST_ANSWER = 5 * 1024 * 1024
LARGEST_LIST = 12 * 1024 * 1024
PER_PAGE = 100  # the most the API gives
_MOST_PAGES = 100
_ATTEMPTS = 3
_LONGEST_CALL = 30.0
_LONGEST_SILENCE = 10.0
_SLOWEST_LIST = 60.0
_PATHS = {
    Kind.ORDER: "orders",
    Kind.CUSTOMER: "customers",
    Kind.PRODUCT: "products",
    Kind.VARIANT: "products",
    Kind.PROMOTION: "coupons",
}


class WooCommerceClient:
    """Asks one shop. Safe to share between threads.

    ``told_at`` is the time by the shop's clock when it last answered, if it said.
    """

    def __init__(
        self,
        base_url: str,
        consumer_key: str,
        consumer_secret: str,
        *,
        private_network: bool = False,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        address = httpx.URL(base_url.rstrip("/"))
        if not line.is_private(address):
            raise ConfigurationFault(
                f"{address.host}: the shop's address must be https: over http WooCommerce refuses "
                "its keys, and everybody on the way could read them"
            )
        self._base = str(address)
        self._keys = httpx.BasicAuth(consumer_key, consumer_secret)
        self._http = line.open_line(
            address,
            seconds=_LONGEST_SILENCE,
            transport=transport,
            headers={"Cache-Control": "no-cache"},
            private_network=private_network,
        )
        self._ticks = ticks
        self._line_id, self._numbers = secrets.token_hex(4), itertools.count()
        self.told_at: datetime | None = None
        self._retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(HiccupError),
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
        return self._pages(f"/wp-json/wc/v3/products/{product_id}/variations", "variations")

    def listed(self, things: str, query: Mapping[str, str | int]) -> Listed | None:
        """One stretch of a list, asked for once; ``None`` if it hangs on a thing that is gone.

        Every address is a new one, for caches that heed no header: WordPress passes over a
        parameter it does not know. Raises `HiccupError`, `TooMuchError`, `TryLater` or `LaneDown`.
        """
        path = f"/wp-json/wc/v3/{things}"
        what = f"GET {path}"
        asked = urlencode({**query, "_": f"{self._line_id}{next(self._numbers)}"})
        since = self._ticks()
        try:
            with (
                line.within(_SLOWEST_LIST),
                self._http.stream(
                    "GET", f"{self._base}{path}?{asked}", auth=self._keys, timeout=_SLOWEST_LIST / 2
                ) as response,
            ):
                body = line.read_body(
                    response,
                    largest=LARGEST_LIST,
                    seconds=_SLOWEST_LIST,
                    since=since,
                    ticks=self._ticks,
                )
        except (httpx.ReadTimeout, HiccupError) as problem:
            raise TooMuchError(str(problem) or "no answer in time") from None
        except httpx.HTTPError as error:
            raise HiccupError(f"no answer ({kind_of(error)})") from None
        self.told_at = line.date_in(response.headers)
        if isinstance(judge(response, body, what, reading=True), Missing):
            return None
        return Listed.of(body, response.headers, ticks=self._ticks(), since=since)

    def may_read(self, things: str) -> bool:
        """Whether a list, as ``orders`` or ``coupons``, is shown. Raises as `thing`."""
        answer = self._get(f"/wp-json/wc/v3/{things}?per_page=1&_fields=id")
        return isinstance(answer, Found) and items_in(answer.body) is not None

    def may_write(self) -> bool:
        """Whether the key may write, tried on a webhook that cannot exist. Raises as `thing`.

        A key that only reads is turned away before the webhook is looked for: ``check_permissions``
        in class-wc-rest-authentication.php, https://github.com/woocommerce/woocommerce.
        """
        try:
            self._write("PUT", "/wp-json/wc/v3/webhooks/0", {"status": "paused"})
        except RefusedError as refused:
            return refused.code.endswith("_invalid_id")
        return True

    def webhooks(self) -> Iterator[Mapping[str, Any]]:
        """Every webhook, as the shop shows them: never with its secret. Raises as `thing`."""
        return self._pages("/wp-json/wc/v3/webhooks", "webhooks")

    def make_webhook(self, wanted: Mapping[str, str]) -> Mapping[str, Any]:
        """Make a webhook: ``name``, ``topic``, ``delivery_url``, ``secret``. Raises as `thing`.

        The shop calls the address at once, unsigned, before it answers.
        """
        return self._written("POST", "/wp-json/wc/v3/webhooks", wanted)

    def change_webhook(self, webhook: str, wanted: Mapping[str, str]) -> Mapping[str, Any]:
        """Change an address, a secret or a status. Raises as `thing`."""
        return self._written("PUT", f"/wp-json/wc/v3/webhooks/{webhook}", wanted)

    def mark_customer(self, customer: str, marks: Mapping[str, str]) -> None:
        """Write extra fields of an account: nothing else of it is touched. Raises as `thing`."""
        meta = [{"key": key, "value": value} for key, value in marks.items()]
        self._written("PUT", f"/wp-json/wc/v3/customers/{customer}", {"meta_data": meta})

    def remove_webhook(self, webhook: str) -> None:
        """Remove a webhook for good. Raises as `thing`."""
        self._written("DELETE", f"/wp-json/wc/v3/webhooks/{webhook}?force=true", None)

    def _pages(self, path: str, what: str) -> Iterator[Mapping[str, Any]]:
        for page in range(1, _MOST_PAGES + 1):
            answer = self._get(f"{path}?per_page={PER_PAGE}&page={page}")
            if isinstance(answer, Missing):
                return
            items = items_in(answer.body)
            if items is None:
                raise TryLater(f"GET {path}: the answer is no list of {what}")
            yield from items
            if len(items) < PER_PAGE:
                return

    def currency(self) -> Answer:
        """The shop's currency as ``{"code": "NOK", …}``. Raises as `thing`."""
        return self._get("/wp-json/wc/v3/data/currencies/current")

    def clock(self) -> Answer:
        """The site's ``timezone_string`` and ``gmt_offset``. Raises as `thing`."""
        return self._get("/wp-json/?_fields=gmt_offset,timezone_string", keys=False)

    def site(self) -> Answer:
        """The site's ``home`` and ``url``. Raises as `thing`."""
        return self._get("/wp-json/?_fields=home,url", keys=False)

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _get(self, path: str, *, keys: bool = True) -> Answer:
        what = f"GET {path.partition('?')[0]}"
        try:
            return self._retrying(self._ask_once, "GET", path, what, keys=keys)
        except HiccupError as hiccup:
            raise TryLater(f"{what}: {hiccup}") from None

    def _written(
        self, method: str, path: str, wanted: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        try:
            answer = self._write(method, path, wanted)
        except RefusedError as refused:
            raise refused.as_down() from None
        examined = examine(answer.body) if isinstance(answer, Found) else None
        if not isinstance(examined, Sound):
            raise TryLater(f"{method} {path.partition('?')[0]}: the answer is no JSON object")
        return examined.value

    def _write(self, method: str, path: str, wanted: Mapping[str, Any] | None) -> Answer:
        """Raises `RefusedError` when WooCommerce itself says no."""
        what = f"{method} {path.partition('?')[0]}"
        # A POST is not repeated: the answer may be lost though the webhook was made.
        ask = self._ask_once if method == "POST" else partial(self._retrying, self._ask_once)
        try:
            return ask(method, path, what, keys=True, content=wanted)
        except HiccupError as hiccup:
            raise TryLater(f"{what}: {hiccup}") from None

    def _ask_once(
        self,
        method: str,
        path: str,
        what: str,
        *,
        keys: bool,
        content: Mapping[str, Any] | None = None,
    ) -> Answer:
        auth = self._keys if keys else None
        since = self._ticks()
        try:
            with (
                line.within(_LONGEST_CALL),
                self._http.stream(method, self._base + path, auth=auth, json=content) as response,
            ):
                body = line.read_body(
                    response,
                    largest=LARGEST_ANSWER,
                    seconds=_LONGEST_CALL,
                    since=since,
                    ticks=self._ticks,
                )
        except httpx.HTTPError as error:  # its text may hold addresses: the kind says enough
            raise HiccupError(f"no answer ({kind_of(error)})") from None
        self.told_at = line.date_in(response.headers)
        return judge(response, body, what, reading=method == "GET")
