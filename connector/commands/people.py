"""``connector export`` and ``connector erase``: what is held of somebody, and forgetting them."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import msgspec

from connector import access, screen, wiring
from connector.commands.options import WITH_JSON, with_files
from connector.errors import ConfigurationFault, ConnectorError, StoreUnavailable
from connector.flow import deliver
from connector.flow.targets import shape_of, targets_of
from connector.keys import NO_KEY
from connector.spellings import loose_email
from connector.store import erasure, lanes, outbox, subjects
from connector.store.connect import Store
from connector.store.subjects import Named
from connector.whole_files import make_private, put_in_place, refuse_tricks
from connector.wiring import Configured

_TRIES = 10  # a destination that is just being sent to holds its records for a moment


@click.command()
@with_files
@WITH_JSON
@click.argument("destination", required=False)
@click.option("--email", help="Everything that is held of this person, instead.")
@click.option("--out", type=click.Path(path_type=Path), help="A folder, instead of the screen.")
@click.option("--force", is_flag=True, help="Replace what is there already.")
def export(
    config: Path,
    mapping: str | None,
    destination: str | None,
    email: str | None,
    out: Path | None,
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Write out what is held of a person, or what a destination holds.

    A person's is JSON, in a folder CSV too. A destination's is one line of JSON for each record it
    acknowledged; a destination of files is brought up to date and written anew.
    """
    del as_json  # both are JSON already
    if (destination is None) == (email is None):
        raise click.UsageError("Name either a DESTINATION or a person by --email.")
    configured = wiring.configure(config, mapping)
    store = wiring.open_store(configured.settings)
    try:
        if email is not None:
            _export_person(configured, store, email, out, force=force)
        elif destination is not None:
            _export_destination(configured, store, destination, out, force=force)
    finally:
        store.close()


@click.command()
@with_files
@WITH_JSON
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(config: Path, mapping: str | None, email: str, *, yes: bool, as_json: bool) -> None:
    """Forget a person for good: here, and wherever they were sent.

    What stays is what names nobody: sums of orders, and digests by which they are recognised and
    kept out. Delete them in the shop too, or it will tell of them again.
    """
    configured = wiring.configure(config, mapping)
    if not configured.settings.secret_key:
        raise ConfigurationFault(NO_KEY)
    address = _address(email)
    store = wiring.open_store(configured.settings)
    try:
        if not yes:
            _ask(store, address)
        told = _erase(configured, store, Named(emails=frozenset([address])))
    finally:
        store.close()
    click.echo(json.dumps(told, indent=1) if as_json else _erased(told))


def _address(email: str) -> str:
    address = loose_email(email)
    if address is None:
        raise click.UsageError("EMAIL is no e-mail address.")
    return address


def _export_person(
    configured: Configured, store: Store, email: str, out: Path | None, *, force: bool
) -> None:
    now = wiring.clock_of(configured.settings)()
    with store.read() as conn:
        rules = wiring.offline_rules(configured, conn)
        told = access.gather(conn, Named(emails=frozenset([_address(email)])), rules, now=now)
    if not any(content for name, content in told.items() if name in _HOLDINGS):
        raise ConnectorError("Nothing is held of this person.")
    if out is None:
        click.echo(screen.safe(access.as_json(told)), nl=False)
        return
    make_private(out)
    for name in ("person.json", "person.csv"):
        refuse_tricks(out / name, force=force)
    try:
        file = wiring.answers_in(out, rules).put(told, "person")
    except OSError as problem:
        raise ConnectorError(f"{out} cannot be written: {problem.strerror}") from problem
    click.echo(f"{file}\n{file.with_suffix('.csv')}")


def _export_destination(
    configured: Configured, store: Store, name: str, out: Path | None, *, force: bool
) -> None:
    names = [each.name for each in targets_of(configured.settings, configured.mapping)]
    if name not in names:
        raise click.UsageError(f"There is no destination {name}. There are: {', '.join(names)}.")
    if name in configured.settings.destinations:
        _write_files(configured, store, name)
    with store.read() as conn:
        lines = [msgspec.json.encode(row, order="deterministic") for row in outbox.held(conn, name)]
    content = b"".join(line + b"\n" for line in lines)
    if out is None:
        click.echo(screen.safe(content.decode()), nl=False)
        return
    make_private(out)
    file = out / f"{name.replace('/', '-')}.jsonl"
    refuse_tricks(file, force=force)
    put_in_place(file, content)
    click.echo(f"{file}: {len(lines)} records")


def _write_files(configured: Configured, store: Store, name: str) -> None:
    """Bring a destination of files up to date, and have it write its files anew."""
    files = wiring.files_of(configured, name)
    if files is None:
        return
    with store.read() as conn:
        rules = wiring.offline_rules(configured, conn)
    target = next(each for each in rules.targets if each.name == name)
    files.prepare(shape_of(target, rules))
    now = wiring.clock_of(configured.settings)()
    with suppress(StoreUnavailable), store.only_worker():  # a worker brings in what is due itself
        while deliver.drain(store, target, files, rules, now=now).taken:
            pass
    files.rewrite()


def _ask(store: Store, address: str) -> None:
    with store.read() as conn:
        subject = subjects.find(conn, Named(emails=frozenset([address])))
    if not _is_asked():
        raise click.UsageError("There is nobody here to ask: --yes erases without asking.")
    click.echo(
        f"To be erased for good: {len(subject.emails)} addresses, {len(subject.accounts)} accounts "
        f"and the names in {len(subject.orders)} orders, here and in every destination."
    )
    if loose_email(click.prompt("Type the address again")) != address:
        raise click.Abort


def _is_asked() -> bool:
    return sys.stdin.isatty()


def _erase(configured: Configured, store: Store, named: Named) -> dict[str, Any]:
    now = wiring.clock_of(configured.settings)()
    with store.read() as conn:
        subject = subjects.find(conn, named)
        rules = wiring.offline_rules(configured, conn)
        beat = lanes.last_beat(conn)
    files = wiring.answers_in(configured.settings.exports, rules).forget(subject)
    done = _persist(store, named, now)
    for _ in range(_TRIES):
        if store.tidy():
            break
        time.sleep(0.5)
    return {
        "accounts": done.accounts,
        "orders": done.orders,
        "deliveries": done.deliveries,
        "files": files,
        "removals_due": done.records,
        "worker_seen_at": beat.isoformat() if beat else None,
    }


def _persist(store: Store, named: Named, now: Any) -> erasure.Erased:
    for _ in range(_TRIES - 1):
        try:
            return erasure.carry_out(store, named, at=now, reason=erasure.OPERATOR, now=now)
        except StoreUnavailable:
            time.sleep(0.5)
    return erasure.carry_out(store, named, at=now, reason=erasure.OPERATOR, now=now)


def _erased(told: dict[str, Any]) -> str:
    return (
        f"Erased: {told['accounts']} accounts, the names in {told['orders']} orders, "
        f"{told['deliveries']} deliveries, {told['files']} files about them.\n"
        f"To be removed by the worker: {told['removals_due']} records at destinations "
        "(connector status shows what is due).\n"
        "Delete the person in the shop too, and let backups from before today expire."
    )


_HOLDINGS = ("profile", "evidence", "accounts", "orders", "destinations", "deliveries", "addresses")
