"""Puts the web application on the network: granian, with the few things it lacks."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import granian.server.mp
from granian.constants import Interfaces
from granian.server import Server

from connector.errors import AddressInUse
from webhooks.patience import LINE, MOST

_BACKLOG = 1024
_CONNECTIONS = 512  # open at one time; more wait in the backlog
_LAST_WORDS = 0.02  # seconds for an answer to leave before its connection is closed


def serve(app: str, host: str, port: int, *, threads: int = 8) -> None:
    """Serve until SIGTERM or SIGINT; call it from the main thread.

    ``app`` is ``module:function``; the function is called without arguments in the server's own
    process and gives the application. At most ``threads`` requests are worked on at one time,
    besides those whose bodies are still under way. Raises `AddressInUse`.
    """
    _make_sure_free(host, port)
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=threads + MOST,
        backlog=_BACKLOG,
        backpressure=_CONNECTIONS,
        websockets=False,
        log_enabled=False,
        workers_kill_timeout=10,
    )
    server.serve(target_loader=_load)


def _make_sure_free(host: str, port: int) -> None:
    # Granian shares its port (SO_REUSEPORT) and would quietly take half of another one's requests.
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as problem:
        raise AddressInUse(
            f"cannot listen on {host}:{port}: {problem.strerror}. Stop the program that does, or "
            "choose another address with --listen."
        ) from problem


def _load(target: str) -> Any:
    """In the server's process: build the application, and make what granian lacks."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        # Until granian sets its own, those of the first process would swallow them here.
        signal.signal(stop, signal.SIG_DFL)
    _end_with_parent()
    _give_each_request_its_line()
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)()


def _end_with_parent() -> None:
    """Stop when the process that started us is gone, however it went."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _give_each_request_its_line() -> None:
    """Put a `Line` into each request's environment (`webhooks.patience`).

    Granian keeps its connection object to itself, so its wrapper around the application is wrapped
    once more. ``tests/webhooks/test_serve.py`` fails should a new version do it otherwise.
    """
    wrap = granian.server.mp._wsgi_call_wrap  # type: ignore[attr-defined]  # noqa: SLF001 - see above

    def wrap_once_more(
        callback: Callable[..., Any], scope_opts: dict[str, Any], access_log_fmt: Any = None
    ) -> Any:
        run = wrap(callback, scope_opts, access_log_fmt)

        def run_with_line(connection: Any, scope: dict[str, Any]) -> Any:
            line = scope[LINE] = _Line(connection)
            return run(line, scope)

        return run_with_line

    granian.server.mp._wsgi_call_wrap = wrap_once_more  # type: ignore[attr-defined]  # noqa: SLF001 - see above


class _Line:
    """A `webhooks.patience.Line`, and for granian the connection that it answers on."""

    __slots__ = ("_connection", "_kept")

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._kept = False

    def keep(self) -> None:
        self._kept = True

    def reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self._connection.response_bytes(status, headers, body)

    def cut(self, status: int) -> None:
        # A body shorter than announced is the one thing that makes the server close a connection
        # whose request is still being read: the sender sees the status, and then the end.
        headers = [("content-length", "2"), ("connection", "close")]
        self._connection.response_iter(status, headers, _LastWords())

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """What granian calls with an answer in one piece."""
        if not self._kept:
            self._connection.response_bytes(status, headers, body)

    def response_iter(self, status: int, headers: list[tuple[str, str]], body: Any) -> None:
        """What granian calls with any other answer; ours are small, and go in one piece."""
        try:
            pieces = b"".join(iter(body.__next__, None))
        finally:
            body.close()
        self.response_bytes(status, headers, pieces)


class _LastWords:
    """One byte, time for it to leave, and the end."""

    def __init__(self) -> None:
        self._said = False

    def __next__(self) -> bytes:
        if self._said:
            time.sleep(_LAST_WORDS)
            raise StopIteration
        self._said = True
        return b"\n"

    def close(self) -> None:
        """Nothing is held."""
