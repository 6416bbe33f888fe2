"""Who writes first where only one can write: a shop at the door goes before the worker."""

from __future__ import annotations

import fcntl
import os
import time

_POLL = 0.0005  # seconds between two looks
_LONGEST = 0.25  # seconds that a worker holds back at most


class Precedence:
    """A sign beside an SQLite file that somebody at the door waits for its lock.

    SQLite's lock has no queue: a worker that writes back to back would take it again and again
    past a receiver that looks every half millisecond. The sign is a lock on a file of its own,
    which falls away with the process that holds it.
    """

    def __init__(self, path: str) -> None:
        self._path = f"{path}.door"
        self._file: int | None = None
        self._asking = False

    def ask(self) -> None:
        """Put up the sign; once is enough."""
        if not self._asking:
            fcntl.flock(self._open(), fcntl.LOCK_SH)
            self._asking = True

    def thank(self) -> None:
        """Take the sign down, if it is up."""
        if self._asking:
            self._asking = False
            fcntl.flock(self._open(), fcntl.LOCK_UN)

    def give_way(self) -> None:
        """Return when no sign is up, or after a quarter of a second."""
        deadline = time.monotonic() + _LONGEST
        while time.monotonic() < deadline:
            try:
                fcntl.flock(self._open(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_POLL)
            else:
                fcntl.flock(self._open(), fcntl.LOCK_UN)
                return

    def close(self) -> None:
        """Let go of the file, and with it of the sign."""
        self._asking = False
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> int:
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._file
