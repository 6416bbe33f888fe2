"""The only room that knows everybody: settings go in, a house that works comes out."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection
from structlog.typing import EventDict

from adapters.files import csv_safe
from connector import health
from connector.access import Answers
from connector.engine import House
from connector.errors import ConfigurationFault, LaneDown, TryLater
from connector.flow import books
from connector.flow.rules import Holds, Rules, Target
from connector.guests import DESTINATIONS, DOORS, KEY_PAGES, SHOPS
from connector.keys import Keyring
from connector.ports import DestinationAdapter, KeyPage, ShopAdapter, ShopFacts
from connector.settings import DestinationSettings, Settings, ShopSettings, load_settings
from connector.store import lanes
from connector.store.connect import Store
from connector.store.inbox import Inbox
from mappings.grammar import Mapping as MappingRules
from mappings.item_rules import CATALOGS, default_mapping
from mappings.load import load_file
from webhooks import signatures
from webhooks.app import Threshold, create_app
from webhooks.status import Counters, Health, render_metrics

if TYPE_CHECKING:
    from adapters.files.destination import FilesDestination

CONFIG = "CONNECTOR_CONFIG"
MAPPING = "CONNECTOR_MAPPING_FILE"


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
            ("shops", settings.shops, SHOPS),
            ("destinations", settings.destinations, DESTINATIONS),
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
    rules = build_rules(configured, zone=first.timezone, currency=first.currency)
    return House(
        store=store,
        shops={
            name: SHOPS[shop.platform](name, shop, facts[name])
            for name, shop in settings.shops.items()
        },
        destinations={
            name: DESTINATIONS[destination.platform](name, destination)
            for name, destination in settings.destinations.items()
        },
        rules=rules,
        now=now,
        sends=settings.mode == "live",
        wall=wall_clock,
        answers=answers_in(settings.exports, rules),
    )


def open_store(settings: Settings, *, put_back: bool = False) -> Store:
    """Open the store with the keys that recognise who was erased. Raises as `Store.open`."""
    keys = Keyring.of([each.get_secret_value() for each in settings.secret_key])
    return Store.open(settings.store, keys, put_back=put_back)


def files_of(configured: Configured, name: str) -> FilesDestination | None:
    """A destination of files by its name; ``None`` if it is of another kind."""
    section = configured.settings.destinations[name]
    if section.platform != "files":
        return None
    adapter = DESTINATIONS[section.platform](name, section)
    return cast("FilesDestination", adapter)


def answers_in(folder: Path, rules: Rules) -> Answers:
    """A folder in which files about people wait to be handed over."""
    return Answers(folder=folder, rules=rules, write_csv=csv_safe.write)


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
                mapping=mapping.for_destination(name, destination.platform)
                or default_mapping(destination.platform),
                shops=frozenset(destination.shops or settings.shops),
                holds=Holds.ITEMS if destination.platform in CATALOGS else Holds.PEOPLE,
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
    return (lambda: fixed) if fixed is not None else wall_clock


def wall_clock() -> datetime:
    """The machine's own clock, also in a rehearsal: for comparing it with others'."""
    return datetime.now(UTC)


def open_shop(name: str, section: ShopSettings) -> ShopAdapter:
    """A shop to be asked, with what is configured of it. Raises `ConfigurationFault`."""
    return SHOPS[section.platform](name, section, None)


def open_destination(name: str, section: DestinationSettings) -> DestinationAdapter:
    """A destination to be asked. Raises `ConfigurationFault`."""
    return DESTINATIONS[section.platform](name, section)


def key_page(platform: str) -> KeyPage | None:
    """The platform's own page for granting us a key, if it has one."""
    return KEY_PAGES.get(platform)


def platforms() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The platforms of shops, and those of destinations, that this version knows."""
    return tuple(SHOPS), tuple(DESTINATIONS)


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
    store = open_store(settings)
    inbox = Inbox(store)
    counters = Counters()
    now = clock_of(settings)

    def healthy() -> Health:
        return health.of_store(store, now())

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
                door=DOORS[shop.platform](shop),
                secrets=signatures.spellings(s.get_secret_value() for s in shop.seals),
            )
            for name, shop in settings.shops.items()
        },
        accept=inbox.accept,
        accept_soon=inbox.accept_soon,
        health=healthy,
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


def _shop_facts(
    name: str, shop: ShopSettings, store: Store, *, now: Callable[[], datetime]
) -> ShopFacts:
    if shop.timezone and shop.currency:
        return ShopFacts(timezone=shop.timezone, currency=shop.currency)
    with store.read() as conn:
        kept = lanes.get(conn, f"shop:{name}")
    if kept is None:
        try:
            told = SHOPS[shop.platform](name, shop, None).describe()
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
