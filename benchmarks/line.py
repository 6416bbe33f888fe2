"""One keep-alive connection of a client in a hurry, on which each answer must be a 200."""

from __future__ import annotations

import re
import socket

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Line:
    """Sends a request, then waits for its answer. ``since`` is when that waiting began."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.since = 0.0
        self._have = b""

    def send(self, ware: bytes, *, since: float) -> None:
        """Send one request whole; ``since`` may be earlier, when it was due."""
        self.since = since
        self.socket.sendall(ware)

    def is_answered(self) -> bool:
        """Read what is there; true when the whole answer is. It must be 200."""
        self._have += self.socket.recv(4096)
        if not self._have.startswith(b"HTTP/1.1 200 "):
            raise SystemExit(f"not taken: {self._have[:80]!r}")
        head, end, body = self._have.partition(b"\r\n\r\n")
        found = _LENGTH.search(head)
        if not end or found is None or len(body) < int(found[1]):
            return False
        self._have = b""
        return True
