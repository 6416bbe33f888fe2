"""The command ``connector``: what an admin types, and what comes back.

Exit codes: 0 fine, 1 something needs a person, 2 configuration at fault, 3 the store cannot be
used, 4 the address is in use.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from connector import explain as explaining
from connector import moments, screen
from connector.commands.doctor import doctor
from connector.commands.errands import backfill
from connector.commands.init import init
from connector.commands.options import WITH_JSON, with_files
from connector.commands.people import erase, export
from connector.commands.plan import apply, plan
from connector.commands.reconcile import reconcile
from connector.commands.segments import segments
from connector.commands.upkeep import db, replay
from connector.commands.webhooks import webhooks
from connector.errors import ConfigurationFault, ConnectorError
from connector.flow.targets import record_named, targets_of
from connector.identity import normal_email
from connector.store import inbox, outbox
from connector.store.connect import Store
from connector.wiring import (
    Configured,
    clock_of,
    configure,
    draw_up_books,
    offline_rules,
    open_store,
)
from mappings import load
from mappings.json_schema import schema


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="shop-connector")
def cli() -> None:
    """Bring a web shop's customers, orders, products and permissions to where they are used."""


@cli.command()
@click.option("--orders", default=0, help="End after so many orders; 0 goes on until Ctrl-C.")
@click.option("--rate", default=12.0, show_default=True, help="Orders a second.")
@click.option("--seed", default=7, show_default=True, help="Another seed is another town.")
@click.option("--folder", type=click.Path(path_type=Path), help="Keep the demo's files here.")
def demo(orders: int, rate: float, seed: int, folder: Path | None) -> None:
    """Watch a whole small world on this machine: no account, no server, no key."""
    from connector.demo import show

    sys.exit(show(orders=orders, rate=rate, seed=seed, folder=folder))


@cli.command()
@with_files
@click.option("--listen", help="HOST:PORT instead of the configured address.")
def run(config: Path, mapping: str | None, listen: str | None) -> None:
    """Receive and work, in one go: the embedded default."""
    from connector import running

    running.run_both(configure(config, mapping, listen), config, mapping)


@cli.command()
@with_files
@click.option("--listen", help="HOST:PORT instead of the configured address.")
@click.option("--threads", type=click.IntRange(8, 32), help="Requests at once, 8 to 32.")
def serve(config: Path, mapping: str | None, listen: str | None, threads: int | None) -> None:
    """Receive webhooks only."""
    from connector import running

    running.receive(configure(config, mapping, listen), config, mapping, threads=threads)


@cli.command()
@with_files
def work(config: Path, mapping: str | None) -> None:
    """Work only: any number of these on PostgreSQL, one on SQLite."""
    from connector import running

    running.work(configure(config, mapping))


@cli.command()
@with_files
@WITH_JSON
def check(config: Path, mapping: str | None, *, as_json: bool) -> None:
    """Check settings and mapping, offline: every fault with its line."""
    try:
        configured = configure(config, mapping)
    except ConfigurationFault as fault:
        if as_json:
            click.echo(json.dumps({"faults": fault.faults}, indent=1))
            sys.exit(fault.exit_code)
        raise
    warnings = list(configured.settings.warnings)
    if as_json:
        click.echo(json.dumps({"faults": [], "warnings": warnings}, indent=1))
        return
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(screen.checked(configured.settings, configured.mapping))


@cli.command()
@with_files
@WITH_JSON
def status(config: Path, mapping: str | None, *, as_json: bool) -> None:
    """Show the books: received, applied, due, parked, per shop and destination."""
    configured, store = _open(config, mapping)
    told = draw_up_books(configured, store)
    click.echo(json.dumps(told, indent=1) if as_json else screen.books(told))
    needed = told["requests"]["alarm"] or told["alarms"]
    sys.exit(0 if told["balanced"] and not needed else 1)


@cli.command()
@with_files
@WITH_JSON
@click.argument("email")
@click.option("--segment", help="Only this segment.")
@click.option("--consent", "only_consent", is_flag=True, help="Only the permissions.")
def explain(
    config: Path,
    mapping: str | None,
    email: str,
    segment: str | None,
    *,
    only_consent: bool,
    as_json: bool,
) -> None:
    """Show why a person is in a segment, and what their permissions rest on."""
    configured, store = _open(config, mapping)
    address = normal_email(email)
    if address is None:
        raise click.UsageError("EMAIL is no e-mail address.")
    if segment is not None and segment not in configured.mapping.segments:
        known = ", ".join(configured.mapping.segments)
        raise click.UsageError(f"There is no segment {segment}. There are: {known}.")
    question = explaining.Question(address, segment, only_consent)
    with store.read() as conn:
        told = explaining.answer(
            conn,
            question,
            offline_rules(configured, conn),
            now=clock_of(configured.settings)(),
        )
    if told is None:
        raise ConnectorError(
            f"Nobody is known by the address {address}: no order, account or consent names it."
        )
    click.echo(json.dumps(told, indent=1, ensure_ascii=False) if as_json else screen.why(told))


@cli.command()
@with_files
@WITH_JSON
@click.option("--release", "released", metavar="ID", help="Try again: a delivery's number, "
              "DESTINATION, or DESTINATION/ADDRESS.")  # fmt: skip
def parked(config: Path, mapping: str | None, released: str | None, *, as_json: bool) -> None:
    """Show what needs a person, and why; or release it once mended."""
    configured, store = _open(config, mapping)
    now = clock_of(configured.settings)()
    if released is not None:
        with store.write() as conn:
            if released.isdigit():
                count = inbox.replay(conn, delivery=int(released))
            else:
                names = [t.name for t in targets_of(configured.settings, configured.mapping)]
                destination, key = record_named(released, names)
                count = outbox.release(conn, destination, key, now=now)
        if not count:
            raise ConnectorError(f"Nothing is parked or quarantined under {released}.")
        click.echo(json.dumps({"released": count}) if as_json else f"released: {count}")
        return
    with store.read() as conn:
        told = {
            "deliveries": [
                {**asdict(row), "received_at": moments.to_text(row.received_at)}
                for row in inbox.quarantined(conn, limit=200)
            ],
            "records": outbox.parked(conn, limit=200),
        }
    click.echo(json.dumps(told, indent=1, ensure_ascii=False) if as_json else screen.parked(told))
    sys.exit(1 if told["deliveries"] or told["records"] else 0)


@cli.group()
def mapping() -> None:
    """What a mapping may say."""


@mapping.command("schema")
def mapping_schema() -> None:
    """Print the JSON Schema of a mapping, for editors."""
    click.echo(json.dumps(schema(), indent=1))


@mapping.command("presets")
@click.argument("name", required=False)
def mapping_presets(name: str | None) -> None:
    """List the presets, or print one to start from."""
    click.echo(load.preset_text(name) if name else "\n".join(load.preset_names()))


for _command in (
    *(backfill, db, doctor, erase, export, init, plan, apply, reconcile, replay),
    *(segments, webhooks),
):
    cli.add_command(_command)


def main() -> None:
    """Run the command; errors become a sentence and an exit code."""
    try:
        cli(standalone_mode=False)
    except click.ClickException as problem:
        problem.show()
        sys.exit(problem.exit_code)
    except click.Abort:
        sys.exit(130)
    except ConnectorError as problem:
        click.echo(screen.safe(str(problem)), err=True)
        sys.exit(problem.exit_code)


def _open(config: Path, mapping: str | None) -> tuple[Configured, Store]:
    configured = configure(config, mapping)
    return configured, open_store(configured.settings)
