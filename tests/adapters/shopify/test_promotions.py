"""Discount codes: asked for by their id, and told in one way whatever sort they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.shopify.shop import ShopifyShop
from connector.model import (
    Bearing,
    Deleted,
    Delivery,
    Ignored,
    Kind,
    Promotion,
    Understanding,
    Understood,
    Version,
    Wish,
    Worth,
)

Asked = Callable[..., tuple[ShopifyShop, list[dict[str, Any]]]]
Deliver = Callable[..., Delivery]
Read = Callable[..., Understanding]

GID = "gid://shopify/DiscountCodeNode/1057371195"
WISH = Wish(kind=Kind.PROMOTION, id="1057371195")
TOLD = {
    "admin_graphql_api_id": GID,
    "title": "SUMMER",
    "status": "ACTIVE",
    "created_at": "2026-11-01T00:00:00Z",
    "updated_at": "2026-11-23T10:00:00Z",
}
BASIC = {
    "__typename": "DiscountCodeBasic",
    "title": "Summer",
    "status": "ACTIVE",
    "startsAt": "2026-11-01T00:00:00Z",
    "endsAt": "2026-12-24T23:59:59Z",
    "createdAt": "2026-11-01T00:00:00Z",
    "updatedAt": "2026-11-23T10:00:00Z",
    "asyncUsageCount": 7,
    "codes": {"nodes": [{"code": "SUMMER"}]},
    "context": {"__typename": "DiscountBuyerSelectionAll"},
    "customerGets": {
        "items": {"__typename": "AllDiscountItems"},
        "value": {"percentage": 0.125},
    },
}
AMOUNT = {"amount": {"amount": "25.0", "currencyCode": "NOK"}, "appliesOnEachItem": True}


def answered(asked: Asked, deliver: Deliver, node: Any) -> Understood:
    """What comes of asking for the discount."""
    shop, questions = asked({"data": {"discountNode": node}})
    understanding = shop.look_up(WISH, deliver("discounts/update", TOLD))
    assert isinstance(understanding, Understood)
    assert [{"id": GID}] == [each["variables"] for each in questions]
    return understanding


def node(**parts: Any) -> dict[str, Any]:
    return {"id": GID, "discount": BASIC | parts}


@pytest.mark.parametrize("topic", ["discounts/create", "discounts/update", "discounts/delete"])
def test_a_webhook_only_names_it(understand: Read, topic: str) -> None:
    """What it is, and whether it is gone, only the shop can say."""
    gone = topic == "discounts/delete"
    body = {"admin_graphql_api_id": GID} if gone else TOLD
    wish = Wish(kind=Kind.PROMOTION, id="1057371195", expected_gone=gone)
    assert Understood(wishes=(wish,)) == understand(topic, body)


def test_a_discount_without_a_code_is_left_alone(understand: Read) -> None:
    """It works by itself, and nobody can be told of a code."""
    body = TOLD | {"admin_graphql_api_id": "gid://shopify/DiscountAutomaticNode/1"}
    assert Ignored(reason="a discount without a code") == understand("discounts/update", body)


def test_a_whole_promotion(asked: Asked, deliver: Deliver) -> None:
    """An eighth off everything, for all who have the code."""
    (fact,) = answered(asked, deliver, node()).facts
    assert isinstance(fact, Promotion)
    assert (
        Promotion(
            shop="yarn",
            id="1057371195",
            version=Version(datetime(2026, 11, 23, 10, 0, tzinfo=UTC), fact.version.tie),
            code="SUMMER",
            worth=Worth.PERCENTAGE,
            amount=1_250,
            bearing=Bearing.TOTAL,
            title="Summer",
            starts_at=datetime(2026, 11, 1, tzinfo=UTC),
            ends_at=datetime(2026, 12, 24, 23, 59, 59, tzinfo=UTC),
            usage_count=7,
        )
        == fact
    )


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            {"customerGets": {"items": {"__typename": "AllDiscountItems"}, "value": AMOUNT}},
            (Worth.FIXED, 2_500, Bearing.PER_ITEM, "NOK", True),
        ),
        (
            {
                "customerGets": {
                    "items": {"__typename": "AllDiscountItems"},
                    "value": AMOUNT | {"appliesOnEachItem": False},
                }
            },
            (Worth.FIXED, 2_500, Bearing.TOTAL, "NOK", True),
        ),
        (
            {
                "customerGets": {
                    "items": {"__typename": "DiscountProducts"},
                    "value": {"percentage": 1},
                }
            },
            (Worth.PERCENTAGE, 10_000, Bearing.PER_ITEM, None, True),
        ),
        (
            {"__typename": "DiscountCodeFreeShipping", "customerGets": None},
            (Worth.PERCENTAGE, 10_000, Bearing.SHIPPING, None, True),
        ),
        ({"status": "EXPIRED"}, (Worth.PERCENTAGE, 1_250, Bearing.TOTAL, None, False)),
        ({"status": "SCHEDULED"}, (Worth.PERCENTAGE, 1_250, Bearing.TOTAL, None, True)),
    ],
)
def test_every_sort(
    asked: Asked, deliver: Deliver, parts: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    """How much it takes off what, and whether it can be used."""
    (fact,) = answered(asked, deliver, node(**parts)).facts
    assert isinstance(fact, Promotion)
    assert expected == (fact.worth, fact.amount, fact.bearing, fact.currency, fact.enabled)


@pytest.mark.parametrize(
    "parts",
    [
        {"context": {"__typename": "DiscountCustomers"}},
        {"context": {"__typename": "DiscountCustomerSegments"}},
        {"__typename": "DiscountCodeApp"},
        {"__typename": "DiscountCodeBxgy"},
        {"codes": {"nodes": []}},
        {"customerGets": {"items": {}, "value": {"percentage": 7}}},
    ],
)
def test_what_is_not_for_everybody_is_no_promotion(
    asked: Asked, deliver: Deliver, parts: dict[str, Any]
) -> None:
    """For certain people, worked out by an app, or without a code: none, also if it was one."""
    (fact,) = answered(asked, deliver, node(**parts)).facts
    assert isinstance(fact, Deleted)
    assert (Kind.PROMOTION, "1057371195") == (fact.kind, fact.id)


def test_a_deletion_is_believed_when_the_shop_has_it_no_more(
    asked: Asked, deliver: Deliver
) -> None:
    """It is asked first: what is there is not gone."""
    wish = Wish(kind=Kind.PROMOTION, id="1057371195", expected_gone=True)
    delivery = deliver("discounts/delete", {"admin_graphql_api_id": GID})
    shop, _ = asked({"data": {"discountNode": None}}, {"data": {"discountNode": node()}})
    gone = shop.look_up(wish, delivery)
    assert isinstance(gone, Understood)
    assert [(Kind.PROMOTION, "1057371195")] == [
        (fact.kind, fact.id) for fact in gone.facts if isinstance(fact, Deleted)
    ]
    assert Understood(flags=("deletion_not_confirmed",)) == shop.look_up(wish, delivery)
