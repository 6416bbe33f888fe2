"""The list that lies beside the exported files: what each holds, and that the set is whole.

It is taken away before the first file is written anew and put there after the last. So whoever
waits for it finds files of one moment, and its digests prove that they still are.
"""

from __future__ import annotations

import hashlib
import json
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from adapters.files import csv_safe
from connector import moments
from connector.model import Json
from connector.ports import OPERATOR, Finding, Grade

NAME = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """Files that somebody had changed or taken away when they were last written anew for that."""

    files: tuple[str, ...]
    at: str

    @classmethod
    def of(cls, files: Sequence[str], now: datetime) -> Restored:
        """Those that are written anew now."""
        return cls(files=tuple(files), at=moments.to_text(now))


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
    return Written(
        name=path.name,
        rows=count["rows"],
        bytes=path.stat().st_size,
        sha256=_digest(path) or "",
        columns=tuple(columns),
    )


def put(
    folder: Path,
    destination: str,
    files: Sequence[Written],
    customers: Mapping[str, Mapping[str, int]],
    *,
    every: timedelta | None,
    restored: Restored | None,
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
        "restored": asdict(restored) if restored else None,
    }
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    csv_safe.put_whole(folder / NAME, lambda file: file.write(text))


def take_away(folder: Path) -> None:
    """From now on the set is not whole. Raises ``OSError``."""
    if (folder / NAME).exists():
        (folder / NAME).unlink()
        csv_safe.sync_folder(folder)


def exists(folder: Path) -> bool:
    """Is there a list, so that a set was written."""
    return (folder / NAME).exists()


def altered(folder: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Those of these files, and the list itself, that are not as they were written."""
    told = _read(folder)
    if told is None:
        return (NAME,)
    digests = _digests(told)
    return tuple(name for name in names if _digest(folder / name) != digests.get(name))


def restored(folder: Path) -> Restored | None:
    """What the list says of files that had to be written anew."""
    told = (_read(folder) or {}).get("restored")
    files, at = (told.get("files"), told.get("at")) if isinstance(told, dict) else (None, None)
    known = isinstance(files, list) and all(isinstance(each, str) for each in files)
    return Restored(files=tuple(files or ()), at=str(at)) if known else None


def findings(folder: Path, names: Sequence[str]) -> Iterator[Finding]:
    """Say which of these files are not as written, and which were not; nothing is changed."""
    told = _read(folder)
    if told is None:
        return
    if spoilt := altered(folder, [name for name in names if name in _digests(told)]):
        yield Finding(
            what=f"{', '.join(spoilt)}: not as written",
            cause="somebody changed it, or took it away",
            mend="It is written anew within a day by itself, and at once by `connector export`. "
            "Change copies of these files, not these.",
            who=OPERATOR,
        )
    before = restored(folder)
    mended = [name for name in (*names, NAME) if before and name in before.files]
    if before and mended:
        yield Finding(
            what=f"{', '.join(mended)}: somebody had changed it or taken it away; "
            f"written anew at {before.at[:20]}",
            grade=Grade.NOTE,
        )


def _digests(told: Mapping[str, Json]) -> dict[str, Json]:
    files = told.get("files")
    return {
        str(each.get("name")): each.get("sha256")
        for each in (files if isinstance(files, list) else [])
        if isinstance(each, dict)
    }


def _digest(path: Path) -> str | None:
    """What is in a file; ``None`` for what cannot be read, and for what is no file."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _read(folder: Path) -> dict[str, Json] | None:
    try:
        told = json.loads((folder / NAME).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def written_at(folder: Path) -> datetime | None:
    """When the whole set was last written; ``None`` where there is none that can be read."""
    return moments.parse_utc((_read(folder) or {}).get("written_at"))


def next_at(folder: Path, every: timedelta, *, now: datetime) -> datetime | None:
    """When the set is to be written again, if that is not yet; a clock set back delays nothing."""
    last = written_at(folder)
    if last is None or not last <= now < last + every:
        return None
    return last + every
