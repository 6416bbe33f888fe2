"""The files that the stand-in's bulk operations write, and where they are fetched from.

They lie, like Shopify's, at an address that knows no token: who has the link may read, for seven
days. https://cloud.google.com/storage/docs/access-control/signed-urls
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask import Flask, Response, request

KEPT_FOR = timedelta(days=7)
_RANGE = re.compile(r"bytes=(\d+)-")
_EXPIRED = "<?xml version='1.0' encoding='UTF-8'?><Error><Code>ExpiredToken</Code></Error>"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of ``size`` bytes; ``read`` gives them from a place on."""

    size: int
    read: Callable[[int], Iterator[bytes]]
    until: datetime


@dataclass(slots=True, kw_only=True)
class Files:
    """All files by name. ``torn`` are the bytes after which coming downloads break off.

    ``ranges`` says whether a download may begin in the middle; ``asked`` is what was sent along.
    """

    clock: Callable[[], datetime]
    torn: deque[int] = field(default_factory=deque)
    ranges: bool = True
    asked: list[Mapping[str, str]] = field(default_factory=list)
    _files: dict[str, File] = field(default_factory=dict)

    def keep(self, name: str, size: int, read: Callable[[int], Iterator[bytes]]) -> None:
        """Write a file."""
        self._files[name] = File(size=size, read=read, until=self.clock() + KEPT_FOR)

    def route(self, app: Flask) -> None:
        """Serve them."""

        @app.get("/_files/<name>")
        def fetch(name: str) -> Response:
            self.asked.append(dict(request.headers))
            kept = self._files.get(name)
            if kept is None or self.clock() >= kept.until:
                return Response(_EXPIRED, 400, content_type="application/xml")
            wanted = _RANGE.fullmatch(request.headers.get("Range", "")) if self.ranges else None
            start = int(wanted[1]) if wanted else 0
            if start >= kept.size and wanted:
                return Response(status=416)
            body = kept.read(start)
            if self.torn:
                body = _cut(body, self.torn.popleft())
            headers = {"Content-Length": str(kept.size - start)}
            status = 206 if wanted else 200
            return Response(body, status, headers, content_type="application/jsonl")


def _cut(body: Iterator[bytes], most: int) -> Iterator[bytes]:
    for piece in body:
        yield piece[:most]
        most -= len(piece)
        if most <= 0:
            return
