"""A shop's past, read by a process of its own: understanding it takes a core as settling it does.

The process gets the shop's settings by a pipe and gives back what it understood. It ends with the
house, however that ends, and is started anew when something is to be read again.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TypeAlias

from connector.errors import LaneDown, TryLater
from connector.flow.packed import pack, unpack
from connector.model import Kind
from connector.ports import Haul, Remembering

_AHEAD = 8  # hauls that are understood before they are asked for
_PATIENCE = 2.0  # seconds a process may take to end by itself


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be read, as `Remembering.history` takes it."""

    kind: Kind
    since: datetime | None
    cursor: str | None
    now: datetime


@dataclass(frozen=True, slots=True)
class _Later:
    """`TryLater`, whose parts would not survive the way as an exception."""

    reason: str
    retry_after: float | None


@dataclass(frozen=True, slots=True)
class _Down:
    """`LaneDown`, likewise."""

    reason: str
    mend: str


@dataclass(frozen=True, slots=True)
class _Broken:
    """Any other exception: its kind only, since its words may quote a person."""

    kind: str


@dataclass(frozen=True, slots=True)
class _Through:
    """All is read."""


_Ending: TypeAlias = _Later | _Down | _Broken | _Through
_END = b"e"  # no haul begins so


class Apart:
    """As a shop that remembers, in another process; ``make`` makes the shop there.

    ``make`` must be picklable. What is not read in hauls is asked of the shop ``here``.
    """

    def __init__(self, here: Remembering, make: Callable[[], Remembering]) -> None:
        self._here = here
        self._make = make
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    @property
    def kinds(self) -> Sequence[Kind]:
        """As the shop's own."""
        return self._here.kinds

    def ids(self, kind: Kind) -> Iterator[Sequence[str]]:
        """As the shop's own."""
        return self._here.ids(kind)

    def history(
        self, kind: Kind, *, since: datetime | None, cursor: str | None, now: datetime
    ) -> Iterator[Haul]:
        """As the shop's own. Raises `TryLater` if the process ends before it is through."""
        whole = False
        try:
            pipe = self._started()
            pipe.send(_Asked(kind, since, cursor, now))
            while not whole:
                message = pipe.recv_bytes()
                if not message.startswith(_END):
                    yield unpack(message)
                    continue
                ending: _Ending = pickle.loads(message[1:])  # noqa: S301 - from our own process
                match ending:
                    case _Through():
                        whole = True
                    case _Later(reason, retry_after):
                        whole = True
                        raise TryLater(reason, retry_after=retry_after)
                    case _Down(reason, mend):
                        whole = True
                        raise LaneDown(reason, mend=mend)
                    case _Broken(name):
                        whole = True
                        raise RuntimeError(f"reading {kind} of the shop's past: {name}")
        except (EOFError, OSError) as problem:
            raise TryLater("the process that reads the shop's past has ended") from problem
        finally:
            if not whole:  # it would go on with what nobody waits for
                self.close()

    def close(self) -> None:
        """End the process, if there is one."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        if self._process is not None:
            self._process.terminate()
            self._process.join(_PATIENCE)
            self._process = None

    def _started(self) -> Connection:
        if self._pipe is None or self._process is None or not self._process.is_alive():
            self.close()
            spawn = multiprocessing.get_context("spawn")
            self._pipe, theirs = spawn.Pipe()
            self._process = spawn.Process(
                target=_serve, args=(theirs, self._make), name="past", daemon=True
            )
            self._process.start()
            theirs.close()
        return self._pipe


def _serve(pipe: Connection, make: Callable[[], Remembering]) -> None:
    """Read what is asked for, one after another, until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the house, which then ends us
    shop = make()
    with contextlib.suppress(EOFError, OSError):
        while True:
            asked: _Asked = pipe.recv()
            _answer(pipe, shop, asked)


def _answer(pipe: Connection, shop: Remembering, asked: _Asked) -> None:
    """Give the hauls, a few ahead of who takes them, and then how it ended."""
    ready: queue.Queue[bytes | None] = queue.Queue(_AHEAD)
    gone = threading.Event()
    sender = threading.Thread(target=_send, args=(pipe, ready, gone))
    sender.start()
    try:
        for message in _messages(shop, asked):
            ready.put(message)
            if gone.is_set():
                raise BrokenPipeError
    finally:
        ready.put(None)
        sender.join()


def _send(pipe: Connection, ready: queue.Queue[bytes | None], gone: threading.Event) -> None:
    while (message := ready.get()) is not None:
        try:
            if not gone.is_set():
                pipe.send_bytes(message)
        except OSError:
            gone.set()


def _messages(shop: Remembering, asked: _Asked) -> Iterator[bytes]:
    hauls = shop.history(asked.kind, since=asked.since, cursor=asked.cursor, now=asked.now)
    ending: _Ending = _Through()
    try:
        for haul in hauls:
            yield pack(haul)
    except TryLater as problem:
        ending = _Later(problem.reason, problem.retry_after)
    except LaneDown as problem:
        ending = _Down(problem.reason, problem.mend)
    except Exception as problem:  # noqa: BLE001 - whatever it was, who waits must be told
        ending = _Broken(type(problem).__name__)
    yield _END + pickle.dumps(ending, pickle.HIGHEST_PROTOCOL)
