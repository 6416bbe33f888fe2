"""Who a WooCommerce shop is: its address, its currency and the oldest order that it still has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from adapters.line import HiccupError
from adapters.woocommerce.bodies import items_in
from adapters.woocommerce.client import WooCommerceClient
from adapters.woocommerce.verdicts import Answer, Found
from connector.errors import TryLater
from connector.moments import parse_utc
from connector.money import parse_currency
from connector.ports import Fingerprint, FirstOrder
from connector.strict_json import Sound, examine

_OLDEST: Mapping[str, str | int] = {
    "orderby": "id",
    "order": "asc",
    "per_page": 1,
    "_fields": "id,date_created_gmt",
}


def fingerprint(client: WooCommerceClient) -> Fingerprint:
    """Ask the shop. WordPress has no id of a site: its ``home`` is what it is known by.

    https://developer.wordpress.org/rest-api/reference/ (the index),
    https://woocommerce.github.io/woocommerce-rest-api-docs/#list-all-orders. Raises `TryLater` or
    `LaneDown`.
    """
    first = _first_order(client)  # asked once only: a shop that is away is found out soon
    site = _object(client.site(), "the site's index")
    currency = parse_currency(_object(client.currency(), "the shop's currency").get("code"))
    home = site.get("home")
    if not isinstance(home, str) or not home or currency is None:
        raise TryLater("the shop does not say its address and currency")
    url = site.get("url")
    return Fingerprint(
        identity=_plain(home),
        url=_plain(url) if isinstance(url, str) and url else _plain(home),
        currency=currency,
        first_order=first,
    )


def _first_order(client: WooCommerceClient) -> FirstOrder | None:
    try:
        listed = client.listed("orders", _OLDEST)
    except HiccupError as hiccup:
        raise TryLater(f"the first order cannot be seen: {hiccup}") from None
    rows = None if listed is None else items_in(listed.body)
    if rows is None:
        raise TryLater("the answer holds no list of orders")
    for row in rows:
        number = row.get("id")
        if isinstance(number, int):
            return FirstOrder(id=str(number), at=parse_utc(row.get("date_created_gmt")))
    return None


def _object(answer: Answer, what: str) -> Mapping[str, Any]:
    examined = examine(answer.body) if isinstance(answer, Found) else None
    if not isinstance(examined, Sound):
        raise TryLater(f"{what} is no JSON object")
    return examined.value


def _plain(address: str) -> str:
    """Host and path: a certificate or a ``www.`` that came later is no other shop."""
    parts = urlsplit(address)
    host = parts.netloc.lower().removeprefix("www.")
    return f"{host}{parts.path.rstrip('/')}"
