"""Who wants to be told what: the subscriptions of our app, made through the API or by the app.

https://shopify.dev/docs/api/admin-graphql/2026-10/objects/WebhookSubscription
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from adapters.shopify.sandbox_words import LONG, Site, local
from adapters.town.books import Body, Books, opened

COMPLIANCE = ("customers/data_request", "customers/redact", "shop/redact")
"""Topics for which an app names its address in its own configuration only."""
SCOPES = {
    "customers": "read_customers",
    "customer": "read_customers",
    "customers_email_marketing_consent": "read_customers",
    "customers_marketing_consent": "read_customers",
    "orders": "read_orders",
    "refunds": "read_orders",
    "products": "read_products",
    "discounts": "read_discounts",
    "inventory_levels": "read_inventory",
}
"""The scope that a topic needs, by its first word; ``customers/merge`` has its own."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class RefusedError(Exception):
    """A subscription is not made so: a user error, with the field it is about."""

    def __init__(self, message: str, *field: str) -> None:
        self.field = list(field)
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One topic and the address it is told to. Those ``by_app`` are never taken away."""

    id: int
    topic: str
    url: str
    include: tuple[str, ...]
    name: str | None
    by_app: bool


def enum_of(topic: str) -> str:
    """GraphQL's word for a topic."""
    return topic.replace("/", "_").replace(".", "_").upper()


def scope_of(topic: str) -> str | None:
    """The scope that a topic needs."""
    if topic in {"customers/merge", enum_of("customers/merge")}:
        return "read_customer_merge"
    if topic in COMPLIANCE:
        return None
    words = topic.lower()
    longest = max((w for w in SCOPES if words.startswith((f"{w}/", f"{w}_", f"{w}."))), default="")
    return SCOPES.get(longest)


class Subscriptions:
    """The subscriptions, kept in the shop's books; topics are written as GraphQL writes them."""

    def __init__(self, books: Books, site: Site, scopes: frozenset[str]) -> None:
        self._books = books
        self._site = site
        self._scopes = scopes
        self._listeners: dict[str, list[Subscription]] = {}
        self._ids: frozenset[int] = frozenset()
        self._reread()

    def create(
        self, topic: str, given: Mapping[str, Any], now: datetime, *, by_app: bool = False
    ) -> Body:
        """Subscribe. Raises `RefusedError`."""
        needed = scope_of(topic)
        if needed is not None and needed not in self._scopes:
            told = "You cannot create a webhook subscription with the specified topic."
            raise RefusedError(told, "topic")
        url = _checked(given.get("uri"))
        if self._books.count("subscriptions", "topic = ? AND url = ?", (topic, url)):
            told = "Address for this topic has already been taken"
            raise RefusedError(told, "webhookSubscription", "uri")
        number, at = LONG + self._books.number("subscriptions"), local(now, self._site)
        body = {"id": number, "topic": topic, "uri": url, "created_at": at, "updated_at": at}
        body |= {"include": list(given.get("includeFields") or ()), "name": given.get("name")}
        self._keep(body, now, by_app=int(by_app))
        return body

    def change(self, number: int, given: Mapping[str, Any], now: datetime) -> Body:
        """Change the address, the fields or the name. Raises `RefusedError`."""
        body = self._own(number)
        if "uri" in given:
            body["uri"] = _checked(given["uri"])
        if "includeFields" in given:
            body["include"] = list(given["includeFields"] or ())
        body |= {"updated_at": local(now, self._site), "name": given.get("name", body["name"])}
        self._keep(body, now)
        return body

    def delete(self, number: int) -> None:
        """Unsubscribe. Raises `RefusedError`."""
        self._own(number)
        self.drop(number)

    def drop(self, number: int) -> None:
        """Take a subscription away, as the shop does with one that failed too often."""
        self._books.drop("subscriptions", number)
        self._reread()

    def made(self) -> list[Body]:
        """All that were made through the API."""
        return [opened(row) for row in self._books.rows("subscriptions", "by_app = 0")]

    def to(self, topic: str) -> list[Subscription]:
        """Who is told of a topic."""
        return self._listeners.get(enum_of(topic), [])

    def stands(self, number: int) -> bool:
        """Whether a subscription is still there."""
        return number in self._ids

    def _own(self, number: int) -> Body:
        row = self._books.row("subscriptions", number)
        if row is None or row["by_app"]:
            raise RefusedError("Webhook subscription does not exist", "id")
        return opened(row)

    def _keep(self, body: Body, now: datetime, **columns: Any) -> None:
        more = {"topic": body["topic"], "url": body["uri"], **columns}
        self._books.keep("subscriptions", body, now, **more)
        self._reread()

    def _reread(self) -> None:
        listeners: dict[str, list[Subscription]] = {}
        for row in self._books.rows("subscriptions"):
            body = opened(row)
            listeners.setdefault(row["topic"], []).append(
                Subscription(
                    id=row["id"],
                    topic=row["topic"],
                    url=row["url"],
                    include=tuple(body["include"]),
                    name=body["name"],
                    by_app=bool(row["by_app"]),
                )
            )
        self._listeners = listeners
        self._ids = frozenset(each.id for some in listeners.values() for each in some)


def _checked(url: Any) -> str:
    """An address that deliveries can go to; on this machine it may be plain http."""
    where = ("webhookSubscription", "uri")
    if not isinstance(url, str) or not url:
        raise RefusedError("Address can't be blank", *where)
    target = urlsplit(url)
    if target.scheme != "https" and not (target.scheme == "http" and target.hostname in _LOOPBACK):
        raise RefusedError("Address protocol http:// is not supported", *where)
    return url
