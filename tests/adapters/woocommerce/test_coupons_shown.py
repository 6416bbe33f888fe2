"""A key that may not see coupons: everything else is read as ever, and nothing is concluded."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

import httpx
import pytest

from adapters.woocommerce.check_up import examine_shop
from adapters.woocommerce.shop import WooCommerceShop
from connector.errors import LaneDown
from connector.model import Kind
from connector.ports import Grade, Scoped

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def shop_refusing(*things: str) -> WooCommerceShop:
    """A shop that answers 403 where it is asked for one of these."""

    def answer(request: httpx.Request) -> httpx.Response:
        if _is_of(request, things):
            told = {"code": "woocommerce_rest_cannot_view", "message": "Sorry.", "data": {}}
            return httpx.Response(403, json=told)
        if request.url.path.endswith("/data/currencies/current"):
            return httpx.Response(200, json={"code": "NOK"})
        if request.url.path.endswith("/wp-json/"):
            return httpx.Response(200, json={"timezone_string": "Europe/Oslo"})
        return httpx.Response(200, json=[], headers={"X-WP-Total": "0", "X-WP-TotalPages": "0"})

    transport = httpx.MockTransport(answer)
    return WooCommerceShop("wool", "https://wool.example", "ck_x", "cs_x", "NOK", None, transport)


def read(shop: WooCommerceShop, way: str) -> list[object]:
    """All its coupons, or their ids."""
    if way == "ids":
        return list(shop.ids(Kind.PROMOTION))
    return list(shop.history(Kind.PROMOTION, since=None, cursor=None, now=NOW))


def _is_of(request: httpx.Request, things: Collection[str]) -> bool:
    return request.url.path.rpartition("/")[2] in things


@pytest.mark.parametrize("way", ["history", "ids"])
def test_coupons_alone_are_refused(way: str) -> None:
    """Their reading ends at once with nothing, and they are none of the kinds until asked anew."""
    shop = shop_refusing("coupons")
    assert Kind.PROMOTION in shop.kinds
    assert [] == read(shop, way)
    assert (Kind.CUSTOMER, Kind.PRODUCT, Kind.ORDER) == tuple(shop.kinds)
    assert isinstance(shop, Scoped)
    shop.learn_kinds()
    assert Kind.PROMOTION in shop.kinds


@pytest.mark.parametrize("way", ["history", "ids"])
def test_a_key_that_is_refused_is_a_problem(way: str) -> None:
    """Nothing is shown: a person must mend that, and it is said."""
    shop = shop_refusing("coupons", "products", "orders", "customers")
    with pytest.raises(LaneDown, match="403 woocommerce_rest_cannot_view"):
        read(shop, way)
    assert Kind.PROMOTION in shop.kinds


def test_the_doctor_notes_it() -> None:
    """No alarm: a shop that has no coupons needs no such right."""
    findings = {each.what: each for each in examine_shop(shop_refusing("coupons")._client, now=NOW)}
    [note] = [each for what, each in findings.items() if what.startswith("coupons are not shown")]
    assert Grade.NOTE is note.grade
