"""How the stand-in misbehaves on request: Meta's errors, and what may stand before it."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

_HTML = "text/html; charset=utf-8"
_JSON = "application/json; charset=UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of misbehaviour.

    ``after_work`` does the work before it answers wrongly. ``keep`` sends only so many bytes of the
    right answer and hangs up, ``drip`` a byte every so many seconds. With no ``status`` it answers
    rightly after all.
    """

    status: int | None = None
    body: bytes = b""
    kind: str = _HTML
    headers: Mapping[str, str] = field(default_factory=dict)
    after_work: bool = False
    keep: int | None = None
    drip: float | None = None
    endless: bool = False

    @property
    def is_spoilt(self) -> bool:
        """Are its bytes written past the server, which would not write such."""
        return self.endless or self.keep is not None or self.drip is not None

    @property
    def is_right_at_first(self) -> bool:
        """Is the work done that was asked for."""
        return self.after_work or not (self.is_spoilt or self.status is not None)


def error_body(code: int, message: str, **more: Any) -> dict[str, Any]:
    """An error as the Graph API writes it.

    https://developers.facebook.com/docs/graph-api/guides/error-handling
    """
    told = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "stand-in"}
    return {"error": {**told, **more}}


def graph_error(code: int, message: str = "", status: int = 400, **more: Any) -> Fault:
    """A Graph API error as a fault."""
    body = error_body(code, message or f"(#{code}) stand-in", **more)
    return Fault(status=status, kind=_JSON, body=json.dumps(body).encode())


def busy(code: int, minutes: int) -> Fault:
    """Too many calls; the header says for how many minutes."""
    row = {"type": "catalog_batch", "call_count": 100, "total_cputime": 20, "total_time": 20}
    told = json.dumps({"123": [{**row, "estimated_time_to_regain_access": minutes}]})
    return replace(graph_error(code, status=400), headers={"X-Business-Use-Case-Usage": told})


_REDUCE = "Please reduce the amount of data you're asking for, then retry your request"
FAULTS: Mapping[str, Fault] = {
    **{f"error {code}": graph_error(code) for code in (2, 4, 17, 32, 100, 341, 613, 80009, 80014)},
    **{f"error {code}": graph_error(code, status=403) for code in (10, 102, 200, 275, 368)},
    "error 1": graph_error(1, "An unknown error occurred", status=500),
    "error 190": graph_error(190, "Malformed access token EAAB" + "x" * 80, status=401),
    "busy for 3 minutes": busy(80014, 3),
    "transient": graph_error(9_999, is_transient=True),
    "unknown error": graph_error(9_999, "Nobody knows"),
    "too large": graph_error(1, _REDUCE, status=500),
    "error in 200": graph_error(2, "in 200", status=200),
    "no success": Fault(status=200, kind=_JSON, body=b'{"success":false}'),
    "413": Fault(status=413, body=b"<html>Request Entity Too Large</html>"),
    "403 bare": Fault(status=403, body=b"<html>Access Denied</html>"),
    "500": Fault(status=500, body=b"<html>Sorry, something went wrong.</html>"),
    "502": Fault(status=502, kind=""),
    "503": Fault(status=503, kind="text/plain", body=b"Service Unavailable"),
    "504": Fault(status=504, body=b"<html>gateway</html>"),
    "redirect": Fault(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"}, kind=""),
    "HTML": Fault(status=200, body=b"<html>welcome to the hotel network</html>"),
    "empty": Fault(status=200, kind=_JSON),
    "half JSON": Fault(status=200, kind=_JSON, body=b'{"handles": ["Ac'),
    "list": Fault(status=200, kind=_JSON, body=b"[1, 2]"),
    "text": Fault(status=200, kind=_JSON, body=b'"fine"'),
    "no handle": Fault(status=200, kind=_JSON, body=b'{"handles": []}'),
    "endless": Fault(status=200, kind=_JSON, endless=True),
    "bomb": Fault(
        status=200,
        kind=_JSON,
        body=gzip.compress(b'{"a": "' + b" " * 10_000_000 + b'"}'),
        headers={"Content-Encoding": "gzip"},
    ),
    "torn before": Fault(keep=0),
    "torn after": Fault(keep=0, after_work=True),
    "drip": Fault(drip=0.05, after_work=True),
}
"""The faults that have a name."""


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
