"""``connector demo``: a whole small world on this machine, to watch before you trust it."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from connector.demo import readings, scene
from connector.demo.judge import Finding, judge_contacts, judge_deliveries, judge_exports
from connector.demo.judge_sales import judge_audience, judge_orders, judge_store
from connector.demo.live import Life
from connector.demo.scene import Scene, Silence
from connector.demo.watch import Watch
from connector.demo.world import World

_PAST = 600  # orders that the shops have had, at most
_TIMES = 5  # so many for each that is sold live, where these are few
_TERMINATED = 143
_GLANCE = 0.25  # seconds between looks
_PATIENCE = 120.0  # seconds for everything to arrive
_JUDGES: Mapping[str, Callable[[Scene], Iterator[Finding]]] = {
    "What the shops told": judge_deliveries,
    "What was sold": judge_orders,
    "Who may be written to": judge_contacts,
    "What Mailchimp's stores hold": judge_store,
    "Whom Meta may find": judge_audience,
    "What else is kept": judge_exports,
}


def show(*, orders: int, rate: float, seed: int, folder: Path | None) -> int:
    """Run the demo; ``orders`` 0 goes on until Ctrl-C. Gives the exit code.

    The shops come with a past, which is brought over; then so many orders are sold live, at
    ``rate`` a second, and at the end the shops are asked what no webhook told.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))  # and the connector ends too
    console = Console()
    home = folder or Path(tempfile.mkdtemp(prefix="connector-demo-"))
    past = min(_PAST, _TIMES * orders) if orders else _PAST
    console.print(
        f"Starting two shops with {past:,} orders behind them, and all that belongs to them ...",
        highlight=False,
        soft_wrap=True,
    )
    with World(folder=home, seed=seed, past=past) as world, Watch(world, console) as watch:
        _say_where(world, console)
        before = world.ledger()
        silence, arrived = _bring_over(world, watch)
        life = Life(world=world, rate=rate)
        watch.life = life
        life.run(orders or None, watch.look, _GLANCE)
        arrived = _find_again(world, watch) and arrived
        taken = scene.take_down(world, life, silence, before)
    verdict = _judge(taken)
    if not arrived:
        late = Finding(holds=False, what=f"everything was there within {_PATIENCE:.0f} s")
        verdict = {**verdict, "In time": [late]}
    holds = _tell(console, verdict)
    _say_what_next(console, home, taken)
    return 0 if holds else 1


def _bring_over(world: World, watch: Watch) -> tuple[Silence, bool]:
    """Watch the past being read and brought where it belongs, without a word to anybody."""
    watch.say("Their past is read and brought over (connector backfill) ...")
    syncing: set[str] = set()
    deadline = time.monotonic() + _PATIENCE
    while not (readings.are_over(world) and world.is_settled() and not world.syncing()):
        syncing |= world.syncing()
        watch.look()
        if time.monotonic() > deadline:
            break
        time.sleep(_GLANCE)
    mails = len(world.places.mailchimp.sales.fired)
    watch.say(f"{readings.summary(world)} are there; {mails} mails were set off by them.")
    watch.say("Now the shops sell. Some webhooks will be lost, and some people leave in Mailchimp.")
    silence = Silence(syncing=syncing, mails=mails)
    return silence, time.monotonic() < deadline


def _find_again(world: World, watch: Watch) -> bool:
    """Ask the shops for what no webhook told, and let everything arrive; whether it did."""
    world.catch_up()
    settled = _settle(world, watch)
    watch.say("The shops are asked what no webhook told (connector reconcile --whole) ...")
    readings.begin_whole_pass(world)
    read = readings.see_through(world, watch, patience=_PATIENCE)
    settled = _settle(world, watch) and settled and read
    time.sleep(1.0)  # the files are written once nothing is due any more
    watch.look()
    return settled


def _settle(world: World, watch: Watch) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while not world.is_settled() or world.syncing():
        watch.look()
        if time.monotonic() > deadline:
            return False
        time.sleep(_GLANCE)
    return True


def _judge(taken: Scene) -> Mapping[str, Sequence[Finding]]:
    """What is held against the shops' own books, each under its heading."""
    return {title: [*judge(taken)] for title, judge in _JUDGES.items()}


def _tell(console: Console, verdict: Mapping[str, Sequence[Finding]]) -> bool:
    """Print the verdict; whether all of it holds."""
    for title, findings in verdict.items():
        console.print(f"\n{title}", style="bold cyan", highlight=False)
        for finding in findings:
            mark = "  ok  " if finding.holds else "  NO  "
            console.print(f"{mark}{finding.what}", highlight=False, soft_wrap=True)
    return all(finding.holds for findings in verdict.values() for finding in findings)


def _say_where(world: World, console: Console) -> None:
    places = world.places
    console.print(
        f"WooCommerce {places.wool.base_url} and Shopify {places.yarn.base_url}\n"
        f"  -> connector {world.hooks}, its files in {world.folder}\n"
        f"  -> Mailchimp {places.mailchimp.url}, a Meta catalog {places.catalog.url}\n"
        f"     and Meta audiences {places.audiences.url}",
        highlight=False,
        soft_wrap=True,
    )


def _say_what_next(console: Console, home: Path, taken: Scene) -> None:
    command = "connector" if shutil.which("connector") else sys.argv[0]
    config = f"--config {home}/connector.yaml"
    members = taken.members
    somebody = max(members, key=lambda email: len(members[email]["tags"]), default="EMAIL")
    console.print(
        "\nLook around:\n"
        f"  {command} status {config}\n"
        f"  {command} explain {config} {somebody}\n"
        f"  {command} parked {config}\n"
        f"  {home}/exports holds what a spreadsheet or Datasette can open",
        highlight=False,
        soft_wrap=True,
    )
