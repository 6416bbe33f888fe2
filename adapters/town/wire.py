"""How a stand-in posts one delivery: the exact headers in their order, and the answer's status."""

from __future__ import annotations

import contextlib
import http.client
import ssl
from collections.abc import Collection, Mapping
from urllib.parse import SplitResult, urlsplit


class Wire:
    """Sends requests and gives the status, or ``None`` when no answer came.

    ``keep_alive`` keeps the connection for speed; a real shop closes it each time. ``ports`` are
    the only ones it goes to, when given. ``connect_timeout`` is the part of ``timeout`` in which
    the connection must stand. Certificates are checked. Redirects are not followed.
    """

    def __init__(
        self,
        *,
        timeout: float = 60,
        connect_timeout: float | None = None,
        keep_alive: bool = False,
        ports: Collection[int] | None = None,
    ) -> None:
        self._timeout = timeout
        self._connect_timeout = connect_timeout or timeout
        self._keep_alive = keep_alive
        self._ports = ports
        self._open: dict[str, http.client.HTTPConnection] = {}

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int | None:
        """Post once. Never raises for what a network can do."""
        target = urlsplit(url)
        if not self._may_go(target):
            return None
        kept = self._open.pop(target.netloc, None)
        if kept is not None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self._exchange(kept, target, headers, body)
            kept.close()  # the other side had closed it: nothing was taken, ask anew
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            return self._exchange(self._connect(target), target, headers, body)
        return None

    def close(self) -> None:
        """Close what is kept open."""
        while self._open:
            self._open.popitem()[1].close()

    def _may_go(self, target: SplitResult) -> bool:
        if target.username or target.password or not target.hostname:
            return False
        port = target.port or (443 if target.scheme == "https" else 80)
        return self._ports is None or port in self._ports

    def _connect(self, target: SplitResult) -> http.client.HTTPConnection:
        host = target.hostname or ""
        if target.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                host, target.port, timeout=self._connect_timeout, context=context
            )
        return http.client.HTTPConnection(host, target.port, timeout=self._connect_timeout)

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        target: SplitResult,
        headers: Mapping[str, str],
        body: bytes,
    ) -> int:
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(self._timeout)
            connection.putrequest("POST", path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", target.netloc)
            for name, value in headers.items():
                connection.putheader(name, value)
            if not self._keep_alive:
                connection.putheader("Connection", "close")
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            response.read()
        except BaseException:
            connection.close()
            raise
        if self._keep_alive and not response.will_close:
            spare = self._open.pop(target.netloc, None)
            self._open[target.netloc] = connection
        else:
            spare = connection
        if spare is not None:
            spare.close()
        return response.status
