"""Who a WooCommerce shop is, from three answers; what is odd in them decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from adapters.woocommerce.shop import WooCommerceShop
from connector.errors import LaneDown, TryLater
from connector.ports import Fingerprint

_ORDERS, _SITE, _CURRENCY = "orders", "site", "currency"
_RIGHT: Mapping[str, Any] = {
    _ORDERS: [{"id": 28, "date_created_gmt": "2021-05-01T12:00:00"}],
    _SITE: {"home": "https://www.Wool.example/shop/", "url": "http://wool.example/wp"},
    _CURRENCY: {"code": "NOK"},
}


def told(**answers: Any) -> Fingerprint:
    """What is made of these answers."""
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        name = _CURRENCY if "currencies" in request.url.path else _SITE
        name = _ORDERS if request.url.path.endswith("/orders") else name
        given = (_RIGHT | answers)[name]
        return given if isinstance(given, httpx.Response) else httpx.Response(200, json=given)

    shop = WooCommerceShop(
        "wool",
        "https://wool.example",
        "ck_x",
        "cs_y",
        "NOK",
        transport=httpx.MockTransport(answer),
    )
    found = shop.fingerprint()
    oldest = next(url.params for url in asked if url.path.endswith("/orders"))
    assert ("id", "asc", "1") == (oldest["orderby"], oldest["order"], oldest["per_page"])
    return found


def test_address_currency_and_the_oldest_order() -> None:
    """Scheme, www and a slash at the end make no other shop."""
    found = told()
    assert ("wool.example/shop", "wool.example/wp", "NOK") == (
        found.identity,
        found.url,
        found.currency,
    )
    assert found.first_order is not None
    assert ("28", "2021-05-01T12:00:00+00:00") == (
        found.first_order.id,
        found.first_order.at and found.first_order.at.isoformat(),
    )


def test_a_shop_that_sold_nothing_yet() -> None:
    """It has no first order; a site that tells one address has that."""
    found = told(orders=[], site={"home": "https://wool.example"})
    assert (None, "wool.example") == (found.first_order, found.url)


@pytest.mark.parametrize("changed", ["https://staging.wool.example", "https://wool.example/old"])
def test_a_copy_elsewhere_is_another(changed: str) -> None:
    """Another host, or another folder of it."""
    assert told().identity != told(site={"home": changed}).identity


@pytest.mark.parametrize(
    ("name", "answer", "expected"),
    [
        (_ORDERS, {"message": "no list"}, TryLater),
        (_ORDERS, httpx.Response(200, text="<html>"), TryLater),
        (_ORDERS, httpx.Response(503), TryLater),
        (_ORDERS, httpx.Response(401, json={"code": "woocommerce_rest_cannot_view"}), LaneDown),
        (_SITE, {"home": None}, TryLater),
        (_SITE, httpx.Response(200, text="<html>"), TryLater),
        (_CURRENCY, {"code": "Kroner"}, TryLater),
    ],
)
def test_what_says_nothing_decides_nothing(
    name: str, answer: Any, expected: type[Exception]
) -> None:
    """It is asked once more later, or a person is told of the key."""
    make: Callable[..., Fingerprint] = told
    with pytest.raises(expected):
        make(**{name: answer})
