"""A stand-in of a platform: a server on this machine that counts, and breaks down when told to."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any, Self

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from adapters.town.faults import Fault, spoil

_REMEMBERED = 100
_POLL_SECONDS = 0.05


class Server:
    """Serves an app on loopback, one call after the other, which ``lock`` sees to.

    ``endpoint_of`` names the endpoint of a method and a path: ``calls`` counts by it, and
    ``faults``, which are used up in turn, may be for one alone. ``seen`` are the last addresses
    called; ``bodies`` are for the app to fill. More than ``most`` calls at once are answered 429.
    """

    def __init__(
        self,
        app: Flask,
        endpoint_of: Callable[[str, str], str],
        port: int,
        *,
        most: int | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.calls: Counter[str] = Counter()
        self.bodies: deque[tuple[str, Any]] = deque(maxlen=_REMEMBERED)
        self.faults: list[tuple[Fault, str | None]] = []
        self.seen: deque[str] = deque(maxlen=_REMEMBERED)
        self.peak = 0
        self.latency = 0.0
        self._app = app
        self._endpoint_of = endpoint_of
        self._most = most
        self._open = 0
        self._server = make_server(
            "127.0.0.1", port, self._counted, threaded=True, request_handler=_Quiet
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop to answer."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _counted(self, environ: dict[str, Any], start_response: Any) -> Any:
        with self.lock:
            self._open += 1
            self.peak = max(self.peak, self._open)
            crowded = self._most is not None and self._open > self._most
        try:
            answer = Response(status=429) if crowded else self._serve(environ)
            return list(answer(environ, start_response))
        finally:
            with self.lock:
                self._open -= 1

    def _serve(self, environ: dict[str, Any]) -> Response:
        time.sleep(self.latency)
        endpoint = self._endpoint_of(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        with self.lock:
            self.calls[endpoint] += 1
            self.seen.append(f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}")
            fault = self._next_fault(endpoint) or Fault()
        time.sleep(fault.wait)
        if fault.status is not None and not fault.endless:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            return _wrong(fault)
        right = Response(status=500)
        if fault.is_right_at_first:
            with self.lock:
                right = Response.from_app(self._app.wsgi_app, environ)
        if fault.is_spoilt:
            spoil(fault, environ["werkzeug.socket"], _as_sent(right))
        return right

    def _next_fault(self, endpoint: str) -> Fault | None:
        for at, (fault, only) in enumerate(self.faults):
            if only in (None, endpoint):
                del self.faults[at]
                return fault
        return None


class Platform:
    """What a test may do with every stand-in of a platform.

    ``calls`` counts by endpoint, ``bodies`` are the last hundred as sent, ``seen`` the last hundred
    addresses that were called. ``faults`` are those that have a name.
    """

    def __init__(self, server: Server, faults: Mapping[str, Fault]) -> None:
        self.calls = server.calls
        self.bodies = server.bodies
        self.seen = server.seen
        self._lock = server.lock
        self._faults = faults
        self._serving = server

    @property
    def url(self) -> str:
        """The address to give as ``base_url``."""
        return self._serving.url

    def start(self) -> Self:
        """Begin to answer."""
        self._serving.start()
        return self

    def stop(self) -> None:
        """Stop to answer."""
        self._serving.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def misbehave(self, fault: str | Fault, *, times: int = 1, endpoint: str | None = None) -> None:
        """Answer the next calls (to one endpoint) in this way, which may be told by its name."""
        chosen = self._faults[fault] if isinstance(fault, str) else fault
        with self._lock:
            self._serving.faults += [(chosen, endpoint)] * times

    def behave(self) -> None:
        """Forget the misbehaviour that was asked for and has not happened."""
        with self._lock:
            self._serving.faults.clear()


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        """Say nothing: addresses hold who was spoken of, and tokens."""


def _as_sent(answer: Response) -> bytes:
    head = f"HTTP/1.1 {answer.status}\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in answer.headers.items()
    )
    return head.encode() + b"\r\n" + answer.get_data()


def _wrong(fault: Fault) -> Response:
    answer = Response(fault.body, fault.status, headers=dict(fault.headers))
    del answer.headers["Content-Type"]
    if fault.kind:
        answer.headers["Content-Type"] = fault.kind
    return answer
