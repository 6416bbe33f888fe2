"""The body of a request: the whole of it or nothing, never more than the limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webhooks.patience import Patience, Sender
from webhooks.refused import Refused

_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyReader:
    """Reads bodies of at most ``limit`` bytes, from senders who do not fall silent."""

    limit: int
    patience: Patience

    def read(self, environ: Mapping[str, Any], name: str) -> bytes:
        """The whole body, or `Refused`: never more than the limit, never a part of it.

        Flask's own limit cuts chunked bodies short without a word, so it is not used.
        """
        if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() not in ("", "identity"):
            raise Refused(415, "compressed", shop=name)
        declared = environ.get("CONTENT_LENGTH") or None
        coding = environ.get("HTTP_TRANSFER_ENCODING")
        if coding is not None and coding.strip().lower() != "chunked":
            raise Refused(415, "compressed", shop=name)
        if declared is not None and not (declared.isascii() and declared.isdecimal()):
            raise Refused(400, "bad_length", shop=name)
        if declared is None and coding is None:
            return b""
        size = None if declared is None else int(declared)
        sender = self.patience.begin(environ)
        try:
            body = _take(environ["wsgi.input"], self.limit, size, sender)
            if body is None and "HTTP_EXPECT" not in environ:
                # Taken and thrown away, or the sender would see a broken pipe and not our answer.
                _discard(environ["wsgi.input"], sender)
        finally:
            there = self.patience.end(sender)
        if body is None:
            raise Refused(413, "too_large", shop=name)
        if not there:
            raise Refused(408, "too_slow", shop=name)
        if size is not None and len(body) < size:
            raise Refused(400, "torn", shop=name)
        return body


def _take(source: Any, limit: int, size: int | None, sender: Sender | None) -> bytes | None:
    """Read to the end (or to ``size``); ``None`` as soon as it is more than the limit."""
    if size is not None and size > limit:
        return None
    most = limit + 1 if size is None else size
    pieces = []
    have = 0
    while have < most:
        piece = source.read(min(_PIECE, most - have))
        if not piece:
            break
        pieces.append(piece)
        have += len(piece)
        if sender is not None:
            sender.progress()
    return None if have > limit else b"".join(pieces)


def _discard(source: Any, sender: Sender | None) -> None:
    if sender is not None:
        sender.status = 413
    while source.read(_PIECE):
        if sender is not None:
            sender.progress()
