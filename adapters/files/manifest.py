"""The list that lies beside the exported files: what each holds, and that the set is whole.

It is taken away before the first file is written anew and put there after the last. So whoever
waits for it finds files of one moment, and its digests prove that they still are.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from adapters.files import csv_safe
from connector import moments
from connector.model import Json

NAME = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One file as it was written. ``rows`` without the line of column names."""

    name: str
    rows: int
    bytes: int
    sha256: str
    columns: tuple[str, ...]


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Json]]) -> Written:
    """Write one table as CSV and say what is in the file. Raises ``OSError``."""
    count = Counter[str]()

    def counted() -> Iterable[Sequence[Json]]:
        for row in rows:
            count["rows"] += 1
            yield row

    csv_safe.write(path, columns, counted())
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Written(
        name=path.name,
        rows=count["rows"],
        bytes=path.stat().st_size,
        sha256=digest,
        columns=tuple(columns),
    )


def put(
    folder: Path,
    destination: str,
    files: Sequence[Written],
    customers: Mapping[str, Mapping[str, int]],
    *,
    every: timedelta | None,
    now: datetime,
) -> None:
    """Put the list in place, whole. Raises ``OSError``.

    ``customers`` counts the people by shop and by the state of their permissions.
    """
    content = {
        "destination": destination,
        "written_at": moments.to_text(now),
        "every_seconds": int(every.total_seconds()) if every else None,
        "files": [asdict(file) for file in files],
        "customers": customers,
    }
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    csv_safe.put_whole(folder / NAME, lambda file: file.write(text))


def take_away(folder: Path) -> None:
    """From now on the set is not whole. Raises ``OSError``."""
    if (folder / NAME).exists():
        (folder / NAME).unlink()
        csv_safe.sync_folder(folder)


def written_at(folder: Path) -> datetime | None:
    """When the whole set was last written; ``None`` where there is none that can be read."""
    try:
        told = json.loads((folder / NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return moments.parse_utc(told.get("written_at")) if isinstance(told, dict) else None


def next_at(folder: Path, every: timedelta, *, now: datetime) -> datetime | None:
    """When the set is to be written again, if that is not yet; a clock set back delays nothing."""
    last = written_at(folder)
    if last is None or not last <= now < last + every:
        return None
    return last + every
