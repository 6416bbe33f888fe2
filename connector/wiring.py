"""The only room that knows everybody: settings go in, a house that works comes out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from adapters.files import csv_safe
from connector import letterboxes
from connector.access import Answers
from connector.errors import ConfigurationFault, LaneDown, TryLater
from connector.flow import books, sales_due
from connector.flow.apart import Apart
from connector.flow.rules import Holds, Rules
from connector.flow.taking_back import ShopTold
from connector.flow.targets import clashes, stores_of, targets_of
from connector.guests import DESTINATIONS, KEY_PAGES, SHOPS, STORES
from connector.house import House
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
from mappings.grammar import Mapping as MappingRules
from mappings.load import load_file

if TYPE_CHECKING:
    from adapters.files.destination import FilesDestination

_CORES = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Configured:
    """The two files, read and checked: where things are, and what they mean."""

    settings: Settings
    mapping: MappingRules


def configure(config: Path, mapping: str | None = None, listen: str | None = None) -> Configured:
    """Read and check both files. Raises `ConfigurationFault` with every fault of the first."""
    settings = load_settings(config, mapping=mapping, listen=listen)
    rules = load_file(
        settings.mapping,
        shops={name: shop.platform for name, shop in settings.shops.items()},
        destinations={name: d.platform for name, d in settings.destinations.items()},
    )
    if faults := tuple(clashes(settings, rules)):
        raise ConfigurationFault(faults)
    return Configured(settings, rules)


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
            sales_due.mark_everything(conn, target, now=now())
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
