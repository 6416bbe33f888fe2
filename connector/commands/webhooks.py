"""``connector webhooks``: what the shops are to tell us, and where."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from connector import letterboxes, screen, wiring
from connector.commands.options import WITH_JSON, with_files
from connector.doctor.guests import hang_up
from connector.errors import ConnectorError
from connector.ports import ShopAdapter, Subscribing, Subscription
from connector.settings import Settings
from connector.store.connect import Store


@click.group()
def webhooks() -> None:
    """List or set up the webhooks of the shops."""


@webhooks.command("list")
@with_files
@WITH_JSON
@click.argument("shop", required=False)
def list_(config: Path, mapping: str | None, shop: str | None, *, as_json: bool) -> None:
    """Show every webhook: topic, status, address, ours or foreign."""
    settings = wiring.configure(config, mapping).settings
    told = []
    for name in _named(settings, shop):
        with _opened(settings, name) as asked:
            told += [_row(settings, name, hook) for hook in _subscribing(asked).list_webhooks()]
    _show(told, as_json=as_json)


@webhooks.command()
@with_files
@WITH_JSON
@click.argument("shop", required=False)
def register(config: Path, mapping: str | None, shop: str | None, *, as_json: bool) -> None:
    """Make, mend and leave webhooks until each topic has one that is right.

    Each gets an address and a secret of its own topic. Webhooks of others are never touched. The
    shop's key needs the permission Read/Write.
    """
    settings = wiring.configure(config, mapping).settings
    names = _named(settings, shop)
    store = wiring.open_store(settings)
    told, problems = [], []
    try:
        for name in names:
            try:
                told += [_row(settings, name, hook) for hook in _register(settings, name, store)]
            except ConnectorError as problem:
                problems.append(f"shop {name}: {problem}")
    finally:
        store.close()
    _show(told, as_json=as_json)
    for sentence in problems:
        click.echo(screen.safe(sentence), err=True)
    sys.exit(1 if problems else 0)


def _register(settings: Settings, name: str, store: Store) -> Sequence[Subscription]:
    with _opened(settings, name) as shop:
        box = letterboxes.letterbox(settings, shop, store)
        done = _subscribing(shop).register_webhooks(box)
        letterboxes.remember(store, name, box, done, now=wiring.clock_of(settings)())
        return done


@contextmanager
def _opened(settings: Settings, name: str) -> Iterator[ShopAdapter]:
    shop = wiring.open_shop(name, settings.shops[name])
    try:
        yield shop
    finally:
        hang_up(shop)


def _subscribing(shop: ShopAdapter) -> Subscribing:
    if not isinstance(shop, Subscribing):
        raise ConnectorError(
            f"shop {shop.name}: webhooks on its platform are not set up from here; its page in "
            "docs/ says where they are."
        )
    return shop


def _named(settings: Settings, shop: str | None) -> list[str]:
    if shop is not None and shop not in settings.shops:
        known = ", ".join(settings.shops)
        raise click.UsageError(f"There is no shop {shop}. There are: {known}.")
    if shop is not None:
        return [shop]
    return [name for name in settings.shops if _can_be_asked(settings, name)]


def _can_be_asked(settings: Settings, name: str) -> bool:
    with _opened(settings, name) as shop:
        return isinstance(shop, Subscribing)


def _row(settings: Settings, shop: str, hook: Subscription) -> dict[str, Any]:
    root = f"{settings.public_url}/webhooks/{shop}"
    is_ours = hook.address == root or hook.address.startswith(f"{root}/")
    row = {
        "shop": shop,
        "id": hook.id,
        "topic": hook.topic,
        "status": hook.status,
        "ours": is_ours,
        "address": hook.address,
    }
    return {**row, "done": hook.done} if hook.done else row


def _show(told: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(told, indent=1))
        return
    head = ["topic", "shop", "id", "status", "whose", "address", "done"]
    lines = screen.table(
        head,
        [
            [
                row["topic"],
                row["shop"],
                row["id"],
                row["status"],
                "ours" if row["ours"] else "foreign",
                row["address"],
                row.get("done", ""),
            ]
            for row in told
        ],
    )
    click.echo("\n".join(lines) if told else "There are no webhooks.")
