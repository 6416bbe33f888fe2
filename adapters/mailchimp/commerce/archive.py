"""The results of a batch: an archive at another address, unpacked in memory and never trusted.

A gzipped tar of JSON files, each a list of results whose ``response`` is JSON in a text.
https://mailchimp.com/developer/marketing/guides/run-async-requests-batch-endpoint/
"""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from adapters.mailchimp.account import is_loopback
from adapters.mailchimp.commerce.operations import Reply
from adapters.mailchimp.refusals import Refused
from adapters.wire import Wire
from connector.errors import TryLater
from connector.model import Json

LARGEST = 32 * 1024 * 1024
LARGEST_UNPACKED = 128 * 1024 * 1024
"""Bytes. 1,000 answers about orders of three lines come to about 6 MB unpacked."""

_PIECE = 65_536
_MOST_FILES = 10_000


class _Result(msgspec.Struct):
    status_code: int
    operation_id: str = ""
    response: str = ""


_RESULTS = msgspec.json.Decoder(list[_Result])


class Shelves:
    """Where archives are fetched from; our key is never shown there."""

    def __init__(self, host: str, seconds: float) -> None:
        self._here = is_loopback(host)
        self._wire = Wire(
            "Mailchimp's archive of results",
            connections=1,
            seconds=seconds,
            largest=LARGEST,
            through_proxies=not self._here,
        )

    def fetch(self, address: str) -> Mapping[str, Reply]:
        """The replies by operation. The address works for ten minutes. Raises `TryLater`."""
        if not self._may_go(address):
            raise TryLater("Mailchimp names no address where a batch's results could be")
        answer = self._wire.send("GET", address, headers={})
        if not answer.ok:
            raise TryLater(f"Mailchimp's archive of results answered {answer.status_code}")
        return dict(unpack(answer.content))

    def _may_go(self, address: str) -> bool:
        try:
            parts = urlsplit(address)
        except ValueError:
            return False
        if parts.scheme == "http":
            return self._here and is_loopback(address)
        return parts.scheme == "https" and bool(parts.hostname) and not parts.username


def unpack(archive: bytes) -> Iterator[tuple[str, Reply]]:
    """Every result by its operation. Raises `TryLater` for what is no such archive, or too much.

    Nothing is written and no name is looked at: only what plain files hold is read.
    """
    try:
        with tarfile.open(fileobj=io.BufferedReader(_Unzipped(archive)), mode="r|") as tar:
            for number, member in enumerate(tar):
                if number >= _MOST_FILES:
                    raise TryLater("Mailchimp's archive of results holds too many files")
                content = tar.extractfile(member) if member.isreg() else None
                if content is not None:
                    for result in _RESULTS.decode(content.read()):
                        yield result.operation_id, _reply(result)
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, RecursionError) as error:
        raise TryLater(
            f"Mailchimp's archive of results cannot be read ({type(error).__name__})"
        ) from None


def _reply(result: _Result) -> Reply:
    said = _object(result.response)
    if 200 <= result.status_code < 300:  # noqa: PLR2004 - the numbers of HTTP are its names
        return Reply(said=said)
    return Reply(refused=Refused(result.status_code, said))


def _object(text: str) -> Mapping[str, Json]:
    try:
        said = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


class _Unzipped(io.RawIOBase):
    """What a gzipped text unpacks to, so much at a time and so much in all."""

    def __init__(self, zipped: bytes) -> None:
        self._rest = zipped
        self._unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self._left = LARGEST_UNPACKED

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._unzip.eof:
            return 0
        piece = self._unzip.decompress(self._rest, min(len(buffer), _PIECE))
        self._rest = self._unzip.unconsumed_tail
        if not piece and not self._unzip.eof:
            raise EOFError("it ends too early")
        self._left -= len(piece)
        if self._left < 0:
            raise TryLater("Mailchimp's archive of results unpacks to too much")
        buffer[: len(piece)] = piece
        return len(piece)
