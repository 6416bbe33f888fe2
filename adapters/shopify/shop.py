"""A Shopify shop as the connector sees it: its door, what it tells, and how to ask it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import httpx

from adapters.shopify import asking, pages, parse, subscriptions, take_back
from adapters.shopify.asking import Whole
from adapters.shopify.check_up import examine_shop, examine_webhooks
from adapters.shopify.client import Keys, ShopifyClient
from adapters.shopify.discounts_shown import DiscountsShown
from adapters.shopify.fingerprint import fingerprint
from adapters.shopify.history import Past
from adapters.shopify.kinds import SHELVES
from adapters.shopify.tokens import TokenStore
from connector.errors import LaneDown, TryLater
from connector.model import (
    Customer,
    Deleted,
    Delivery,
    Evidence,
    Kind,
    Quarantined,
    Understanding,
    Understood,
    Version,
    Wish,
)
from connector.money import parse_currency
from connector.ports import (
    Door,
    Finding,
    Fingerprint,
    Flaw,
    Haul,
    Letterbox,
    ShopFacts,
    Subscription,
)

CURRENT_VERSION = "2026-10"
PATIENCE = 8
"""Attempts after which an account counts without its tags, should the shop stay silent."""

NOT_COMPLETED = "customer_not_completed"


def door_of(domain: str) -> Door:
    """How a Shopify shop knocks. One app's secret signs for every shop, so it must say which."""
    return Door(
        signature_header="X-Shopify-Hmac-Sha256",
        topic_header=parse.TOPIC_HEADER,
        delivery_header="X-Shopify-Webhook-Id",
        kept_headers=(
            parse.SHOP_HEADER,
            parse.VERSION_HEADER,
            parse.TRIGGERED_HEADER,
            "X-Shopify-Event-Id",
            "X-Shopify-Name",
        ),
        origin_header=parse.SHOP_HEADER,
        origin=domain.strip().lower(),
    )


class ShopifyShop:
    """One shop. ``currency`` may be left open until `describe` has asked for it.

    ``domain`` is the shop's own ``….myshopify.com``. ``base_url`` stands in for it where the API is
    called, ``storefront`` where its pages are shown to buyers. Without a currency, product prices
    are unknown; orders name their own.
    """

    def __init__(  # noqa: PLR0913 - one argument for each setting of a shop
        self,
        name: str,
        domain: str,
        base_url: str | None = None,
        *,
        client_id: str | None = None,
        client_secrets: Sequence[str] = (),
        access_token: str | None = None,
        api_version: str = CURRENT_VERSION,
        currency: str | None = None,
        timezone: str | None = None,
        storefront: str | None = None,
        token_store: TokenStore | None = None,
        private_network: bool = False,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._name = name
        self._currency = currency
        self._timezone = timezone
        self._door = door_of(domain)
        self._place = parse.Place(
            domain=domain.strip().lower(),
            api_version=api_version,
            currency=currency,
            storefront=(storefront or f"https://{domain}").rstrip("/"),
        )
        self._client = ShopifyClient(
            name,
            base_url or f"https://{domain}",
            Keys(
                client_id=client_id,
                client_secrets=tuple(client_secrets),
                access_token=access_token,
                token_store=token_store,
            ),
            api_version=api_version,
            private_network=private_network,
            transport=transport,
        )
        self._past = Past(
            shop=name,
            place=self._place,
            ask=self._client.ask,
            fetch_file=self._client.fetch_file,
            rest=self._client.rest,
        )
        self._discounts = DiscountsShown(self._client.ask)

    @property
    def name(self) -> str:
        """The shop's name in the configuration."""
        return self._name

    @property
    def door(self) -> Door:
        """How its webhooks arrive."""
        return self._door

    @property
    def written_for(self) -> str:
        """The version of the API that its bodies are read as."""
        return self._place.api_version

    def version_of(self, delivery: Delivery) -> str | None:
        """The version of the API in which a body came, if it says so."""
        return parse.header(delivery, parse.VERSION_HEADER)

    def understand(self, delivery: Delivery) -> Understanding:
        """Translate one delivery into facts. Never raises for what a shop could send."""
        if delivery.topic.startswith(asking.PAST):
            return asking.understand_past(delivery, self._place)
        return parse.understand(delivery, self._place)

    def stray(self, delivery: Delivery, known: Fingerprint) -> Quarantined | None:
        """Why a delivery is another shop's than the known one's; ``None`` if it is not."""
        return parse.stray(delivery, known.url)

    def look_up(self, wish: Wish, delivery: Delivery) -> Understanding:
        """Ask the shop for what the delivery lacks.

        An account whose own facts came with the delivery is not held up for ever: after `PATIENCE`
        attempts it counts without tags. Raises `TryLater` when the shop cannot answer now,
        `LaneDown` when it refuses our token.
        """
        try:
            whole = asking.fetch(self._client.ask, wish)
        except (TryLater, LaneDown):
            if delivery.attempts < PATIENCE or self._own_customer(wish, delivery) is None:
                raise
            return Understood(flags=(NOT_COMPLETED,))
        if whole is None:
            return _gone(wish, delivery)
        if wish.expected_gone:
            return Understood(flags=("deletion_not_confirmed",))
        return self._completed(whole, wish, delivery)

    def describe(self) -> ShopFacts:
        """Ask the shop for its time zone and currency, those that are not configured.

        Raises as `look_up`, and `LaneDown` if the token is another shop's.
        """
        if self._timezone and self._currency:
            return ShopFacts(timezone=self._timezone, currency=self._currency)
        shop = self._client.ask("shop", {}).data.get("shop")
        told = shop if isinstance(shop, dict) else {}
        domain = told.get("myshopifyDomain")
        if isinstance(domain, str) and domain.lower() != self._place.domain:
            raise LaneDown(
                f"shop {self._name}: the token opens another shop than the one configured",
                mend="Whoever runs the connector: give the token and the domain of one shop.",
            )
        zone, currency = told.get("ianaTimezone"), parse_currency(told.get("currencyCode"))
        if not isinstance(zone, str) or currency is None:
            raise LaneDown(
                f"shop {self._name} tells no time zone and currency",
                mend="Whoever runs the connector: give this shop a timezone and a currency in "
                "connector.yaml (as Europe/Oslo, NOK).",
            )
        return ShopFacts(timezone=self._timezone or zone, currency=self._currency or currency)

    def fingerprint(self) -> Fingerprint:
        """Ask the shop who it is. Raises as `look_up`."""
        return fingerprint(self._client.ask)

    def check_up(self, *, now: datetime) -> Sequence[Finding]:
        """Try everything that work will need, change nothing, and say how it was. Never raises."""
        return tuple(examine_shop(self._client, self._place, now=now))

    @property
    def kinds(self) -> Sequence[Kind]:
        """What of the past can be read, each with all that belongs to it, as far as is known."""
        shown = self._discounts.are_shown
        return tuple(kind for kind in SHELVES if shown or kind is not Kind.PROMOTION)

    def learn_kinds(self) -> None:
        """Ask whether our app may read discounts. Never raises; what was known stays then."""
        self._discounts.learn()

    def history(
        self, kind: Kind, *, since: datetime | None, cursor: str | None, now: datetime
    ) -> Iterator[Haul]:
        """Everything of a kind, or what was changed since: see `connector.ports.Remembering`.

        While Shopify writes its file, hauls are empty. Raises `TryLater` or `LaneDown`.
        """
        hauls = self._past.history(kind, since=since, cursor=cursor, now=now)
        return self._discounts.while_shown(hauls) if kind is Kind.PROMOTION else hauls

    def ids(self, kind: Kind) -> Iterator[Sequence[str]]:
        """Every id of a kind, 250 at a time. Raises `TryLater` or `LaneDown`."""
        found = pages.ids(self._client.ask, kind)
        return self._discounts.while_shown(found) if kind is Kind.PROMOTION else found

    @property
    def unfiltered(self) -> Collection[Kind]:
        """Nothing: whatever can be read can be asked for by its change."""
        return ()

    @property
    def hides_old(self) -> Collection[Kind]:
        """Orders: those older than 60 days need the scope ``read_all_orders``.

        https://shopify.dev/docs/api/usage/access-scopes#orders-permissions
        """
        return (Kind.ORDER,)

    @property
    def told_at(self) -> datetime | None:
        """The time by the shop's clock when it last answered, if it said."""
        return self._client.told_at

    def latest(self, kind: Kind, *, now: datetime) -> Iterator[Haul]:
        """Nothing is unfiltered, so nothing is asked for."""
        del kind, now
        return iter(())

    def take_back(
        self,
        withdrawn: Evidence,
        *,
        customer_ids: Sequence[str],
        mark: Mapping[str, str] | None = None,
    ) -> bool:
        """Tell Shopify of a withdrawal, as of when it was made. False: nobody has that address.

        Raises `TryLater` or `LaneDown`.
        """
        del mark  # Shopify keeps permissions itself
        return take_back.take_back(self._client.ask, withdrawn, customer_ids)

    def list_webhooks(self) -> Sequence[Subscription]:
        """Every webhook of our app made by the API; others' are not shown to it.

        Raises `TryLater` or `LaneDown`.
        """
        return subscriptions.every(self._client.ask)

    def register_webhooks(self, letterbox: Letterbox) -> Sequence[Subscription]:
        """Make, mend and leave webhooks until each topic has one that is right.

        Raises as `list_webhooks`; what was done until then stays.
        """
        return tuple(subscriptions.register(self._client.ask, letterbox))

    def look_at_webhooks(self, letterbox: Letterbox) -> Sequence[Flaw]:
        """What `register_webhooks` would mend, and foreign versions. Raises as `list_webhooks`."""
        return tuple(subscriptions.flaws(self._client.ask, letterbox, self.written_for))

    def check_webhooks(self, letterbox: Letterbox) -> Sequence[Finding]:
        """Say which are missing or wrong, and what keeps Shopify from calling."""
        return tuple(examine_webhooks(self._client.ask, letterbox))

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def _completed(self, whole: Whole, wish: Wish, delivery: Delivery) -> Understanding:
        """The answer; where fields were denied, the account is what the delivery told, and more."""
        reading = asking.read(whole, wish, delivery, self._place)
        if not isinstance(reading, Understood) or not whole.denied:
            return reading
        own = self._own_customer(wish, delivery)
        if own is None:
            return reading
        facts = tuple(
            replace(own, version=fact.version, tags=fact.tags, meta=fact.meta)
            if isinstance(fact, Customer)
            else fact
            for fact in reading.facts
        )
        return replace(reading, facts=facts)

    def _own_customer(self, wish: Wish, delivery: Delivery) -> Customer | None:
        if wish.kind is not Kind.CUSTOMER:
            return None
        facts = parse.own_facts(delivery, wish, self._place)
        return next((fact for fact in facts if isinstance(fact, Customer)), None)


def _gone(wish: Wish, delivery: Delivery) -> Understood:
    """Shopify has no such thing: a deletion, if a delivery had said so.

    Without the scope ``read_all_orders`` it does not show orders older than 60 days either.
    """
    if not wish.expected_gone:
        return Understood(flags=("gone_when_asked",))
    version = Version(at=delivery.received_at)
    gone = Deleted(shop=delivery.shop, kind=wish.kind, id=wish.id, version=version)
    return Understood(facts=(gone,))
