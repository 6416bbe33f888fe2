"""Who a Shopify shop is: its id and domain, its currency and the first order that we may see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.shopify.asking import Ask
from connector.errors import TryLater
from connector.moments import parse_utc
from connector.money import parse_currency
from connector.ports import Fingerprint, FirstOrder


def fingerprint(ask: Ask) -> Fingerprint:
    """Ask the shop. Without ``read_all_orders`` the first order moves on, as the oldest go.

    https://shopify.dev/docs/api/admin-graphql/latest/objects/Shop. Raises `TryLater` or `LaneDown`.
    """
    told = ask("fingerprint", {}).data
    shop = _object(told.get("shop"))
    identity, domain = shop.get("id"), shop.get("myshopifyDomain")
    currency = parse_currency(shop.get("currencyCode"))
    if not isinstance(identity, str) or not isinstance(domain, str) or currency is None:
        raise TryLater("the shop does not say its id, domain and currency")
    return Fingerprint(
        identity=identity,
        url=domain.lower(),
        currency=currency,
        first_order=_first(_object(told.get("orders")).get("nodes")),
    )


def _first(nodes: object) -> FirstOrder | None:
    node = _object(nodes[0]) if isinstance(nodes, list) and nodes else {}
    number = node.get("legacyResourceId")
    if not isinstance(number, str | int):
        return None
    return FirstOrder(id=str(number), at=parse_utc(node.get("createdAt")))


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
