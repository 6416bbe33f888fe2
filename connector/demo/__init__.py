"""``connector demo``: a whole small world on this machine, to watch before you trust it."""

from __future__ import annotations

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
    console.print("Starting a shop, the connector and a Mailchimp on this machine ...")
    with World(folder=home, seed=seed) as world, Watch(world, console) as watch:
        console.print(
            f"Shop {world.shop.base_url} -> connector {world.hooks} -> Mailchimp "
            f"{world.audience.url}; everything else in {home}",
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
    console.print(
        f"\nLook around:  cd {home}\n"
        "  connector status\n"
        f"  connector explain {_somebody(world)}\n"
        "  connector parked\n"
        "  exports/ holds what a spreadsheet or Datasette can open",
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
        world.market.sell(share, between=(dawn, dawn + timedelta(days=1)))
        while world.shop.pending():
            time.sleep(_BLINK)
        if share:
            watch.look()


def _sell(world: World, watch: Watch, *, rate: float, orders: int | None) -> None:
    stop = threading.Event()
    seller = threading.Thread(
        target=world.market.run, args=(rate,), kwargs={"orders": orders, "stop": stop}
    )
    seller.start()
    try:
        while seller.is_alive():
            watch.look()
            seller.join(_GLANCE)
    except KeyboardInterrupt:
        pass
    finally:
        stop.set()
        seller.join()


def _wait(world: World, watch: Watch) -> bool:
    """Let everything arrive that is on its way."""
    world.market.step(datetime.now(UTC))
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
        truth=world.shop.totals(),
        accepted=world.shop.tally()["accepted"],
        duplicates=world.duplicates(),
        books=world.books(),
        members=world.audience.members(),
        moved=moved,
        exports=world.folder / "exports" / "exports.sqlite3",
    )


def _somebody(world: World) -> str:
    """Whose story is worth reading: the contact with the most tags."""
    members = world.audience.members()
    return max(members, key=lambda email: len(members[email]["tags"]), default="EMAIL")
