"""``connector init``: asks, tries each connection as it goes, and writes the three files."""

from __future__ import annotations

from pathlib import Path

import click

from connector import first_files, wiring
from connector.commands.asking import Asker
from connector.commands.guide import PLATFORMS, Guide
from mappings.load import preset_names


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("connector.yaml"),
    show_default=True,
    help="Where to write; the other two files go beside it.",
)
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.option("--yes", is_flag=True, help="Ask nothing: options, defaults and the environment.")
@click.option("--untested", is_flag=True, help="Try no connection.")
@click.option("--platform", type=click.Choice(PLATFORMS), help="What the shop runs on.")
@click.option("--shop-name", help="A short name for the shop.")
@click.option("--shop", "address", help="The shop's address.")
@click.option("--public-url", help="The https address under which the shop reaches us; or ''.")
@click.option("--listen", help="HOST:PORT for the receiver.")
@click.option("--store", help="sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE.")
@click.option("--audience", help="The Mailchimp audience's id; '' for none.")
@click.option("--exports", help="A folder for files; '' for none.")
@click.option("--preset", type=click.Choice(preset_names()), help="The mapping to begin with.")
def init(config: Path, *, force: bool, yes: bool, untested: bool, **given: str | None) -> None:
    """Ask, try each connection, and write connector.yaml, mapping.yaml and .env.

    Secrets are typed without being shown, or found in the environment or in /run/secrets; never on
    the command line, where everybody on this machine could read them.
    """
    home = first_files.Home(config)
    home.refuse_existing(force=force)
    asker = Asker(silent=yes, dotenv=home.dotenv)
    guide = Guide(asker, given, tested=not untested)
    answers = guide.ask()
    first_files.write(home, answers, force=force)
    wiring.configure(config)
    click.echo(_next_steps(home, answers))


def _next_steps(home: first_files.Home, answers: first_files.Answers) -> str:
    shop = next(iter(answers.shops))
    at = "" if home.config == Path("connector.yaml") else f" --config {home.config}"
    public = answers.settings.get("public_url")
    steps = [
        f"connector check{at}       both files, offline",
        f"connector run{at}         the receiver and the worker; docs/operations.md for the proxy",
        f"connector webhooks register {shop}{at}"
        if public
        else "give this machine a public https address and set it as public_url; then "
        f"connector webhooks register {shop}{at}",
        f"connector backfill {shop}{at}       all that happened before, of everybody",
        f"connector doctor{at}      is everything as it must be",
    ]
    lines = [f"  {number}. {step}" for number, step in enumerate(steps, start=1)]
    return "\n".join(
        [
            f"\nWritten: {home.config}, {home.mapping}, and {home.dotenv} for your eyes only.",
            f"Look through {home.mapping}: it says what counts as bought and as a permission.",
            "Then:",
            *lines,
        ]
    )
