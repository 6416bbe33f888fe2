"""The stand-in's HTTP server: it checks, counts, and breaks down when it is told to."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from typing import Any

from flask import Flask, g, request
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from adapters.mailchimp.sandbox_answers import World, problem
from adapters.mailchimp.sandbox_faults import Fault, spoil
from adapters.mailchimp.sandbox_routes import routes
from adapters.mailchimp.sandbox_words import read_body

_MOST_CONNECTIONS = 10
_REMEMBERED = 100
_POLL_SECONDS = 0.05


class Server:
    """Serves a world on loopback. ``lock`` guards the world; ``faults`` are used up in turn."""

    def __init__(self, world: World, api_key: str, port: int) -> None:
        self.world = world
        self.api_key = api_key
        self.lock = threading.RLock()
        self.calls: Counter[str] = Counter()
        self.bodies: deque[tuple[str, Any]] = deque(maxlen=_REMEMBERED)
        self.faults: list[tuple[Fault, str | None]] = []
        self.peak = 0
        self.latency = 0.0
        self._open = 0
        self._server = make_server(
            "127.0.0.1", port, self._app(), threaded=True, request_handler=_Quiet
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

    def _app(self) -> Any:
        app = Flask(__name__)
        app.register_blueprint(routes(self.world))
        app.before_request(self._check)
        served = app.wsgi_app

        def counted(environ: dict[str, Any], start_response: Any) -> Any:
            with self.lock:
                self._open += 1
                self.peak = max(self.peak, self._open)
                crowded = self._open > _MOST_CONNECTIONS
            try:
                answer = Response(status=429) if crowded else self._serve(served, environ)
                return list(answer(environ, start_response))
            finally:
                with self.lock:
                    self._open -= 1

        return counted

    def _serve(self, served: Any, environ: dict[str, Any]) -> Response:
        time.sleep(self.latency)
        endpoint = endpoint_of(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        with self.lock:
            self.calls[endpoint] += 1
            fault = self._next_fault(endpoint) or Fault()
        time.sleep(fault.wait)
        if fault.status is not None and not fault.endless:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            return _wrong(fault)
        right = Response(status=500)
        if fault.is_right_at_first:
            with self.lock:
                right = Response.from_app(served, environ)
        if fault.is_spoilt:
            spoil(fault, environ["werkzeug.socket"], _as_sent(right))
        return right

    def _check(self) -> Response | None:
        if request.authorization is None or request.authorization.password != self.api_key:
            return problem(401, "API Key Invalid", "Your API key may be invalid.")
        endpoint = endpoint_of(request.method, request.path)
        try:
            g.body = read_body(endpoint, request.get_data())
        except ValueError as wrong:
            words = (
                "The resource submitted could not be validated. "
                "For field-specific details, see the 'errors' array."
            )
            fields = [{"field": "", "message": str(wrong)}]
            return problem(400, "Invalid Resource", words, fields)
        if g.body is not None:
            self.bodies.append((endpoint, g.body))
        return None

    def _next_fault(self, endpoint: str) -> Fault | None:
        for at, (fault, only) in enumerate(self.faults):
            if only in (None, endpoint):
                del self.faults[at]
                return fault
        return None


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        """Say nothing: addresses hold who was spoken of."""


def endpoint_of(method: str, path: str) -> str:
    """The endpoint as Mailchimp's description names it, for counting."""
    parts = path.removeprefix("/3.0").split("/")
    names = {2: "{list_id}", 4: _ITEMS.get(parts[3] if len(parts) > 3 else "", "")}  # noqa: PLR2004 - places
    shown = [names.get(at) or part for at, part in enumerate(parts)]
    return f"{method} {'/'.join(shown)}"


_ITEMS = {
    "members": "{subscriber_hash}",
    "segments": "{segment_id}",
    "merge-fields": "{merge_id}",
    "webhooks": "{webhook_id}",
}


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
