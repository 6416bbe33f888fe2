"""Waits at an address that nobody can guess for one post, and for nothing else."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Generic, TypeVar

from connector.errors import AddressInUse

T = TypeVar("T")

_LARGEST = 16 * 1024
_SLOWEST = 10.0  # seconds for a request to arrive
_DONE = b"Done. You can close this window and go back to the terminal.\n"


def wait_for_post(
    host: str, port: int, path: str, read: Callable[[bytes], T | None], *, seconds: float
) -> T | None:
    """What ``read`` made of the first body it took, posted to an address that ends in ``path``.

    A body that is ``None`` to it is answered 400, another address 404, each without a word. Gives
    ``None`` after ``seconds``. Raises `AddressInUse`.
    """
    try:
        server = _Server((host, port), path, read)
    except OSError as problem:
        raise AddressInUse(
            f"cannot listen on {host}:{port}: {problem.strerror}. Stop the program that does."
        ) from problem
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        server.arrived.wait(seconds)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    return server.found


class _Server(ThreadingHTTPServer, Generic[T]):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self, address: tuple[str, int], path: str, read: Callable[[bytes], T | None]
    ) -> None:
        self.path = path
        self.read = read
        self.found: T | None = None
        self.arrived = threading.Event()
        super().__init__(address, _Visit)


class _Visit(BaseHTTPRequestHandler):
    timeout = _SLOWEST
    server: _Server[Any]

    def do_POST(self) -> None:  # the library's name
        """Take the one post."""
        size = self.headers.get("Content-Length", "")
        if not self._is_here() or not size.isdecimal() or int(size) > _LARGEST:
            self._answer(404)
            return
        found = self.server.read(self.rfile.read(int(size)))
        if found is None:
            self._answer(400)
            return
        self._answer(200)
        if not self.server.arrived.is_set():
            self.server.found = found
            self.server.arrived.set()

    def do_GET(self) -> None:  # the library's name
        """Where the browser is sent afterwards."""
        self._answer(200 if self._is_here() else 404)

    def _is_here(self) -> bool:
        told = self.path.partition("?")[0].encode()
        wanted = self.server.path.encode()
        return hmac.compare_digest(told[-len(wanted) :], wanted)

    def _answer(self, status: int) -> None:
        body = _DONE if status == 200 else b""  # noqa: PLR2004 - HTTP's own number
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing: the address is a secret."""
