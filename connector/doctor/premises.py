"""Looks at this machine: the store and the disk it lies on, the worker, and what the books say."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector import health, screen, wiring
from connector.errors import ConfigurationFault, StoreUnavailable
from connector.flow import hush
from connector.flow.targets import targets_of
from connector.ports import OPERATOR, Finding, Grade, addressed
from connector.store import bodies, lanes
from connector.store.connect import Store
from connector.store.ground import network_share, sqlite_file
from connector.wiring import Configured

_LONG = 900  # seconds that anything may wait before somebody should look


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFound:
    """The store, opened if there is one; ``unusable`` when nothing can be kept in it."""

    findings: Sequence[Finding]
    store: Store | None = None
    unusable: bool = False


def examine_store(configured: Configured) -> StoreFound:
    """Open the store as work would, write to it, and look at the disk. Makes no new one."""
    url = configured.settings.store
    file = sqlite_file(url)
    if file is not None and not file.exists() and not file.with_name(f"{file.name}-wal").exists():
        share = network_share(file)
        usable = file.parent.is_dir() and os.access(file.parent, os.W_OK) and share is None
        finding = Finding(
            where="store",
            what="there is no store yet; `connector run` makes it"
            if usable
            else f"the store cannot be made in {file.parent}"
            + (f": that is a network share ({share})" if share else ""),
            mend="" if usable else "Make the folder, on a local disk, for this user to write in.",
            who="" if usable else OPERATOR,
            grade=Grade.NOTE if usable else Grade.ALARM,
        )
        return StoreFound(findings=[finding], unusable=not usable)
    try:
        store = wiring.open_store(configured.settings)
        with store.write() as conn:
            lanes.put(conn, "doctor", None, now=wiring.clock_of(configured.settings)())
    except (StoreUnavailable, ConfigurationFault) as problem:
        return StoreFound(findings=[_unusable(problem)], unusable=True)
    return StoreFound(findings=list(_store(store)), store=store)


def examine_books(configured: Configured, store: Store | None) -> Iterator[Finding]:
    """Is a worker alive, do the books balance, does anything wait for a person or too long."""
    if store is None:
        return
    with store.read() as conn:
        beat = lanes.last_beat(conn)
    if health.is_alive(beat, wiring.clock_of(configured.settings)()):
        yield Finding(where="worker", what="a worker is alive", grade=Grade.FINE)
    else:
        yield Finding(
            where="worker",
            what=f"no worker has said for {health.ALIVE_SECONDS} s that it lives",
            cause="What arrives is kept, and waits.",
            mend="Start `connector run`, or `connector work` beside `connector serve`.",
            who=OPERATOR,
            grade=Grade.ALARM,
        )
    books = wiring.draw_up_books(configured, store)
    balanced = books["balanced"]
    yield Finding(
        where="books",
        what="the books balance" if balanced else "the books do not balance",
        cause="" if balanced else "Something was lost, or is counted nowhere.",
        mend="" if balanced else "Keep a copy of the store, and report it as a fault.",
        who="" if balanced else OPERATOR,
        grade=Grade.FINE if balanced else Grade.ALARM,
    )
    yield from _words(configured, store)
    targets = targets_of(configured.settings, configured.mapping)
    yield from _left_silent(store, {target.name for target in targets})
    for each in books["alarms"]:
        if each["kind"] in _TOLD_BELOW:
            continue
        yield Finding(
            where=each["where"],
            what=each["what"],
            mend=each["mend"],
            who=each["who"],
            grade=Grade.ALARM,
        )
    for name, book in books["shops"].items():
        yield from _shop(f"shops.{name}", book)
    for name, book in books["destinations"].items():
        yield from _destination(f"destinations.{name}", book)


_TOLD_BELOW = ("shop", "destination")
"""Alarms of what is told of each shop and destination as well."""


def _words(configured: Configured, store: Store) -> Iterator[Finding]:
    keep = configured.settings.keep_bodies
    before = wiring.clock_of(configured.settings)() - keep
    with store.read() as conn:
        kept = bodies.count_old_in_quarantine(conn, before=before)
    for name, number in kept.items():
        yield Finding(
            where=f"shops.{name}",
            what=f"bodies kept for more than {keep.days} days because they are in quarantine: "
            f"{number}",
            cause="They may name people, and are forgotten only once they are mended.",
            mend="`connector parked` shows each with its reason and who mends it.",
            who=OPERATOR,
        )


def _left_silent(store: Store, told: Collection[str]) -> Iterator[Finding]:
    with store.read() as conn:
        names = hush.left_silent(conn, told)
    for name in names:
        yield Finding(
            where=f"destinations.{name}",
            what="is told of nothing any more, and was left silent: its automations are off",
            cause="It was taken out of the mapping while a shop's past was brought over.",
            mend="Put it back until `connector status` shows nothing due, then take it out; or "
            "delete its store in Mailchimp.",
            who=OPERATOR,
            grade=Grade.WARNING,
        )


def _store(store: Store) -> Iterator[Finding]:
    if store.dialect == "sqlite":
        yield Finding(
            where="store", what="can be written; journal WAL, synchronous FULL", grade=Grade.FINE
        )
        yield from _file(store)
    else:
        yield from _server(store)
    short = health.shortage(store)
    if short is not None:
        yield Finding(
            where="store",
            what=short,
            cause="When the disk is full, shops are answered 503, and WooCommerce does not call "
            "again.",
            mend="Make room on that disk, or move the store to a larger one.",
            who=OPERATOR,
            grade=Grade.ALARM,
        )


def _file(store: Store) -> Iterator[Finding]:
    file = sqlite_file(str(store.engine.url))
    if file is not None and file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        yield Finding(
            where="store",
            what=f"{file} is open to everybody on this machine",
            cause="It holds names, addresses and orders.",
            mend=f"chmod 600 {file}",
            who=OPERATOR,
        )


def _server(store: Store) -> Iterator[Finding]:
    with store.read() as conn:
        version, fsync, commit = (
            conn.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("server_version", "fsync", "synchronous_commit")
        )
    if fsync == "on":
        yield Finding(
            where="store",
            what=f"PostgreSQL {version} can be written; synchronous_commit {commit}",
            grade=Grade.FINE,
        )
        return
    yield Finding(
        where="store",
        what="PostgreSQL runs with fsync off",
        cause="In a power cut it loses what shops were told is kept.",
        mend="Set fsync = on in postgresql.conf.",
        who=OPERATOR,
        grade=Grade.ALARM,
    )


def _unusable(problem: StoreUnavailable | ConfigurationFault) -> Finding:
    return Finding(
        where="store",
        what="the store cannot be used",
        cause=str(problem),
        mend="Mend what is named; nothing is received or sent until then.",
        who=OPERATOR,
        grade=Grade.ALARM,
    )


def _agreement(where: str, told: Mapping[str, Any]) -> Finding:
    repaired = told["repaired"]
    return Finding(
        where=where,
        what=f"compared with what is known of it: {screen.agreement(told)}",
        cause="No webhook had told of what was repaired." if repaired else "",
        grade=Grade.NOTE if repaired else Grade.FINE,
    )


def _shop(where: str, book: Mapping[str, Any]) -> Iterator[Finding]:
    if book["halted"]:
        who, _, mend = book["halted"]["mend"].partition(": ")
        yield Finding(
            where=where,
            what="nothing that it says is used",
            cause=book["halted"]["reason"],
            mend=mend,
            who=who.casefold(),
            grade=Grade.ALARM,
        )
    if book["agreement"]:
        yield _agreement(where, book["agreement"])
    if book["quarantined"]:
        yield Finding(
            where=where,
            what=f"deliveries in quarantine: {book['quarantined']}",
            mend="`connector parked` shows each with its reason and who mends it.",
            who=OPERATOR,
        )
    if (book["oldest_waiting_seconds"] or 0) > _LONG:
        yield Finding(
            where=where,
            what=f"deliveries wait since {book['oldest_waiting_seconds'] / 60:.0f} minutes",
            cause="No worker takes them up, or the shop does not answer what is asked about them.",
            mend="See what is said of the worker and of this shop here.",
            who=OPERATOR,
        )


def _destination(where: str, book: Mapping[str, Any]) -> Iterator[Finding]:
    if book["paused_until"]:
        who, mend = addressed(book["mend"] or "It is tried again by itself.")
        yield Finding(
            where=where,
            what=f"nothing is sent until {book['paused_until']}",
            cause=book["last_problem"] or "",
            mend=mend,
            who=who,
            grade=Grade.ALARM if book["mend"] else Grade.WARNING,
        )
    if book["parked"]:
        yield Finding(
            where=where,
            what=f"records parked: {book['parked']}",
            mend="`connector parked` shows each with its reason and who mends it.",
            who=OPERATOR,
        )
    if (book["oldest_due_seconds"] or 0) > _LONG and not book["paused_until"]:
        yield Finding(
            where=where,
            what=f"records are due since {book['oldest_due_seconds'] / 60:.0f} minutes",
            cause="No worker sends them, or mode is test.",
            mend="See what is said of the worker here.",
            who=OPERATOR,
        )
