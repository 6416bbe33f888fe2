"""Signs that an SQLite file is damaged, seen before SQLite makes an empty store of it."""

from __future__ import annotations

from pathlib import Path

from connector.errors import StoreUnavailable

MEND = "To put the newest backup in its place: connector db restore FILE"
_MAGIC = b"SQLite format 3\x00"
_HEADER = 100  # bytes; https://www.sqlite.org/fileformat.html#the_database_header
_LARGEST_PAGE = 65_536


def refuse_damaged(file: Path) -> None:
    """Raise `StoreUnavailable` for a file that is there and cannot be an SQLite store."""
    with file.open("rb") as opened:
        head = opened.read(_HEADER)
    journal = Path(f"{file}-wal")
    has_journal = journal.exists() and journal.stat().st_size > 0
    if head and head[: len(_MAGIC)] != _MAGIC:
        raise StoreUnavailable(
            f"{file} is no SQLite database, or a damaged one. It was left as it is. {MEND}"
        )
    if not head and has_journal:
        raise StoreUnavailable(f"{file} is empty but has a journal: it is damaged. {MEND}")
    # With a journal the end of the file may still be on its way.
    if head and not has_journal and file.stat().st_size < _promised(head):
        raise StoreUnavailable(f"{file} ends before its end: it is damaged. {MEND}")


def refuse_missing(file: Path) -> None:
    """Raise `StoreUnavailable` for a file that is not there although its journal is."""
    journal = Path(f"{file}-wal")
    if not file.exists() and journal.exists():
        raise StoreUnavailable(
            f"{file} is missing but its journal {journal} is there; an empty store in its place "
            f"would forget who opted out. Put the file back. {MEND}"
        )


def _promised(head: bytes) -> int:
    """How long the file must be by its own header; 0 if that does not say."""
    if len(head) < _HEADER:
        return _HEADER
    if head[24:28] != head[92:96]:  # the count of pages was not kept up
        return 0
    size = int.from_bytes(head[16:18])
    return (_LARGEST_PAGE if size == 1 else size) * int.from_bytes(head[28:32])
