"""Keeps the tokens that change by themselves, beyond the process: a file for its owner's eyes only.

One object, by shop; any number of processes of this machine share it. A token of it is never told.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from connector.errors import ConfigurationFault, StoreUnavailable
from connector.model import Json
from connector.whole_files import put_in_place

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class TokenFile:
    """The file at ``path``. It need not be there; its folder must. Safe to share."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.RLock()
        self._inside = False

    def get(self, name: str) -> Mapping[str, Json] | None:
        """What was last put under a name, or written there by a person.

        Raises `ConfigurationFault` for a file that others can read or that cannot be understood,
        `StoreUnavailable` for one that cannot be read.
        """
        return self._read().get(name)

    def put(self, name: str, value: Mapping[str, Json]) -> None:
        """Keep the value, durably, before returning; what stands under other names stays.

        Raises as `get`.
        """
        with self.alone():
            content = {**self._read(), name: dict(value)}
            try:
                put_in_place(self._path, json.dumps(content, indent=1).encode() + b"\n")
            except OSError as problem:
                raise self._unusable("written", problem) from None

    def _read(self) -> dict[str, Mapping[str, Json]]:
        """A replaced file is the old one or the new one, so that reading needs no lock."""
        try:
            with self._path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                raw = file.read()
        except FileNotFoundError:
            return {}
        except OSError as problem:
            raise self._unusable("read", problem) from None
        if mode & _OTHERS:
            raise ConfigurationFault(
                f"{self._path} holds secrets, and others on this machine can open it: "
                f"chmod 600 {self._path}"
            )
        try:
            content = json.loads(raw)
        except (ValueError, RecursionError):  # its text would be shown in the error
            content = None
        if not isinstance(content, dict) or not all(isinstance(v, dict) for v in content.values()):
            raise ConfigurationFault(
                f"{self._path} is not a JSON object with an object for each shop: mend it, or "
                "move it away and authorise the apps anew"
            )
        return content

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While it lasts no other thread or process is in it; we may `get` and `put` in it.

        Raises `StoreUnavailable`.
        """
        with self._turn:
            if self._inside:
                yield
                return
            with self._locked():
                self._inside = True
                try:
                    yield
                finally:
                    self._inside = False

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The lock's own file is never replaced, as the file itself is."""
        beside = self._path.with_name(f"{self._path.name}.lock")
        try:
            handle = os.open(beside, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as problem:
            raise self._unusable("locked", problem) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _unusable(self, verb: str, problem: OSError) -> StoreUnavailable:
        return StoreUnavailable(
            f"{self._path} cannot be {verb} ({problem.strerror}): this user must be able to write "
            "it and its folder, and the disk must have room"
        )
