"""One worker at a time on an SQLite file: locks on small files beside it.

A worker is appointed, and then works for as long as it lives. A command that works for a while has
no appointment, so a worker that is started meanwhile can tell it from another worker: it waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from connector.errors import StoreUnavailable


class StoreTaken(StoreUnavailable):
    """Somebody works on the store already."""


@contextmanager
def sole_worker(path: str) -> Iterator[None]:
    """Be the only one who works on a store. Raises `StoreTaken` if somebody does already."""
    with _locked(f"{path}.worker", path):
        yield


@contextmanager
def appointed(path: str) -> Iterator[None]:
    """Be the one worker of a store, at work or about to. Raises `StoreTaken` if there is one."""
    with _locked(f"{path}.appointed", path):
        yield


def is_appointed(path: str) -> bool:
    """Whether a worker is there, at work or waiting until a command is done."""
    import fcntl

    with _file(f"{path}.appointed") as lock:
        try:
            # Shared, and for a moment: two that ask do not take each other for a worker.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


@contextmanager
def _locked(name: str, path: str) -> Iterator[None]:
    import fcntl

    with _file(name) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            raise StoreTaken(
                f"another worker already works on {path}. Stop it first, or keep the store on "
                "PostgreSQL, where any number of workers may share it."
            ) from problem
        yield


def _file(name: str) -> IO[str]:
    return open(name, "w")  # noqa: PTH123 - a file to lock, not to read; closed by `with`
