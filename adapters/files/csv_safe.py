"""Writes tables as CSV that a spreadsheet opens as text and numbers, never as formulas.

A name such as ``=HYPERLINK(…)`` typed into a shop's checkout must not run on the desk of whoever
opens the file: https://owasp.org/www-community/attacks/CSV_Injection.
"""

from __future__ import annotations

import csv
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TextIO

from connector.model import Json

# What spreadsheets take for the beginning of a formula, in usual and in full width, and the minus
# signs that some of them read as one.
_FORMULA = frozenset("=+-@＝＋－＠−﹣﹢﹦﹫")  # noqa: RUF001 look-alikes are what is meant
_LEADING = frozenset("\t\r\n\x00")
_SKIPPED = " \t\r\n\x0b\x0c\x00\xa0\u200b\u200c\u200d\u2060\ufeff\u3000"
_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")


def cell(value: Json) -> str:
    """The text of one cell. Numbers stay numbers; what could be a formula begins with ``'``."""
    if value is None:
        return ""
    text = str(value)
    if not isinstance(value, str) or _NUMBER.fullmatch(text):
        return text
    bare = text.lstrip(_SKIPPED)
    dangerous = text[:1] in _LEADING or bare[:1] in _FORMULA
    return ("'" if text and dangerous else "") + text.replace("\x00", "")


def write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Json]]) -> None:
    """Put a whole file in place of the old one: RFC 4180, UTF-8, for its owner's eyes only.

    Readers see the old file or the new one, never half of one, even after a power cut. Raises
    ``OSError``.
    """

    def fill(file: TextIO) -> None:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([cell(column) for column in columns])
        writer.writerows([cell(value) for value in row] for row in rows)

    put_whole(path, fill)


def put_whole(path: Path, fill: Callable[[TextIO], object]) -> None:
    """Replace a text file as a whole by what ``fill`` writes. Raises ``OSError``."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises ``OSError``."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
