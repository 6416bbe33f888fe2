"""The discount codes of the stand-in shop: made, changed and deleted, and how GraphQL shows them.

Webhooks only name a discount: https://shopify.dev/docs/api/webhooks/2026-10, its ``discounts/*``
topics. https://shopify.dev/docs/api/admin-graphql/2026-10/unions/Discount
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters.shopify.sandbox_desk import Act, Desk, Missing
from adapters.shopify.sandbox_pages import connection
from adapters.shopify.sandbox_words import gid, zulu
from adapters.town.books import Body

_BASIC, _SHIPPING = "DiscountCodeBasic", "DiscountCodeFreeShipping"
_WITH_CODES = frozenset({_BASIC, _SHIPPING})


class Discounts:
    """The discounts that a buyer gets for a code."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def create(self, given: Mapping[str, Any], *, now: datetime | None = None) -> Body:
        """Make a discount: ``code``, and as wanted the other words of a record, as below."""
        with self._desk.act(now) as act:
            at = zulu(act.moment.isoformat())
            record: Body = {
                "id": self._desk.number("others"),
                "sort": _BASIC,
                "title": given["code"],
                "status": "ACTIVE",
                "percentage": 0.1,
                "amount": None,
                "each_item": False,
                "for_all": True,
                "starts_at": at,
                "ends_at": None,
                "used": 0,
                "created_at": at,
                **given,
            }
            self._keep(record, act, "discounts/create")
        return record

    def get(self, number: int) -> Body:
        """One discount. Raises `Missing`."""
        record = self._desk.books.body("discounts", number)
        if record is None:
            raise Missing
        return record

    def change(self, number: int, given: Mapping[str, Any], *, now: datetime | None = None) -> Body:
        """Change any words of it."""
        with self._desk.act(now) as act:
            record: Body = {**self.get(number), **given}
            self._keep(record, act, "discounts/update")
        return record

    def delete(self, number: int, *, now: datetime | None = None) -> None:
        """Remove it for good."""
        with self._desk.act(now) as act:
            self.get(number)
            self._desk.books.drop("discounts", number)
            told = {"admin_graphql_api_id": gid("DiscountCodeNode", number)}
            act.tell("discounts/delete", told | {"deleted_at": zulu(act.moment.isoformat())})

    def _keep(self, record: Body, act: Act, topic: str) -> None:
        record["updated_at"] = zulu(act.moment.isoformat())
        self._desk.books.keep("discounts", record, act.moment, code=record["code"])
        act.tell(topic, _named(record))


def node(record: Body) -> Body:
    """A ``DiscountNode``; what it shows depends on the sort of discount."""
    told = {
        "__typename": record["sort"],
        "title": record["title"],
        "updatedAt": record["updated_at"],
    }
    if record["sort"] in _WITH_CODES:
        told |= _with_code(record)
    if record["sort"] == _BASIC:
        told["customerGets"] = {
            "items": {"__typename": "AllDiscountItems", "allItems": True},
            "value": _value(record),
        }
    return {"id": gid("DiscountCodeNode", record["id"]), "discount": told}


def _with_code(record: Body) -> Body:
    code = {
        "id": gid("DiscountRedeemCode", record["id"]),
        "code": record["code"],
        "asyncUsageCount": record["used"],
    }
    all_ = {"__typename": "DiscountBuyerSelectionAll", "all": "ALL"}
    some = {"__typename": "DiscountCustomers", "customers": []}
    return {
        "status": record["status"],
        "startsAt": record["starts_at"],
        "endsAt": record["ends_at"],
        "createdAt": record["created_at"],
        "asyncUsageCount": record["used"],
        "codes": lambda _, **given: connection([code], given),
        "context": all_ if record["for_all"] else some,
    }


def _value(record: Body) -> Body:
    if record["amount"] is None:
        return {"__typename": "DiscountPercentage", "percentage": record["percentage"]}
    return {
        "__typename": "DiscountAmount",
        "amount": record["amount"],
        "appliesOnEachItem": record["each_item"],
    }


def _named(record: Body) -> Body:
    return {
        "admin_graphql_api_id": gid("DiscountCodeNode", record["id"]),
        "title": record["title"],
        "status": record["status"],
        "created_at": record["created_at"],
        "updated_at": record["updated_at"],
    }
