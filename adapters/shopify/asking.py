"""Asks for one thing as a whole, page after page, and reads it as if a webhook had brought it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from adapters.shopify import translate
from adapters.shopify.answers import Answer
from adapters.shopify.kinds import CODES
from adapters.shopify.orders import understand_order
from adapters.shopify.parse import Place, guarded, slip_of
from adapters.shopify.payloads import ProductBody
from adapters.shopify.people import understand_customer
from adapters.shopify.products import read_product
from adapters.shopify.promotions import promotion_words, understand_promotion
from adapters.shopify.reading import Slip, read_gid, tie_of
from connector.errors import TryLater
from connector.model import (
    Delivery,
    Ignored,
    Kind,
    Quarantined,
    Understanding,
    Understood,
    Variant,
    Version,
    Wish,
)
from connector.shop_fields import read_moment, read_past
from connector.strict_json import Sound, examine

Ask = Callable[[str, Mapping[str, Any]], Answer]
"""Asks a query by its name. Raises `TryLater` or `LaneDown`."""

FIELDS_DENIED = "fields_not_allowed"
PAST = "history/"
"""What a put-aside thing's topic begins with: no webhook's does, and GraphQL has other words."""
_MOST_PAGES = (
    250  # of 50: more than the 2,048 variants a product and the 500 lines an order may have
)
_MOST_STARTS = 3
_PASTS: Mapping[str, Kind] = {
    "customers": Kind.CUSTOMER,
    "products": Kind.PRODUCT,
    "discounts": Kind.PROMOTION,
    "orders": Kind.ORDER,
}


@dataclass(frozen=True, slots=True)
class _Query:
    """How one kind of thing is asked for: the query, its one field, and what comes in pages."""

    name: str
    field: str
    gid: str
    pages: str | None = None
    other_gid: str = ""


_QUERIES: Mapping[Kind, _Query] = {
    Kind.CUSTOMER: _Query("customer", "customer", "Customer"),
    Kind.ORDER: _Query("order", "order", "Order", "lineItems"),
    Kind.PRODUCT: _Query("product", "product", "Product", "variants"),
    Kind.PROMOTION: _Query("discount", "discountNode", CODES[0], other_gid=CODES[1]),
    Kind.INVENTORY_ITEM: _Query("inventory_item", "inventoryItem", "InventoryItem"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """One thing with all its pages put together, and which of its fields we may not see."""

    node: Mapping[str, Any]
    parts: Sequence[Mapping[str, Any]]
    denied: tuple[str, ...]


def fetch(ask: Ask, wish: Wish) -> Whole | None:
    """The thing wished for; ``None`` when the shop has no such thing (any more).

    Should it change while its pages are turned, it is begun again. Raises `TryLater`, `LaneDown`.
    """
    for _ in range(_MOST_STARTS):
        first: Whole | None = None
        parts: list[Mapping[str, Any]] = []
        for page in _pages(ask, wish):
            if page is None:
                return None
            if first is not None and page.node.get("updatedAt") != first.node.get("updatedAt"):
                break
            first = first or page
            parts += page.parts
        else:
            return replace(first, parts=parts) if first is not None else None
    raise TryLater(f"{wish.kind} {wish.id} kept changing while it was read")


def _pages(ask: Ask, wish: Wish) -> Iterator[Whole | None]:
    query = _QUERIES[wish.kind]
    after: str | None = None
    for _ in range(_MOST_PAGES):
        variables = {"id": f"gid://shopify/{query.gid}/{wish.id}"}
        answer = ask(query.name, variables | ({"after": after} if query.pages else {}))
        node = answer.data.get(query.field)
        if node is None:
            yield None
            return
        told = node.get("id") if isinstance(node, dict) else None
        if not isinstance(node, dict) or read_gid(told, query.gid, query.other_gid) != wish.id:
            raise TryLater(f"the shop answered about something else than {wish.kind} {wish.id}")
        connection = node.get(query.pages) if query.pages else None
        yield Whole(node=node, parts=translate.nodes_in(connection), denied=answer.denied)
        after = _next_page(connection)
        if after is None:
            return
    raise TryLater(f"{wish.kind} {wish.id} has more than {_MOST_PAGES} pages")


def _next_page(connection: object) -> str | None:
    info = connection.get("pageInfo") if isinstance(connection, dict) else None
    if not isinstance(info, dict) or info.get("hasNextPage") is not True:
        return None
    cursor = info.get("endCursor")
    return cursor if isinstance(cursor, str) else None


def read(whole: Whole, wish: Wish, delivery: Delivery, place: Place) -> Understanding:
    """What the shop's answer says. Never raises for what it could answer."""
    if wish.kind is Kind.INVENTORY_ITEM:
        body = msgspec.json.encode(whole.node, order="sorted")
        slip = slip_of(delivery, body, place, asked=True)
        return guarded(lambda: _stock(whole, slip, delivery))
    return _read(whole, wish.kind, lambda body: slip_of(delivery, body, place, asked=True))


def recall(whole: Whole, kind: Kind, shop: str, now: datetime, place: Place) -> Understanding:
    """As `read`, of a thing that no delivery told of, in a reading that began ``now``."""
    changed = read_moment(whole.node.get("updatedAt"))

    def slip(body: bytes) -> Slip:
        return Slip(
            shop=shop,
            currency=place.currency,
            storefront=place.storefront,
            received_at=now,
            tie=tie_of(body, asked=True),
            known_at=changed,
        )

    return _read(whole, kind, slip)


def understand_past(delivery: Delivery, place: Place) -> Understanding:
    """What was read of the past and put aside, once more: a node and its parts, under `PAST`.

    It may have come as a webhook under a topic that is not its own: no webhook is such a list.
    """
    kind = _PASTS.get(delivery.topic.removeprefix(PAST))
    if kind is None:
        return Ignored(reason="topic not used: it is none of the past")
    examined = examine(b'{"past":' + delivery.body + b"}")
    match examined.value.get("past") if isinstance(examined, Sound) else None:
        case [dict() as node, list() as parts] if all(isinstance(part, dict) for part in parts):
            whole = Whole(node=node, parts=parts, denied=())
            return recall(whole, kind, delivery.shop, delivery.received_at, place)
        case _:
            return Quarantined(
                reason="shape",
                detail="it is no thing of the past with its parts",
                mend="Whoever runs the connector: read the past once more: connector reconcile.",
            )


def _read(whole: Whole, kind: Kind, slip_for: Callable[[bytes], Slip]) -> Understanding:
    """The digest is of what is read, so that the same thing has it however it was asked for."""
    reader = _READERS[kind]
    body = reader.body(whole)
    slip = slip_for(_encode(body))
    if whole.denied:
        slip.flag(FIELDS_DENIED)
    return guarded(lambda: reader.read(body, slip))


_encode = msgspec.json.Encoder().encode  # our own order, and inside it that of the query


def _product(body: ProductBody, slip: Slip) -> Understanding:
    product = replace(read_product(body, slip), all_variants=True)
    return Understood(facts=(product,), flags=tuple(slip.flags))


def _stock(whole: Whole, slip: Slip, delivery: Delivery) -> Understanding:
    """The variants of an inventory item, as of its newest change, which may be the delivery's."""
    if whole.denied:
        slip.flag(FIELDS_DENIED)
    examined = examine(delivery.body)
    told = examined.value if isinstance(examined, Sound) else {}
    moments = [
        read_past(each, slip) for each in (whole.node.get("updatedAt"), told.get("updated_at"))
    ]
    facts = tuple(
        _dated(variant, moments)
        for node in translate.nodes_in(whole.node.get("variants"))
        if isinstance(product := node.get("product"), dict)
        for variant in read_product(translate.product_body(product, [node]), slip).variants
    )
    return Understood(facts=facts, flags=tuple(slip.flags))


def _dated(variant: Variant, moments: Sequence[datetime | None]) -> Variant:
    newest = max([variant.version.at, *(moment for moment in moments if moment is not None)])
    return replace(variant, version=Version(at=newest, tie=variant.version.tie))


@dataclass(frozen=True, slots=True)
class _Reader:
    """How an answer about one kind of thing is said in the webhooks' words, and then read."""

    body: Callable[[Whole], Any]
    read: Callable[[Any, Slip], Understanding]


_READERS: Mapping[Kind, _Reader] = {
    Kind.CUSTOMER: _Reader(lambda whole: translate.customer_body(whole.node), understand_customer),
    Kind.ORDER: _Reader(
        lambda whole: translate.order_body(whole.node, whole.parts), understand_order
    ),
    Kind.PROMOTION: _Reader(lambda whole: promotion_words(whole.node), understand_promotion),
    Kind.PRODUCT: _Reader(lambda whole: translate.product_body(whole.node, whole.parts), _product),
}
