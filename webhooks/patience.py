"""Patience with slow senders: how long the door stays open for a body that does not come.

Granian hands a request over before its body has arrived, and then waits for ever:
https://github.com/emmett-framework/granian has no setting for it. So whoever reads a body here is
watched, and one that stalls is sent away over its `Line`, which lets the reading thread go. When
more bodies are under way than there are threads to spare, the one that has been longest under way
goes first: it is not the one that is about to arrive.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Protocol

LINE = "connector.line"
"""Where in the WSGI environment a server may leave the `Line` to the sender."""

MOST = 24
"""How many bodies may be under way at one time; a server needs more threads than that."""

_TICK = 0.25


class Line(Protocol):
    """A server's connection to the sender of one request, for what WSGI has no words for."""

    def keep(self) -> None:
        """The answer to this request comes later, by `reply`: ignore what the call returns."""

    def reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Answer now, from any thread."""

    def cut(self, status: int) -> None:
        """Answer with a bare status and close the connection, though its body is still read."""


class Sender:
    """A sender whose body is under way."""

    __slots__ = ("_line", "began", "moved", "status")

    def __init__(self, line: Line) -> None:
        self._line = line
        self.began = self.moved = time.monotonic()
        self.status = 408

    def progress(self) -> None:
        """Another piece of the body is here."""
        self.moved = time.monotonic()

    def send_away(self) -> None:
        """Answer and close the connection, for the thread that waits cannot."""
        self._line.cut(self.status)


class Patience:
    """Watches the bodies under way.

    ``silence`` is how many seconds may pass without another 64 KiB (or the end), ``longest`` how
    many the whole body may take, ``most`` how many bodies may be under way at one time.
    """

    def __init__(self, *, silence: float = 9.5, longest: float = 30.0, most: int = MOST) -> None:
        self._silence = silence
        self._longest = longest
        self._most = most
        self._senders: dict[Sender, None] = {}  # in the order of their coming
        self._watch: threading.Thread | None = None
        self._starting = threading.Lock()

    def begin(self, environ: Mapping[str, Any]) -> Sender | None:
        """Start watching the sender of a request; ``None`` where the server cannot let it go."""
        line = environ.get(LINE)
        if line is None:
            return None
        if self._watch is None:
            self._start()
        sender = Sender(line)
        self._senders[sender] = None
        if len(self._senders) > self._most:
            for oldest in list(self._senders)[:1]:  # a copy in one step: others come and go
                self._send_away(oldest)
        return sender

    def end(self, sender: Sender | None) -> bool:
        """Stop watching; false when the sender was sent away meanwhile."""
        # Taking out of a dictionary is one step: either this thread gets it or the watch does.
        return sender is None or self._senders.pop(sender, self) is None

    def _start(self) -> None:
        with self._starting:
            if self._watch is None:
                self._watch = threading.Thread(target=self._keep_watch, daemon=True)
                self._watch.start()

    def _keep_watch(self) -> None:
        tick = min(_TICK, self._silence / 4)
        while True:
            time.sleep(tick)
            now = time.monotonic()
            for sender in list(self._senders):
                if now - sender.moved > self._silence or now - sender.began > self._longest:
                    self._send_away(sender)

    def _send_away(self, sender: Sender) -> None:
        if self.end(sender):
            # A thread of its own: the server takes its time to get the answer out.
            threading.Thread(target=sender.send_away, daemon=True).start()
