"""The fields at which a query of the stand-in's GraphQL can begin, and those it can change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapters.shopify.sandbox_bulk import Bulk
from adapters.shopify.sandbox_customers import Customers
from adapters.shopify.sandbox_desk import Desk, Missing
from adapters.shopify.sandbox_discounts import Discounts, node
from adapters.shopify.sandbox_goods import GoodsViews
from adapters.shopify.sandbox_pages import connection, counted, shelf
from adapters.shopify.sandbox_parts import named, need
from adapters.shopify.sandbox_permissions import Permissions
from adapters.shopify.sandbox_selling import Orders
from adapters.shopify.sandbox_shelves import Shelves
from adapters.shopify.sandbox_subscriptions import RefusedError, Subscriptions
from adapters.shopify.sandbox_views import People
from adapters.shopify.sandbox_words import VERSION, gid, number_in, zulu
from adapters.town.books import Body

_OPENED = "2020-01-01T00:00:00Z"


class Root:
    """The root of every query. ``fields`` has a function for each field of the schema's roots."""

    def __init__(
        self,
        desk: Desk,
        *,
        customers: Customers,
        orders: Orders,
        shelves: Shelves,
        discounts: Discounts,
        subscriptions: Subscriptions,
        scopes: frozenset[str],
        bulk: Bulk,
    ) -> None:
        self._desk = desk
        self._scopes = scopes
        self._subscriptions = subscriptions
        self._goods = goods = GoodsViews(desk, shelves, scopes)
        self._people = people = People(desk, scopes, goods.sold)
        one, many, count = self._one, self._many, self._count
        self.fields: Mapping[str, Callable[..., Any]] = {
            "shop": lambda _: self._shop(),
            "currentAppInstallation": lambda _: {
                "id": gid("AppInstallation", desk.site.id),
                "accessScopes": [{"handle": each} for each in sorted(scopes)],
            },
            "publicApiVersions": lambda _: [
                {"handle": VERSION, "displayName": f"{VERSION} (Latest)", "supported": True},
                {"handle": "unstable", "displayName": "unstable", "supported": False},
            ],
            "customer": one(
                "customer",
                "Customer",
                "read_customers",
                lambda n: people.customer(customers.get(n)),
            ),
            "customers": many("customers", "read_customers", people.customer),
            "customersCount": count("customers", "read_customers"),
            "ordersCount": count("orders", "read_orders"),
            "productsCount": count("products", "read_products"),
            "order": one("order", "Order", "read_orders", lambda n: people.order(orders.get(n))),
            "orders": many("orders", "read_orders", people.order),
            "product": one(
                "product", "Product", "read_products", lambda n: goods.product(shelves.get(n))
            ),
            "products": many("products", "read_products", goods.product),
            "productVariant": one(
                "productVariant", "ProductVariant", "read_products", goods.variant_numbered
            ),
            "inventoryItem": one(
                "inventoryItem", "InventoryItem", "read_inventory", goods.item_numbered
            ),
            "discountNode": one(
                "discountNode",
                "DiscountCodeNode",
                "read_discounts",
                lambda n: node(discounts.get(n)),
            ),
            "discountNodes": many("discounts", "read_discounts", node, field="discountNodes"),
            "discountNodesCount": count("discounts", "read_discounts", field="discountNodes"),
            "webhookSubscription": self._subscription,
            "webhookSubscriptions": self._subscribed,
            "webhookSubscriptionsCount": lambda _, **given: {
                "count": len(subscriptions.made()[: given.get("limit")]),
                "precision": "EXACT",
            },
            "webhookSubscriptionCreate": self._subscribe,
            "webhookSubscriptionUpdate": self._resubscribe,
            "webhookSubscriptionDelete": self._unsubscribe,
            **Permissions(desk, customers, scopes, people.customer).fields,
            **bulk.fields,
        }

    def _one(
        self, field: str, kind: str, scope: str, view: Callable[[int], Body | None]
    ) -> Callable[..., Body | None]:
        def resolve(_: Any, **given: Any) -> Body | None:
            need(self._scopes, field, scope)
            number = number_in(given["id"], kind)
            if number is None:
                raise ValueError(f"Invalid id: {given['id']}")
            try:
                return view(number)
            except Missing:
                return None

        return resolve

    def _many(
        self, table: str, scope: str, view: Callable[[Body], Body], field: str = ""
    ) -> Callable[..., Body]:
        def resolve(_: Any, **given: Any) -> Body:
            need(self._scopes, field or table, scope)
            return shelf(self._desk.books, table, given, view)

        return resolve

    def _count(self, table: str, scope: str, field: str = "") -> Callable[..., Body]:
        def resolve(_: Any, **given: Any) -> Body:
            need(self._scopes, f"{field or table}Count", scope)
            return counted(self._desk.books, table, given)

        return resolve

    def _shop(self) -> Body:
        site = self._desk.site
        return {
            "id": gid("Shop", site.id),
            "name": site.name,
            "email": f"post@{site.domain}",
            "contactEmail": f"post@{site.domain}",
            "myshopifyDomain": site.domain,
            "url": site.storefront,
            "ianaTimezone": site.timezone,
            "currencyCode": site.currency,
            "taxesIncluded": site.taxes_included,
            "createdAt": _OPENED,
            "updatedAt": _OPENED,
            "primaryDomain": {
                "id": gid("Domain", site.id),
                "host": site.storefront.partition("://")[2],
                "url": site.storefront,
            },
            "plan": {
                "publicDisplayName": "Basic",
                "shopifyPlus": False,
                "partnerDevelopment": False,
            },
        }

    def _subscription(self, _: Any, **given: Any) -> Body | None:
        number = number_in(given["id"], "WebhookSubscription")
        found = [each for each in self._subscriptions.made() if each["id"] == number]
        return _subscription_view(found[0]) if found else None

    def _subscribed(self, _: Any, **given: Any) -> Body:
        topics, uri = given.get("topics"), given.get("uri")
        found = [
            _subscription_view(each)
            for each in self._subscriptions.made()
            if (topics is None or each["topic"] in topics) and uri in {None, each["uri"]}
        ]
        return connection(found, given)

    def _subscribe(self, _: Any, **given: Any) -> Body:
        wanted, now = given["webhookSubscription"], self._desk.clock()
        return _answered(lambda: self._subscriptions.create(given["topic"], wanted, now))

    def _resubscribe(self, _: Any, **given: Any) -> Body:
        wanted, now = given["webhookSubscription"], self._desk.clock()
        number = number_in(given["id"], "WebhookSubscription") or 0
        return _answered(lambda: self._subscriptions.change(number, wanted, now))

    def _unsubscribe(self, _: Any, **given: Any) -> Body:
        try:
            self._subscriptions.delete(number_in(given["id"], "WebhookSubscription") or 0)
        except RefusedError as refused:
            return {"deletedWebhookSubscriptionId": None, "userErrors": [_user_error(refused)]}
        return {"deletedWebhookSubscriptionId": given["id"], "userErrors": []}


def _answered(change: Callable[[], Body]) -> Body:
    try:
        made = _subscription_view(change())
    except RefusedError as refused:
        return {"webhookSubscription": None, "userErrors": [_user_error(refused)]}
    return {"webhookSubscription": made, "userErrors": []}


def _user_error(refused: RefusedError) -> Body:
    return {"field": refused.field, "message": str(refused)}


def _subscription_view(body: Body) -> Body:
    return {
        **named("WebhookSubscription", body["id"]),
        "topic": body["topic"],
        "uri": body["uri"],
        "format": "JSON",
        "filter": None,
        "includeFields": body["include"],
        "metafieldNamespaces": [],
        "name": body["name"],
        "createdAt": zulu(body["created_at"]),
        "updatedAt": zulu(body["updated_at"]),
        "apiVersion": {"handle": VERSION, "displayName": VERSION, "supported": True},
    }
