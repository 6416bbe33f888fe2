"""How a stand-in misbehaves on request: what a real server and what stands before it may send."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

_HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of misbehaviour.

    ``after_work`` does the work before it answers wrongly. ``keep`` sends only so many bytes of the
    right answer and hangs up. ``drip`` sends a byte every so many seconds. ``wait`` seconds pass
    first. A fault with no ``status`` answers rightly after all.
    """

    status: int | None = None
    body: bytes = b""
    kind: str = _HTML
    headers: Mapping[str, str] = field(default_factory=dict)
    after_work: bool = False
    keep: int | None = None
    drip: float | None = None
    wait: float = 0.0
    endless: bool = False

    @property
    def is_spoilt(self) -> bool:
        """Are its bytes written past the server, which would not write such."""
        return self.endless or self.keep is not None or self.drip is not None

    @property
    def is_right_at_first(self) -> bool:
        """Is the work done that was asked for."""
        return self.after_work or not (self.is_spoilt or self.status is not None)


def torn_at(keep: int) -> Fault:
    """The work is done, and the answer ends after so many bytes."""
    return Fault(keep=keep, after_work=True)


def anywhere(json_kind: str) -> dict[str, Fault]:
    """What can befall every platform; ``json_kind`` is the content type of its own answers."""
    return {
        "403 bare": Fault(status=403, body=b"<html>Access Denied</html>"),
        "413": Fault(status=413, body=b"<html>Request Entity Too Large</html>"),
        "504": Fault(status=504, body=b"<html>gateway</html>"),
        "HTML": Fault(status=200, body=b"<html>welcome to the hotel network</html>"),
        "empty": Fault(status=200, kind=json_kind),
        "list": Fault(status=200, kind=json_kind, body=b"[1, 2]"),
        "text": Fault(status=200, kind=json_kind, body=b'"fine"'),
        "endless": Fault(status=200, kind=json_kind, endless=True),
        "bomb": Fault(
            status=200,
            kind=json_kind,
            body=gzip.compress(b'{"a": "' + b" " * 10_000_000 + b'"}'),
            headers={"Content-Encoding": "gzip"},
        ),
        "torn before": Fault(keep=0),
        "torn after": torn_at(0),
        "drip": Fault(drip=0.05, after_work=True),
    }


def spoil(fault: Fault, sock: socket.socket, right: bytes) -> None:
    """Write the raw bytes of a spoilt answer to the connection and hang up."""
    with suppress(OSError):  # the other side has had enough of it: as intended
        for piece in _bytes(fault, right):
            sock.sendall(piece)
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _bytes(fault: Fault, right: bytes) -> Iterator[bytes]:
    if fault.endless:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
        while True:
            yield b" " * 65_536
    if fault.drip is not None:
        for at in range(len(right)):
            time.sleep(fault.drip)
            yield right[at : at + 1]
    if fault.keep is not None:
        yield right[: fault.keep]
