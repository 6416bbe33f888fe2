"""A WooCommerce shop as the connector sees it: its door, what it tells, and how to ask it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx

from adapters.woocommerce import origin, subscriptions, take_back
from adapters.woocommerce.check_up import examine_shop, examine_webhooks
from adapters.woocommerce.client import WooCommerceClient
from adapters.woocommerce.coupons_shown import CouponsShown
from adapters.woocommerce.fingerprint import fingerprint
from adapters.woocommerce.history import KINDS, UNFILTERED, History
from adapters.woocommerce.parse import (
    slip_for,
    understand,
    understand_answer,
)
from adapters.woocommerce.politeness import Manners, PoliteReader
from adapters.woocommerce.variations import with_variations
from adapters.woocommerce.verdicts import Found
from connector.errors import LaneDown, TryLater
from connector.model import (
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
from connector.strict_json import Sound, examine

_MEND_ZONE = (
    "Whoever runs the connector: give this shop a timezone in connector.yaml (as Europe/Oslo). Or "
    "the shop's owner: choose a city under WordPress > Settings > General > Timezone."
)
_MEND_CURRENCY = "Whoever runs the connector: give this shop a currency in connector.yaml (as NOK)."
DEFAULT_MANNERS = Manners()
_WEST, _EAST = -12, 14  # the whole hours that have an Etc/GMT zone


class WooCommerceShop:
    """One shop. ``currency`` may be left open until `describe` has asked for it.

    Without a currency, product prices are unknown; orders name their own.
    """

    door: ClassVar[Door] = Door(
        signature_header="X-WC-Webhook-Signature",
        topic_header="X-WC-Webhook-Topic",
        delivery_header="X-WC-Webhook-Delivery-ID",
        kept_headers=(
            origin.SOURCE_HEADER,
            "X-WC-Webhook-Resource",
            "X-WC-Webhook-Event",
            "X-WC-Webhook-ID",
            "X-WC-Webhook-Delivery-ID",
        ),
        ping=re.compile(rb"webhook_id=\d{1,10}"),
        secret_a_topic=True,
    )

    def __init__(  # noqa: PLR0913 - each is a setting of the shop, or a test's
        self,
        name: str,
        base_url: str,
        consumer_key: str,
        consumer_secret: str,
        currency: str | None,
        timezone: str | None = None,
        transport: httpx.BaseTransport | None = None,
        *,
        private_network: bool = False,
        manners: Manners = DEFAULT_MANNERS,
    ) -> None:
        self._name = name
        self._currency = currency
        self._timezone = timezone
        self._base_url = base_url
        self._client = WooCommerceClient(
            base_url,
            consumer_key,
            consumer_secret,
            private_network=private_network,
            transport=transport,
        )
        self._coupons = CouponsShown(self._client)
        polite = PoliteReader(self._client, manners)
        self._history = History(shop=name, currency=currency, polite=polite)

    @property
    def name(self) -> str:
        """The shop's name in the configuration."""
        return self._name

    def understand(self, delivery: Delivery) -> Understanding:
        """Translate one delivery into facts. Never raises for what a shop could send."""
        return understand(delivery, self._currency)

    def stray(self, delivery: Delivery, known: Fingerprint) -> Quarantined | None:
        """Why a delivery comes from another site than the known shop's; ``None`` if it does not."""
        return origin.stray(delivery, known)

    def look_up(self, wish: Wish, delivery: Delivery) -> Understanding:
        """Ask the shop for what the delivery lacks.

        Raises `TryLater` when the shop cannot answer now, `LaneDown` when it refuses our key.
        """
        answer = self._client.thing(wish.kind, wish.id)
        if not isinstance(answer, Found):
            return _gone(wish, delivery)
        read = understand_answer(answer.body, wish, delivery, self._currency)
        if read is None:
            raise TryLater(f"the shop answered about something else than {wish.kind} {wish.id}")
        if not isinstance(read, Understood):
            return read
        if not wish.expected_gone:
            return self._with_variations(read, delivery)
        confirmed = any(isinstance(fact, Deleted) for fact in read.facts)
        doubt = () if confirmed else ("deletion_not_confirmed",)
        return replace(read, wishes=(), flags=(*read.flags, *doubt))

    @property
    def kinds(self) -> Sequence[Kind]:
        """What of its past can be read, in the order in which it is best read."""
        shown = self._coupons.are_shown
        return tuple(kind for kind in KINDS if shown or kind is not Kind.PROMOTION)

    def learn_kinds(self) -> None:
        """See `connector.ports.Scoped`: coupons that were refused are tried once more."""
        self._coupons.learn()

    def history(
        self, kind: Kind, *, since: datetime | None, cursor: str | None, now: datetime
    ) -> Iterator[Haul]:
        """Read on after ``cursor``, oldest first, to the end; accounts cannot be asked ``since``.

        Raises `TryLater` or `LaneDown`; the hauls given until then stand.
        """
        found = self._history.read(kind, since=since, cursor=cursor, now=now)
        return self._coupons.while_shown(found) if kind is Kind.PROMOTION else found

    def ids(self, kind: Kind) -> Iterator[Sequence[str]]:
        """Every id of a kind that the shop shows today, in pages. Raises as `history`."""
        found = self._history.ids(kind)
        return self._coupons.while_shown(found) if kind is Kind.PROMOTION else found

    @property
    def unfiltered(self) -> Collection[Kind]:
        """Accounts: their list has no filter for changes."""
        return UNFILTERED

    @property
    def hides_old(self) -> Collection[Kind]:
        """Nothing: whatever there is, is shown."""
        return ()

    @property
    def told_at(self) -> datetime | None:
        """The time by the shop's clock when it last answered, if it said."""
        return self._client.told_at

    def latest(self, kind: Kind, *, now: datetime) -> Iterator[Haul]:
        """The accounts opened last, at most a hundred. Raises as `history`."""
        return self._history.latest(kind, now=now)

    def describe(self) -> ShopFacts:
        """Ask the shop for its time zone and currency, those that are not configured.

        Raises as `look_up`.
        """
        return ShopFacts(
            timezone=self._timezone or self._ask_timezone(),
            currency=self._currency or self._ask_currency(),
        )

    def fingerprint(self) -> Fingerprint:
        """Ask the shop who it is. Raises as `look_up`."""
        return fingerprint(self._client)

    def check_up(self, *, now: datetime) -> Sequence[Finding]:
        """Try everything that work will need, change nothing, and say how it was. Never raises."""
        return tuple(examine_shop(self._client, now=now))

    def list_webhooks(self) -> Sequence[Subscription]:
        """Every webhook of the shop, others' as well. Raises `TryLater` or `LaneDown`."""
        return subscriptions.every(self._client)

    def register_webhooks(self, letterbox: Letterbox) -> Sequence[Subscription]:
        """Make, mend and leave webhooks until each topic has one that is right.

        Raises as `list_webhooks`; what was done until then stays.
        """
        return tuple(subscriptions.register(self._client, letterbox))

    def look_at_webhooks(self, letterbox: Letterbox) -> Sequence[Flaw]:
        """What `register_webhooks` would mend. Raises as `list_webhooks`."""
        return tuple(subscriptions.flaws(self._client, letterbox))

    def check_webhooks(self, letterbox: Letterbox) -> Sequence[Finding]:
        """Say which are missing, switched off or wrong, and what keeps the shop from calling."""
        return tuple(examine_webhooks(self._client, letterbox, self._base_url))

    def take_back(
        self,
        withdrawn: Evidence,
        *,
        customer_ids: Sequence[str],
        mark: Mapping[str, str] | None = None,
    ) -> bool:
        """Write a withdrawal into the field that the mapping names; without one, nowhere."""
        return bool(mark) and take_back.take_back(self._client, withdrawn, customer_ids, mark or {})

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def _with_variations(self, read: Understood, delivery: Delivery) -> Understood:
        """The answer, with the variations it wishes for fetched as well."""
        slip = slip_for(delivery, delivery.body, self._currency)
        return with_variations(read, self._client.variations, slip)

    def _ask_timezone(self) -> str:
        answer = self._client.clock()
        examined = examine(answer.body) if isinstance(answer, Found) else None
        told = examined.value if isinstance(examined, Sound) else {}
        zone = told.get("timezone_string") or _fixed_zone(told.get("gmt_offset"))
        if not isinstance(zone, str) or not _is_zone(zone):
            raise LaneDown(f"shop {self._name} tells no usable time zone", mend=_MEND_ZONE)
        return zone

    def _ask_currency(self) -> str:
        answer = self._client.currency()
        examined = examine(answer.body) if isinstance(answer, Found) else None
        told = examined.value if isinstance(examined, Sound) else {}
        currency = parse_currency(told.get("code"))
        if currency is None:
            raise LaneDown(f"shop {self._name} tells no usable currency", mend=_MEND_CURRENCY)
        return currency


def _gone(wish: Wish, delivery: Delivery) -> Understood:
    """WooCommerce has no such thing: a deletion, if a delivery had said so.

    An id of the product topics may be a variation's, and a simple product has a variant of its own
    id: so both are gone.
    """
    if not wish.expected_gone:
        return Understood(flags=("gone_when_asked",))
    kinds = (Kind.PRODUCT, Kind.VARIANT) if wish.kind is Kind.PRODUCT else (wish.kind,)
    version = Version(at=delivery.received_at)
    return Understood(
        facts=tuple(
            Deleted(shop=delivery.shop, kind=kind, id=wish.id, version=version) for kind in kinds
        )
    )


def _fixed_zone(offset: object) -> str | None:
    """The zone for a site set to an offset. Etc/GMT counts the other way round: UTC+2 is GMT-2.

    Half hours have no such zone.
    """
    try:
        hours = float(str(offset))
    except ValueError:
        return None
    if not hours.is_integer() or not _WEST <= hours <= _EAST:
        return None
    return "UTC" if hours == 0 else f"Etc/GMT{-int(hours):+d}"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
