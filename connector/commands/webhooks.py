"""``connector webhooks``: what shops and destinations are to tell us, and where."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, cast

import click

from connector import letterboxes, screen, wiring
from connector.commands.options import WITH_JSON, with_files
from connector.doctor.guests import hang_up
from connector.errors import ConnectorError
from connector.flow.watch import look
from connector.ports import (
    DestinationAdapter,
    Finding,
    Grade,
    ShopAdapter,
    Subscribing,
    Subscription,
)
from connector.settings import Settings
from connector.store import watching
from connector.store.connect import Store
from connector.store.watching import Seen

Guest: TypeAlias = ShopAdapter | DestinationAdapter


@click.group()
def webhooks() -> None:
    """List or set up the webhooks of the shops, and of destinations that tell us something."""


@webhooks.command("list")
@with_files
@WITH_JSON
@click.argument("name", required=False)
def list_(config: Path, mapping: str | None, name: str | None, *, as_json: bool) -> None:
    """Show every webhook: topic, status, address, ours or foreign."""
    settings = wiring.configure(config, mapping).settings
    told = []
    for each in _named(settings, name):
        with _opened(settings, each) as asked:
            told += [_row(settings, each, hook) for hook in _subscribing(asked).list_webhooks()]
    _show(told, as_json=as_json)


@webhooks.command()
@with_files
@WITH_JSON
@click.option("--yes", is_flag=True, help="Also in mode test, in which nothing else leaves.")
@click.argument("name", required=False)
def register(
    config: Path, mapping: str | None, name: str | None, *, as_json: bool, yes: bool
) -> None:
    """Make, mend and leave webhooks until each topic has one that is right.

    Each gets an address and a secret of its own topic. Webhooks of others are never touched. The
    shop's key needs the permission Read/Write.
    """
    settings = wiring.configure(config, mapping).settings
    if settings.mode == "test" and not yes:
        raise ConnectorError(
            "The mode is test, and this changes the webhooks where they are kept. If it is meant "
            "all the same: connector webhooks register --yes"
        )
    names = _named(settings, name)
    store = wiring.open_store(settings)
    told, notes, problems = [], [], []
    try:
        for each in names:
            try:
                done, left_out = _register(settings, each, store)
                told += [_row(settings, each, hook) for hook in done]
                notes += [f"{each}: {note.what}. {note.mend}" for note in left_out]
            except ConnectorError as problem:
                problems.append(f"{each}: {problem}")
    finally:
        store.close()
    _show(told, as_json=as_json)
    for sentence in (*notes, *problems):
        click.echo(screen.safe(sentence), err=True)
    sys.exit(1 if problems else 0)


@webhooks.command()
@with_files
@WITH_JSON
@click.argument("name", required=False)
def watch(config: Path, mapping: str | None, name: str | None, *, as_json: bool) -> None:
    """Look at the webhooks as the worker does every ten minutes, and mend what may be mended.

    Only webhooks that `register` set up are mended, and none in mode test or with `watch: tell`.
    Exit code 1 when something is left undone, or a shop is silent in a way that is unlike it.
    """
    settings = wiring.configure(config, mapping).settings
    if name is not None:
        _named(settings, name)
    told = {}
    store = wiring.open_store(settings)
    try:
        for each in [name] if name else _watched(settings):
            with _opened(settings, each) as guest:
                told[each] = watching.told(_look(settings, guest, store))
    finally:
        store.close()
    if as_json:
        click.echo(json.dumps(told, indent=1))
    else:
        click.echo("\n".join(line for each in told.items() for line in _lines(*each)))
    undone = any(not seen["ok"] or seen["silent_since"] for seen in told.values())
    sys.exit(1 if undone else 0)


def _lines(name: str, seen: dict[str, Any]) -> Iterator[str]:
    for line in screen.webhooks(seen) or ["nothing is wrong with its webhooks"]:
        yield f"{name}: {line}"


def _register(
    settings: Settings, name: str, store: Store
) -> tuple[Sequence[Subscription], Sequence[Finding]]:
    """What was done, and what a shop cannot be made to tell of, with who could."""
    with _opened(settings, name) as guest:
        asked = _subscribing(guest)
        box = (
            letterboxes.back_letterbox(settings, name)
            if name in settings.destinations
            else letterboxes.letterbox(settings, cast("ShopAdapter", guest), store)
        )
        done = asked.register_webhooks(box)
        letterboxes.remember(store, name, box, done, now=wiring.clock_of(settings)())
        with store.read() as conn:
            seen = watching.read(conn, name)
        if seen is not None and not seen.ok:
            _look(settings, guest, store)  # an alarm must not outlive what it was about
        found = asked.check_webhooks(box) if name in settings.shops else ()
        return done, [each for each in found if each.grade is Grade.NOTE]


def _look(settings: Settings, guest: Guest, store: Store) -> Seen:
    """Raises `ConnectorError` for a destination that nobody watches."""
    is_shop = guest.name in settings.shops
    posts = letterboxes.posts(
        settings,
        [cast("ShopAdapter", guest)] if is_shop else (),
        () if is_shop else [cast("DestinationAdapter", guest)],
    )
    for post in posts:
        return look(store, post, now=wiring.clock_of(settings)(), logs=False)
    raise ConnectorError(
        f"{guest.name}: it is not set up to tell us anything, so there is nothing to watch; its "
        "page in docs/ says whether it can."
    )


@contextmanager
def _opened(settings: Settings, name: str) -> Iterator[Guest]:
    guest: Guest = (
        wiring.open_shop(name, settings.shops[name])
        if name in settings.shops
        else wiring.open_destination(name, settings.destinations[name])
    )
    try:
        yield guest
    finally:
        hang_up(guest)


def _subscribing(guest: Guest) -> Subscribing:
    if not isinstance(guest, Subscribing):
        raise ConnectorError(
            f"{guest.name}: webhooks on its platform are not set up from here; its page in "
            "docs/ says where they are."
        )
    return guest


def _named(settings: Settings, name: str | None) -> list[str]:
    """The one that is named, or else all that can be set up."""
    if name is not None and name not in (*settings.shops, *settings.destinations):
        known = ", ".join((*settings.shops, *settings.destinations))
        raise click.UsageError(f"There is no {name}. There are: {known}.")
    if name is not None:
        return [name]
    return [each for each in _watched(settings) if _can_be_asked(settings, each)]


def _watched(settings: Settings) -> list[str]:
    """Every shop, and the destinations that tell us something."""
    told = [each.name for each in settings.destinations.values() if each.webhook_token]
    return [*settings.shops, *told]


def _can_be_asked(settings: Settings, name: str) -> bool:
    with _opened(settings, name) as guest:
        return isinstance(guest, Subscribing)


def _row(settings: Settings, name: str, hook: Subscription) -> dict[str, Any]:
    root = f"{settings.public_url}/webhooks/{name}"
    is_ours = hook.address == root or hook.address.startswith(f"{root}/")
    is_secret = is_ours and name in settings.destinations  # its address ends in the token
    row = {
        "shop": name,
        "id": hook.id,
        "topic": hook.topic,
        "status": hook.status,
        "ours": is_ours,
        "address": f"{root}/..." if is_secret else hook.address,
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
