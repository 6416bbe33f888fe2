"""Looks at every shop and destination: each is asked by its own adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from connector import letterboxes, places, wiring
from connector.doctor import versions
from connector.errors import ConfigurationFault, LaneDown, TryLater
from connector.flow import accounts, shop_pins
from connector.flow.rules import Rules
from connector.flow.targets import shape_of
from connector.ports import (
    OPERATOR,
    CheckableDestination,
    CheckableShop,
    DestinationAdapter,
    Finding,
    Fingerprinted,
    Grade,
    Introducing,
    ShopAdapter,
    Subscribing,
)
from connector.ports.versions import Versioned
from connector.settings import DestinationSettings, Settings, ShopSettings
from connector.store.connect import Store
from connector.wiring import Configured
from webhooks import signatures


def examine(configured: Configured, store: Store | None) -> Iterator[Finding]:
    """Everything about the guests, one after the other."""
    settings = configured.settings
    for name, shop in settings.shops.items():
        look = partial(_open_shop, name, shop, settings, store)
        yield from _told(f"shops.{name}", look)
    rules = _rules(configured, store)
    for name, destination in settings.destinations.items():
        ask = partial(_open_destination, name, destination, rules, settings, store)
        yield from _told(f"destinations.{name}", ask)


def _told(where: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        for finding in look():
            yield replace(finding, where=where)
    except ConfigurationFault as problem:
        for fault in problem.faults:
            yield Finding(where=where, what=fault, who=OPERATOR, grade=Grade.ALARM)


def _open_shop(
    name: str, section: ShopSettings, settings: Settings, store: Store | None
) -> Iterator[Finding]:
    shop = wiring.open_shop(name, section)
    try:
        yield from _shop(shop, settings, store)
    finally:
        hang_up(shop)


def _open_destination(
    name: str, section: DestinationSettings, rules: Rules, settings: Settings, store: Store | None
) -> Iterator[Finding]:
    destination = wiring.open_destination(name, section)
    try:
        yield from _destination(destination, rules, settings, store)
    finally:
        hang_up(destination)


def hang_up(adapter: object) -> None:
    """Close the line of an adapter that holds one."""
    close = getattr(adapter, "close", None)
    if close is not None:
        close()


def look_at(shop: ShopAdapter) -> Iterator[Finding]:
    """What a shop's check-up finds; of one that has none, what it says of itself."""
    if isinstance(shop, CheckableShop):
        yield from shop.check_up(now=wiring.wall_clock())
        return
    try:
        shop.describe()
        yield Finding(what="its time zone and currency are known", grade=Grade.FINE)
    except (TryLater, LaneDown) as problem:
        yield Finding.of("cannot be asked", problem)


def _shop(shop: ShopAdapter, settings: Settings, store: Store | None) -> Iterator[Finding]:
    yield from look_at(shop)
    secrets = settings.shops[shop.name].seals
    if shop.door.secret_a_topic and any(
        signatures.is_respelt(each.get_secret_value()) for each in secrets
    ):
        yield _respelt()
    if isinstance(shop, Subscribing) and settings.public_url is not None:
        yield from shop.check_webhooks(letterboxes.letterbox(settings, shop, store))
    if isinstance(shop, Versioned) and store is not None:
        yield from versions.examine(shop.name, shop, store)
    if isinstance(shop, Fingerprinted) and store is not None:
        yield from _who(shop, settings, store, shop.name)


def _who(shop: Fingerprinted, settings: Settings, store: Store, name: str) -> Iterator[Finding]:
    """Is it the shop that it was; what is wrong with one that is not, the books tell."""
    trouble, answered = shop_pins.meet(store, name, shop, now=wiring.clock_of(settings)())
    if answered and trouble is None:
        yield Finding(what="it is the shop that it was at first", grade=Grade.FINE)


def _respelt() -> Finding:
    return Finding(
        what="the webhook secret holds one of & < > \" ' \\, which WordPress writes otherwise",
        cause="WooCommerce decodes HTML before it signs: a&amp;b signs as a&b. The secret was "
        "tried in both spellings, as the receiver does, and both are accepted; but what WordPress "
        "cut off when it was typed in cannot be guessed.",
        mend="Set a new one of letters and digits (openssl rand -hex 24), here and, with "
        "`connector webhooks register`, in the shop.",
        who=OPERATOR,
    )


def _destination(
    destination: DestinationAdapter, rules: Rules, settings: Settings, store: Store | None
) -> Iterator[Finding]:
    if isinstance(destination, CheckableDestination):
        target = next(each for each in rules.targets if each.name == destination.name)
        yield from destination.check_up(shape_of(target, rules), now=wiring.wall_clock())
    if isinstance(destination, Introducing) and store is not None:
        yield from _account(destination, store, destination.name)
    if isinstance(destination, Subscribing):
        yield from _back_door(destination, settings, destination.name)


def _back_door(destination: Subscribing, settings: Settings, name: str) -> Iterator[Finding]:
    if settings.destinations[name].webhook_token is None or settings.public_url is None:
        yield Finding(
            what="it has no address to tell us what people say there",
            cause="Who unsubscribes there is heard of only when the audience is read again.",
            mend=f"Set public_url and {places.variable('destinations', name, 'webhook_token')} "
            f"(openssl rand -hex 32), then run `connector webhooks register {name}`.",
            who=OPERATOR,
            grade=Grade.NOTE,
        )
        return
    try:
        yield from destination.check_webhooks(letterboxes.back_letterbox(settings, name))
    except (TryLater, LaneDown):
        return  # its check-up has said so


def _account(destination: Introducing, store: Store, name: str) -> Iterator[Finding]:
    known = accounts.pinned(store, name)
    if known is None:
        return
    try:
        account = destination.introduce().account
    except (TryLater, LaneDown):
        return  # its check-up has said so
    if account == known:
        yield Finding(what="the account is the same as at first", grade=Grade.FINE)
        return
    yield Finding(
        what="its key opens another account than before: nothing is sent",
        cause="Keys were swapped, or this installation was copied.",
        mend=f"Put the former key back; or, if the change is meant, confirm it with "
        f"`connector doctor --accept {name}`.",
        who=OPERATOR,
        grade=Grade.ALARM,
    )


def _rules(configured: Configured, store: Store | None) -> Rules:
    if store is None:
        return wiring.build_rules(configured, zone="UTC", currency="EUR")  # for names and types
    with store.read() as conn:
        return wiring.offline_rules(configured, conn)
