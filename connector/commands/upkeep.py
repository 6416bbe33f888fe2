"""``connector replay`` and ``connector db``: taking deliveries up again, copies of the store."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy import make_url

from connector import wiring
from connector.commands.moment import Moment
from connector.commands.options import WITH_JSON, with_files
from connector.errors import ConnectorError
from connector.settings import Settings
from connector.store import again, backup, inbox, suppressions
from connector.whole_files import refuse_tricks
from connector.wiring import Configured


@click.command()
@with_files
@WITH_JSON
@click.option("--since", type=Moment(), help="Only what came at this moment or later.")
@click.option("--shop", help="Only what this shop delivered.")
@click.option("--delivery", type=int, help="Only the delivery of this number.")
def replay(
    config: Path,
    mapping: str | None,
    since: datetime | None,
    shop: str | None,
    delivery: int | None,
    *,
    as_json: bool,
) -> None:
    """Take deliveries up again, as if they had just come: what is known already changes nothing."""
    configured = wiring.configure(config, mapping)
    if shop is not None and shop not in configured.settings.shops:
        known = ", ".join(configured.settings.shops)
        raise click.UsageError(f"There is no shop {shop}. There are: {known}.")
    store = wiring.open_store(configured.settings)
    try:
        with store.write() as conn:
            gone = inbox.count_bodiless(conn, shop=shop, since=since, delivery=delivery)
            number = inbox.replay(conn, shop=shop, since=since, delivery=delivery)
    finally:
        store.close()
    if delivery is not None and not number:
        raise ConnectorError(
            f"Delivery {delivery} cannot be taken up again: there is none of that number, or it "
            "waits already, or its body is no longer kept."
        )
    if as_json:
        click.echo(json.dumps({"replayed": number, "without_body": gone}))
        return
    click.echo(f"to be taken up again: {number}")
    if gone:
        click.echo(f"left, because their bodies are no longer kept: {gone}")


@click.group()
def db() -> None:
    """Back the store up, and put a backup in its place."""


@db.command("backup")
@with_files
@WITH_JSON
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace what is there already.")
def back_up(config: Path, mapping: str | None, file: Path, *, force: bool, as_json: bool) -> None:
    """Copy the store into FILE while it is used, and check both for damage.

    FILE.erased beside it lists who was erased, by digests: keep the two together.
    """
    configured = wiring.configure(config, mapping)
    place = _sqlite(configured.settings)
    refuse_tricks(file, force=force)
    store = wiring.open_store(configured.settings)
    try:
        with store.read() as conn:
            erased = suppressions.everything(conn)
        size = backup.back_up(place, file, erased)
    finally:
        store.close()
    told = {"file": str(file), "bytes": size}
    click.echo(json.dumps(told) if as_json else f"{file}: {size} bytes, whole")


@db.command()
@with_files
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(config: Path, mapping: str | None, file: Path, *, yes: bool) -> None:
    """Put the backup FILE in the place of the store, and erase again who was erased since.

    The connector must be stopped. The former store is kept beside it as FILE.replaced.
    """
    configured = wiring.configure(config, mapping)
    place = _sqlite(configured.settings)
    if not yes:
        click.confirm(
            "What came after this backup will be missing until the shops tell it again. Go on?",
            abort=True,
        )
    former = backup.put_back(file, place)
    if former is not None:
        click.echo(f"The former store is now {former}: delete it once all is well.")
    click.echo(f"{place} is the backup {file}.")
    _erase_again(configured)


@db.command("erase-again")
@with_files
def erase_again(config: Path, mapping: str | None) -> None:
    """Finish a restore: erase again who was erased after the backup was made."""
    configured = wiring.configure(config, mapping)
    _sqlite(configured.settings)
    _erase_again(configured)


def _erase_again(configured: Configured) -> None:
    store = wiring.open_store(configured.settings, put_back=True)
    try:
        number = again.erase_again(store, now=wiring.clock_of(configured.settings)())
        store.tidy()
    finally:
        store.close()
    click.echo(f"erased again: {number} digests")


def _sqlite(settings: Settings) -> Path:
    url = make_url(settings.store)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise ConnectorError(
            "The store is on PostgreSQL, which brings its own tools: pg_dump and pg_restore. Put "
            "the table suppressions back from the newest dump, also when all else is older."
        )
    return Path(url.database)
