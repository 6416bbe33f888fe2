"""Tries what was just answered: a shop's key, a destination's, and the shop's own key page."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

import click

from connector import setting_values as values
from connector import wiring
from connector.doctor.guests import hang_up, look_at
from connector.errors import AddressInUse
from connector.ports import CheckableDestination, Finding, KeyPage, Shape
from connector.settings import DestinationSettings, ShopSettings
from webhooks.callback import wait_for_post

_WAIT = 600.0  # seconds for the owner to say yes


def look_at_shop(name: str, section: ShopSettings) -> Sequence[Finding]:
    """What its check-up finds."""
    shop = wiring.open_shop(name, section)
    try:
        return tuple(look_at(shop))
    finally:
        hang_up(shop)


def look_at_destination(name: str, section: DestinationSettings) -> Sequence[Finding]:
    """What its check-up finds, if it has one."""
    destination = wiring.open_destination(name, section)
    try:
        if not isinstance(destination, CheckableDestination):
            return ()
        return destination.check_up(Shape(fields={}), now=wiring.wall_clock())
    finally:
        hang_up(destination)


def ask_owner(
    page: KeyPage, shop: str, public: str, path: str, listen: values.Listen
) -> Mapping[str, str]:
    """Send the owner to the shop's page and wait for the key; nothing when it does not come."""
    visitor = secrets.token_urlsafe(24)
    path = f"{path}/key-{visitor}"  # below /webhooks/, which every proxy passes on
    address = page.address(shop, callback=f"{public}{path}", visitor=visitor)
    click.echo(f"\nOpen this, logged in to the shop as an administrator, and say yes:\n{address}\n")
    click.echo(f"Waiting on {listen.host}:{listen.port} for the shop to post the key ...")
    try:
        keys = wait_for_post(
            listen.host,
            listen.port,
            path,
            lambda body: page.keys_in(body, visitor=visitor),
            seconds=_WAIT,
        )
    except AddressInUse as problem:
        click.echo(f"  {problem}")
        keys = None
    if keys is None:
        click.echo("  No key came. Make one by hand: docs/woocommerce.md says where.")
        return {}
    click.echo("  The key is here.")
    return keys
