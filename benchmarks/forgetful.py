"""A disk that forgets at a power cut what it was not told to keep, for SQLite to write on.

Writes become durable only at ``xSync``. At the cut a random part of the others survives, some torn:
SQLite's own crash tests do the same (https://www.sqlite.org/testing.html#crash_testing).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import apsw

_SURVIVES, _TORN = 0.5, 0.3  # of the writes nobody asked to keep; of those that survive, in part


class PowerCut(Exception):
    """The machine is dark."""


@dataclass(slots=True)
class _Platter:
    """One file: what is on the disk for good, what a reader sees, and what lies between."""

    durable: bytearray
    seen: bytearray
    unsynced: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Where and what was written; ``None`` cuts the file off there."""

    def change(self, at: int, content: bytes | None) -> None:
        _apply(self.seen, at, content)
        self.unsynced.append((at, content))

    def sync(self) -> None:
        for at, content in self.unsynced:
            _apply(self.durable, at, content)
        self.unsynced.clear()

    def after_cut(self, chance: random.Random) -> bytes:
        left = bytearray(self.durable)
        for at, content in self.unsynced:
            if chance.random() >= _SURVIVES:
                continue
            torn = bool(content) and chance.random() < _TORN
            _apply(left, at, content[: chance.randrange(len(content))] if torn else content)  # type: ignore[index, arg-type]  # torn: it is there
        return bytes(left)


def _apply(file: bytearray, at: int, content: bytes | None) -> None:
    if content is None:
        del file[at:]
        return
    if len(file) < at:
        file.extend(bytes(at - len(file)))
    file[at : at + len(content)] = content


class Disk(apsw.VFS):
    """Files in memory that SQLite opens by the name of this file system.

    The power fails at the ``fuse``-th write or sync from now.
    """

    def __init__(
        self, name: str, files: Mapping[str, bytes], *, fuse: int, chance: random.Random
    ) -> None:
        super().__init__(name, "")
        self.name = name
        self.platters = {
            path: _Platter(bytearray(content), bytearray(content))
            for path, content in files.items()
        }
        self.left: dict[str, bytes] | None = None
        """What is on the disk after the cut."""
        self._fuse = fuse
        self._chance = chance

    def burn(self) -> None:
        """Count one operation; at the last one of the fuse it is dark."""
        self._fuse -= 1
        if self._fuse == 0:
            self.cut()
            raise PowerCut

    def cut(self) -> None:
        """Decide what is left. What this run still does after it happens on no disk."""
        self.left = {
            path: platter.after_cut(self._chance) for path, platter in self.platters.items()
        }

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> _File:  # type: ignore[override]  # noqa: N802 - SQLite's name
        """Open a file, made if it is not there."""
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        flags[1] = flags[0]
        platter = _Platter(bytearray(), bytearray())
        if path is not None:
            platter = self.platters.setdefault(path, platter)
        return _File(platter, self.burn)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001, ARG002 - SQLite's
        """Forget a file."""
        self.burn()
        self.platters.pop(filename, None)

    def xAccess(self, pathname: str, flags: int) -> bool:  # noqa: N802, ARG002 - SQLite's
        """Whether a file is there."""
        return pathname in self.platters

    def xFullPathname(self, name: str) -> str:  # noqa: N802 - SQLite's
        """Names are whole already."""
        return name


class _File:
    """An open file, as SQLite asks for it. One process has it: there is nobody to lock out."""

    def __init__(self, platter: _Platter, burn: Callable[[], None]) -> None:
        self._platter = platter
        self._burn = burn

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - SQLite's
        return bytes(self._platter.seen[offset : offset + amount])

    def xWrite(self, content: bytes, offset: int) -> None:  # noqa: N802 - SQLite's
        self._platter.change(offset, bytes(content))
        self._burn()

    def xTruncate(self, size: int) -> None:  # noqa: N802 - SQLite's
        self._platter.change(size, None)
        self._burn()

    def xSync(self, flags: int) -> None:  # noqa: N802, ARG002 - SQLite's
        self._burn()
        self._platter.sync()

    def xFileSize(self) -> int:  # noqa: N802 - SQLite's
        return len(self._platter.seen)

    def xLock(self, level: int) -> None:  # noqa: N802 - SQLite's
        """Nothing to lock."""

    def xUnlock(self, level: int) -> None:  # noqa: N802 - SQLite's
        """Nothing to unlock."""

    def xCheckReservedLock(self) -> bool:  # noqa: N802 - SQLite's
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:  # noqa: N802, ARG002 - SQLite's
        return False

    def xSectorSize(self) -> int:  # noqa: N802 - SQLite's
        return 4096

    def xDeviceCharacteristics(self) -> int:  # noqa: N802 - SQLite's
        return 0

    def xClose(self) -> None:  # noqa: N802 - SQLite's
        """Nothing is held."""
