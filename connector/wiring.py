"""The only room that knows everybody: settings go in, a house that works comes out."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from pydantic import SecretStr
from sqlalchemy import Connection
from structlog.typing import EventDict

from adapters.files.destination import FilesDestination
from adapters.mailchimp.destination import MailchimpDestination
from adapters.woocommerce.shop import WooCommerceShop
from connector.engine import House
from connector.errors import ConfigurationFault, LaneDown, StoreUnavailable, TryLater
from connector.flow import books
from connector.flow.rules import Rules, Target
from connector.ports import DestinationAdapter, ShopAdapter, ShopFacts
from connector.settings import DestinationSettings, Settings, ShopSettings, load_settings
from connector.store import lanes
from connector.store.connect import Store
from connector.store.inbox import Inbox
from mappings.grammar import DestinationMapping
from mappings.grammar import Mapping as MappingRules
from mappings.load import load_file
from webhooks.app import Threshold, create_app
from webhooks.status import Counters, Health, render_metrics

CONFIG = "CONNECTOR_CONFIG"
MAPPING = "CONNECTOR_MAPPING_FILE"
_ALIVE_SECONDS = 30
_SILENT = f"none has said for {_ALIVE_SECONDS} s that it lives: start connector work"


@dataclass(frozen=True, slots=True)
class Configured:
    """The two files, read and checked: where things are, and what they mean."""

    settings: Settings
    mapping: MappingRules


def configure(config: Path, mapping: str | None = None, listen: str | None = None) -> Configured:
    """Read and check both files. Raises `ConfigurationFault` with every fault of the first."""
    settings = load_settings(config, mapping=mapping, listen=listen)
    faults = [
        f"{config}: {kind}.{name}: {section.platform} is not available in this version"
        for kind, sections, known in (
            ("shops", settings.shops, _SHOPS),
            ("destinations", settings.destinations, _DESTINATIONS),
        )
        for name, section in sections.items()
        if section.platform not in known
    ]
    if faults:
        raise ConfigurationFault(faults)
    return Configured(
        settings,
        load_file(
            settings.mapping,
            shops={name: shop.platform for name, shop in settings.shops.items()},
            destinations={name: d.platform for name, d in settings.destinations.items()},
        ),
    )


def build_house(configured: Configured, store: Store) -> House:
    """Everything a worker works with.

    Asks shops whose time zone or currency is not configured; raises `ConfigurationFault` when one
    cannot answer and never did.
    """
    settings, now = configured.settings, clock_of(configured.settings)
    facts = {name: _shop_facts(name, shop, store, now=now) for name, shop in settings.shops.items()}
    first = next(iter(facts.values()))
    return House(
        store=store,
        shops={
            name: _SHOPS[shop.platform](name, shop, facts[name])
            for name, shop in settings.shops.items()
        },
        destinations={
            name: _DESTINATIONS[destination.platform](name, destination)
            for name, destination in settings.destinations.items()
        },
        rules=build_rules(configured, zone=first.timezone, currency=first.currency),
        now=now,
        sends=settings.mode == "live",
    )


def build_rules(configured: Configured, *, zone: str, currency: str) -> Rules:
    """The rules as one value. Days and sums follow the first shop where shops differ."""
    settings, mapping = configured.settings, configured.mapping
    return Rules(
        mapping=mapping,
        platforms={name: shop.platform for name, shop in settings.shops.items()},
        zone=ZoneInfo(zone),
        currency=currency,
        targets=tuple(
            Target(
                name=name,
                mapping=mapping.for_destination(name, destination.platform) or DestinationMapping(),
                shops=frozenset(destination.shops or settings.shops),
            )
            for name, destination in settings.destinations.items()
        ),
    )


def offline_rules(configured: Configured, conn: Connection) -> Rules:
    """The rules without asking a shop: its time zone and currency as configured or last told."""
    name, shop = next(iter(configured.settings.shops.items()))
    kept = lanes.get(conn, f"shop:{name}") or {}
    return build_rules(
        configured,
        zone=shop.timezone or kept.get("timezone") or "UTC",
        currency=shop.currency or kept.get("currency") or "EUR",
    )


def clock_of(settings: Settings) -> Callable[[], datetime]:
    """The clock: the machine's, or the fixed instant of a rehearsal."""
    fixed = settings.clock
    return (lambda: fixed) if fixed is not None else (lambda: datetime.now(UTC))


def draw_up_books(configured: Configured, store: Store) -> dict[str, Any]:
    """The books, as of now."""
    settings = configured.settings
    with store.read() as conn:
        return books.draw_up(
            conn,
            shops=settings.shops,
            destinations=settings.destinations,
            mode=settings.mode,
            now=clock_of(settings)(),
        )


def receiver_app() -> Any:
    """The receiver as a WSGI application; the environment names the configuration."""
    configured = configure(Path(os.environ[CONFIG]), os.environ.get(MAPPING))
    speak_in_lines()
    settings = configured.settings
    store = Store.open(settings.store)
    inbox = Inbox(store)
    counters = Counters()
    now = clock_of(settings)

    def health() -> Health:
        return _health(store, now())

    def metrics() -> bytes:
        return render_metrics(
            draw_up_books(configured, store),
            counters,
            accepted=inbox.accepted,
            duplicates=inbox.duplicates,
        )

    return create_app(
        thresholds={
            name: Threshold(
                shop=name,
                door=_DOORS[shop.platform],
                secrets=tuple(s.get_secret_value().encode() for s in shop.webhook_secret),
            )
            for name, shop in settings.shops.items()
        },
        accept=inbox.accept,
        health=health,
        metrics=metrics,
        clock=now,
        counters=counters,
        limit=settings.body_limit,
    )


def speak_in_lines() -> None:
    """Log JSON lines on standard error: ids, counts, reasons, never a person or a secret."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_words,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _without_words(_logger: object, _method: str, event: EventDict) -> EventDict:
    """An exception's kind and place, without its message: that may quote a person."""
    raised = event.pop("exc_info", None)
    if raised:
        kind, _, trace = sys.exc_info() if raised is True else raised
        event["exception"] = kind.__name__ if kind else "unknown"
        event["where"] = [
            f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(trace)[-6:]
        ]
    return event


def _health(store: Store, now: datetime) -> Health:
    try:
        with store.write() as conn:
            lanes.put(conn, "health", None, now=now)
            beat = lanes.last_beat(conn)
    except StoreUnavailable as problem:
        return Health(
            ok=False, store="unavailable", worker="unknown", detail={"store": str(problem)}
        )
    alive = beat is not None and abs((now - beat).total_seconds()) <= _ALIVE_SECONDS
    return Health(
        ok=alive,
        store="writable",
        worker="alive" if alive else "silent",
        detail={}
        if alive
        else {
            "worker": f"none has said for {_ALIVE_SECONDS} s that it lives: start connector work"
        },
    )


def _shop_facts(
    name: str, shop: ShopSettings, store: Store, *, now: Callable[[], datetime]
) -> ShopFacts:
    if shop.timezone and shop.currency:
        return ShopFacts(timezone=shop.timezone, currency=shop.currency)
    with store.read() as conn:
        kept = lanes.get(conn, f"shop:{name}")
    if kept is None:
        try:
            told = _SHOPS[shop.platform](name, shop, None).describe()
        except (TryLater, LaneDown) as problem:
            raise ConfigurationFault(
                f"shops.{name}: the shop could not be asked for its time zone and currency "
                f"({problem}). Name them in the configuration: timezone: Europe/Oslo, currency: NOK"
            ) from problem
        kept = {"timezone": told.timezone, "currency": told.currency}
        with store.write() as conn:
            lanes.put(conn, f"shop:{name}", kept, now=now())
    return ShopFacts(
        timezone=shop.timezone or kept["timezone"], currency=shop.currency or kept["currency"]
    )


def _woocommerce(name: str, shop: ShopSettings, facts: ShopFacts | None) -> ShopAdapter:
    return WooCommerceShop(
        name,
        base_url=shop.address,
        consumer_key=_secret(shop.consumer_key),
        consumer_secret=_secret(shop.consumer_secret),
        currency=facts.currency if facts else shop.currency,
        timezone=facts.timezone if facts else shop.timezone,
    )


def _mailchimp(name: str, destination: DestinationSettings) -> DestinationAdapter:
    return MailchimpDestination(
        name,
        audience=destination.audience or "",
        api_key=_secret(destination.api_key),
        base_url=destination.base_url,
    )


def _files(name: str, destination: DestinationSettings) -> DestinationAdapter:
    return FilesDestination(name, folder=destination.folder or Path())


def _secret(setting: SecretStr | None) -> str:
    """The secret; the settings refuse a platform without those it needs."""
    return setting.get_secret_value() if setting else ""


_SHOPS: Mapping[str, Callable[[str, ShopSettings, ShopFacts | None], ShopAdapter]] = {
    "woocommerce": _woocommerce,
}
_DOORS = {"woocommerce": WooCommerceShop.door}
_DESTINATIONS: Mapping[str, Callable[[str, DestinationSettings], DestinationAdapter]] = {
    "mailchimp": _mailchimp,
    "files": _files,
}
