"""One deadline for a whole answer: connecting, headers and body, however they trickle in.

A timeout of `httpx` is for each silence. Who sends a byte now and then is never silent, and holds
us in the headers, or in the frame of a body, where no piece of it comes out. So each wait for the
network is as long as what is left of the whole, in the thread that asks.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore

_until: ContextVar[float | None] = ContextVar("until", default=None)
_PIECE = 16_384  # a wait for each: who takes our words byte by byte is cut off as well


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is asked meanwhile, in this thread, is done in so many seconds or breaks off.

    Raises what a timeout raises, as `httpx.ReadTimeout`. Of two, one in the other, the sooner
    counts.
    """
    outer, mine = _until.get(), time.monotonic() + seconds
    token = _until.set(mine if outer is None else min(outer, mine))
    try:
        yield
    finally:
        _until.reset(token)


class Timed(httpcore.NetworkBackend):
    """Opens connections by another backend, and lets none of them wait beyond the deadline."""

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """As the other does."""
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._backend.connect_tcp(host, port, left, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            left = _left(timeout, httpcore.WriteTimeout)
            self._stream.write(buffer[start : start + _PIECE], left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)  # of the whole handshake
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(timeout: float | None, out_of_time: type[httpcore.TimeoutException]) -> float | None:
    """How long to wait at most: as long as one may be silent, but not beyond the deadline."""
    until = _until.get()
    if until is None:
        return timeout
    left = until - time.monotonic()
    if left <= 0:
        raise out_of_time("the whole answer took too long")
    return left if timeout is None else min(timeout, left)
