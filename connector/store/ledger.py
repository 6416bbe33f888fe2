"""The erasures in a small file beside the store, for a backup knows nothing of those after it.

One digest a line, nothing that names anybody: ``connector.db.erased``. A store that knows less than
its file was put back from before, and is not used until the people are erased again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from connector.errors import StoreUnavailable
from connector.keys import Digest
from connector.store import suppressions
from connector.store.suppressions import Entry
from connector.whole_files import put_in_place


class _Line(msgspec.Struct):
    digest: str
    key: str
    erased_at: datetime
    reason: str


_READER = msgspec.json.Decoder(_Line)


def beside(store: str | Path) -> Path:
    """Where the file of a store, or of a backup, is."""
    return Path(f"{store}.erased")


def write(path: Path, entries: Iterable[Entry]) -> None:
    """Put the whole file in place of the old one, durably, for its owner alone."""
    lines = [
        msgspec.json.encode(
            _Line(entry.digest.value.hex(), entry.digest.version, entry.erased_at, entry.reason)
        )
        for entry in entries
    ]
    put_in_place(path, b"".join(line + b"\n" for line in lines))


def read(path: Path) -> list[Entry]:
    """The entries of a file, none if there is no file. Raises `StoreUnavailable` if damaged."""
    try:
        lines = [_READER.decode(line) for line in path.read_bytes().splitlines()]
        return [
            Entry(
                digest=Digest(line.key, bytes.fromhex(line.digest)),
                erased_at=line.erased_at,
                reason=line.reason,
            )
            for line in lines
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as problem:
        raise StoreUnavailable(
            f"{path} cannot be read as the list of who was erased ({type(problem).__name__}): put "
            "it back from where the backups are. Without it erased people could come back."
        ) from problem


def missing(conn: Connection, entries: Collection[Entry]) -> list[Entry]:
    """The erasures that the store does not know of, or not of the latest."""
    known = {entry.digest.value: entry.erased_at for entry in suppressions.everything(conn)}
    return [
        entry
        for entry in entries
        if entry.digest.value not in known or known[entry.digest.value] < entry.erased_at
    ]
