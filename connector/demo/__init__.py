"""``connector demo``: a whole small world on this machine, to watch before you trust it."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from sqlalchemy import select

from connector.demo.judge import Finding, judge
from connector.demo.watch import Watch
from connector.demo.world import World
from connector.store.schema import customer_addresses

_PAST = timedelta(days=730)
_BLINK = 0.002
_GLANCE = 0.25  # seconds between looks
_PATIENCE = 120.0  # seconds for everything to arrive once the shop is closed


def show(*, orders: int, rate: float, seed: int, folder: Path | None) -> int:
    """Run the demo; ``orders`` 0 goes on until Ctrl-C. Gives the exit code.

    Half of the orders are the shop's past two years, told at once; the others are sold live, at
    ``rate`` a second.
    """
    console = Console()
    home = folder or Path(tempfile.mkdtemp(prefix="connector-demo-"))
    past = orders // 2 if orders else 60
    console.print("Starting two shops, the connector, a Mailchimp and a Meta on this machine ...")
    with World(folder=home, seed=seed) as world, Watch(world, console) as watch:
        console.print(
            f"WooCommerce {world.wool.base_url} and Shopify {world.yarn.base_url}\n"
            f"  -> connector {world.hooks}, its files in {home}\n"
            f"  -> Mailchimp {world.audience.url} and a Meta catalog {world.catalog.url}",
            highlight=False,
            soft_wrap=True,
        )
        _relive(world, watch, past)
        live = orders - past if orders else None
        _sell(world, watch, rate=rate, orders=live)
        settled = _wait(world, watch)
        findings = _judge(world)
    console.print()
    for finding in findings:
        console.print(
            f"{'  ok  ' if finding.holds else '  NO  '}{finding.what}",
            highlight=False,
            soft_wrap=True,
        )
    if not settled:
        console.print(f"  NO  everything arrived within {_PATIENCE:.0f} s")
    command = "connector" if shutil.which("connector") else sys.argv[0]
    config = f"--config {home}/connector.yaml"
    console.print(
        "\nLook around:\n"
        f"  {command} status {config}\n"
        f"  {command} explain {config} {_somebody(world)}\n"
        f"  {command} parked {config}\n"
        f"  {home}/exports holds what a spreadsheet or Datasette can open",
        highlight=False,
        soft_wrap=True,
    )
    return 0 if settled and all(finding.holds for finding in findings) else 1


def _relive(world: World, watch: Watch, orders: int) -> None:
    """Sell the past day by day, each told before the next begins, as a shop would have told it."""
    today = datetime.now(UTC)
    for day in range(_PAST.days):
        dawn = today - _PAST + timedelta(days=day)
        share = orders * (day + 1) // _PAST.days - orders * day // _PAST.days
        for market, part in zip(world.markets, _split(share, day), strict=True):
            market.sell(part, between=(dawn, dawn + timedelta(days=1)))
        while world.pending():
            time.sleep(_BLINK)
        if share:
            watch.look()


def _split(orders: int, turn: int) -> tuple[int, int]:
    """The shops' shares of so many orders; an odd one goes to each in turn."""
    less = orders // 2
    return (orders - less, less) if turn % 2 else (less, orders - less)


def _sell(world: World, watch: Watch, *, rate: float, orders: int | None) -> None:
    stop = threading.Event()
    parts = (None, None) if orders is None else _split(orders, 0)
    sellers = [
        threading.Thread(target=market.run, args=(rate / 2,), kwargs={"orders": part, "stop": stop})
        for market, part in zip(world.markets, parts, strict=True)
    ]
    for seller in sellers:
        seller.start()
    try:
        while any(seller.is_alive() for seller in sellers):
            watch.look()
            time.sleep(_GLANCE)
    except KeyboardInterrupt:
        pass
    finally:
        stop.set()
        for seller in sellers:
            seller.join()


def _wait(world: World, watch: Watch) -> bool:
    """Let everything arrive that is on its way."""
    for market in world.markets:
        market.step(datetime.now(UTC))
    deadline = time.monotonic() + _PATIENCE
    while not world.is_settled():
        watch.look()
        if time.monotonic() > deadline:
            return False
        time.sleep(_GLANCE)
    time.sleep(1.0)  # the files are written once nothing is due any more
    watch.look()
    return True


def _judge(world: World) -> list[Finding]:
    with world.store.read() as conn:
        owners: dict[tuple[str, str], list[str]] = {}
        for email, shop, customer in conn.execute(select(customer_addresses)):
            owners.setdefault((shop, customer), []).append(email)
    moved = frozenset(email for emails in owners.values() if len(emails) > 1 for email in emails)
    return judge(
        truth=world.truth(),
        accepted=world.tally()["accepted"],
        duplicates=world.duplicates(),
        books=world.books(),
        members=world.audience.members(),
        moved=moved,
        items=world.catalog.shown(),
        offers=sum(len(market.offers) for market in world.markets),
        exports=world.folder / "exports" / "exports.sqlite3",
    )


def _somebody(world: World) -> str:
    """Whose story is worth reading: the contact with the most tags."""
    members = world.audience.members()
    return max(members, key=lambda email: len(members[email]["tags"]), default="EMAIL")
