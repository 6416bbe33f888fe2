"""One worker at a time on an SQLite file: a lock on a small file beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connector.errors import StoreUnavailable


@contextmanager
def sole_worker(path: str) -> Iterator[None]:
    """Be the only worker of a store. Raises `StoreUnavailable` if there is one already."""
    import fcntl

    with open(f"{path}.worker", "w") as lock:  # noqa: PTH123 - a file to lock, not to read
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            raise StoreUnavailable(
                f"another worker already works on {path}. Stop it first, or keep the store on "
                "PostgreSQL, where any number of workers may share it."
            ) from problem
        yield
