"""The only room that knows everybody: settings go in, a house that works comes out."""

from __future__ import annotations

import gc
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection
from structlog.typing import EventDict

from adapters.files import csv_safe
from connector import health, letterboxes
from connector.access import Answers
from connector.engine import House
from connector.errors import ConfigurationFault, LaneDown, TryLater
from connector.flow import books, sales
from connector.flow.apart import Apart
from connector.flow.rules import Holds, Rules
from connector.flow.taking_back import ShopTold
from connector.flow.targets import stores_of, targets_of
from connector.guests import BACK_DOORS, DESTINATIONS, DOORS, KEY_PAGES, SHOPS, STORES
from connector.keys import Keyring
from connector.ports import (
    DestinationAdapter,
    KeyPage,
    Remembering,
    ShopAdapter,
    ShopFacts,
    TakingBack,
)
from connector.settings import DestinationSettings, Settings, ShopSettings, load_settings
from connector.store import lanes
from connector.store.connect import Store
from connector.store.inbox import Inbox
from mappings.grammar import Mapping as MappingRules
from mappings.load import load_file
from webhooks import signatures
from webhooks.app import Threshold, create_app
from webhooks.back_door import BackEntrance
from webhooks.status import Counters, Health, render_metrics

if TYPE_CHECKING:
    from adapters.files.destination import FilesDestination

CONFIG = "CONNECTOR_CONFIG"
MAPPING = "CONNECTOR_MAPPING_FILE"
_CORES = os.cpu_count() or 1
_OBJECTS = 100_000


@dataclass(frozen=True, slots=True)
class Configured:
    """The two files, read and checked: where things are, and what they mean."""

    settings: Settings
    mapping: MappingRules


def configure(config: Path, mapping: str | None = None, listen: str | None = None) -> Configured:
    """Read and check both files. Raises `ConfigurationFault` with every fault of the first."""
    settings = load_settings(config, mapping=mapping, listen=listen)
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
    with store.write() as conn:
        for target in rules.holding(Holds.SALES):
            sales.mark_everything(conn, target, now=now())
    makes = {
        name: partial(SHOPS[shop.platform], name, shop, facts[name])
        for name, shop in settings.shops.items()
    }
    shops = {name: make() for name, make in makes.items()}
    return House(
        store=store,
        shops=shops,
        destinations=_destinations(settings, rules, facts) | _told(shops, rules),
        rules=rules,
        now=now,
        sends=settings.mode == "live",
        wall=wall_clock,
        answers=answers_in(settings.exports, rules),
        keep_bodies=settings.keep_bodies,
        reconcile={name: shop.reconcile for name, shop in settings.shops.items() if shop.reconcile},
        posts=tuple(letterboxes.posts(settings, shops.values(), _heard_of(settings))),
        apart={
            name: Apart(shop, cast("Callable[[], Remembering]", makes[name]))
            for name, shop in shops.items()
            if isinstance(shop, Remembering) and _CORES > 1
        },
    )


def _destinations(
    settings: Settings, rules: Rules, facts: Mapping[str, ShopFacts]
) -> dict[str, DestinationAdapter]:
    """An adapter for every target; one of people's sales is made from the settings of those."""
    made: dict[str, DestinationAdapter] = {}
    for target in rules.targets:
        if target.holds is Holds.WITHDRAWALS:
            continue
        section = settings.destinations[target.members or target.name]
        if target.members is None:
            made[target.name] = DESTINATIONS[section.platform](target.name, section)
        else:
            stores = stores_of(target, section, settings, facts)
            made[target.name] = STORES[section.platform](target.name, section, stores)
    return made


def _told(shops: Mapping[str, ShopAdapter], rules: Rules) -> dict[str, DestinationAdapter]:
    """The shops that are told who withdrew elsewhere."""
    return {
        target.name: ShopTold(target.name, shop, target.mark)
        for target in rules.holding(Holds.WITHDRAWALS)
        for name in target.shops
        if isinstance(shop := shops[name], TakingBack)
    }


def _heard_of(settings: Settings) -> Iterator[DestinationAdapter]:
    """Destinations that may tell us something, each opened a second time: its lane is not alone."""
    for name, section in settings.destinations.items():
        if section.webhook_token is not None:
            yield open_destination(name, section)


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
        targets=targets_of(settings, mapping),
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
            destinations=[each.name for each in targets_of(settings, configured.mapping)],
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
        back_entrances={
            name: BackEntrance(
                destination=name,
                door=BACK_DOORS[section.platform],
                token=section.webhook_token.get_secret_value().encode(),
                secrets=tuple(each.get_secret_value().encode() for each in section.webhook_secret),
            )
            for name, section in settings.destinations.items()
            if section.platform in BACK_DOORS and section.webhook_token
        },
        accept=inbox.accept,
        accept_soon=inbox.accept_soon,
        health=healthy,
        metrics=metrics,
        clock=now,
        counters=counters,
        limit=settings.body_limit,
    )


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Look for circles of garbage a hundred times less often: facts and rows make none.

    Python looks after every 700 objects, which took a sixth of the time of settling and a quarter
    of that of evaluating.
    """
    before = gc.get_threshold()
    gc.freeze()  # what is here by now stays
    gc.set_threshold(_OBJECTS, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


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
