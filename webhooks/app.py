"""The web application that shops call: webhooks in, health and figures out."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any, TypeAlias

import structlog
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from connector.errors import StoreUnavailable
from connector.model import Arrival
from webhooks.back_door import BackEntrance
from webhooks.body import BodyReader
from webhooks.exposition import CONTENT_TYPE
from webhooks.health import Health
from webhooks.patience import LINE, Line, Patience
from webhooks.receiver import Receiver, Threshold, Unkept
from webhooks.refused import Refused
from webhooks.status import Counters

__all__ = ["LIMIT", "Threshold", "create_app"]

LIMIT = 5 * 1024 * 1024
"""The largest body in bytes; WooCommerce and Shopify stay far below it."""

AcceptSoon: TypeAlias = Callable[[Arrival, Callable[[StoreUnavailable | None], None]], None]
"""Takes an arrival and tells, perhaps later, that it is durable (``None``) or why it is not."""

_PREFIX = "/webhooks/"
_RETRY_AFTER = ("Retry-After", "30")
_LOUD = 10  # refusals of one kind that are logged in a minute; the metrics count all of them
_STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}

_log = structlog.get_logger("webhooks")


def create_app(  # noqa: PLR0913 - each is one thing that only the wiring knows
    *,
    thresholds: Mapping[str, Threshold],
    back_entrances: Mapping[str, BackEntrance] | None = None,
    accept: Callable[[Arrival], None],
    accept_soon: AcceptSoon | None = None,
    health: Callable[[], Health],
    metrics: Callable[[], bytes],
    clock: Callable[[], datetime],
    counters: Counters | None = None,
    limit: int = LIMIT,
    ignored_topics: Mapping[str, Collection[str]] | None = None,
    patience: Patience | None = None,
) -> Flask:
    """Build the application.

    ``accept`` returns when an arrival is durable and raises `StoreUnavailable` otherwise;
    ``accept_soon``, if given, is used where the server can be answered later (`webhooks.serve`):
    then no thread waits for the disk, which is worth a quarter of the throughput.
    ``ignored_topics`` are topics by shop that are answered and not kept, ``patience`` is how long
    a body may be under way, ``counters`` are filled here and shown by ``metrics``.
    """
    app = Flask("webhooks", static_folder=None)
    numbers = itertools.count(secrets.randbits(40))
    receiver = Receiver(
        thresholds=thresholds,
        clock=clock,
        bodies=BodyReader(limit=limit, patience=patience or Patience()),
        ignored_topics=ignored_topics or {},
        back_entrances=back_entrances or {},
    )

    @app.get("/health/live", provide_automatic_options=False)
    def live() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/health/ready", provide_automatic_options=False)
    def ready() -> tuple[dict[str, object], int]:
        found = health()
        told = {
            "ok": found.ok,
            "store": found.store,
            "worker": found.worker,
            "detail": dict(found.detail),
        }
        return told, 200 if found.ok else 503

    @app.get("/metrics", provide_automatic_options=False)
    def figures() -> Response:
        return Response(metrics(), content_type=CONTENT_TYPE)

    @app.errorhandler(HTTPException)
    def refuse(problem: HTTPException) -> Response:
        allow = [header for header in problem.get_headers() if header[0] == "Allow"]
        return _Reply(next(numbers), problem.code or 500, *allow).as_response()

    @app.errorhandler(Exception)
    def fail(problem: Exception) -> Response:
        return _failed(next(numbers), problem).as_response()

    # Webhooks do not go through Flask's contexts and routing: that costs as much as all the rest
    # of receiving one, and they need none of it.
    app.wsgi_app = _Door(  # type: ignore[method-assign]  # Flask's own way to put something before
        receiver=receiver,
        accept=accept,
        accept_soon=accept_soon,
        counters=counters or Counters(),
        numbers=numbers,
        inside=app.wsgi_app,
    )
    return app


class _Door:
    """Answers what goes to ``/webhooks/`` and passes everything else on."""

    def __init__(
        self,
        *,
        receiver: Receiver,
        accept: Callable[[Arrival], None],
        accept_soon: AcceptSoon | None,
        counters: Counters,
        numbers: itertools.count[int],
        inside: Callable[[dict[str, Any], Any], Iterable[bytes]],
    ) -> None:
        self._receiver = receiver
        self._accept = accept
        self._accept_soon = accept_soon
        self._counters = counters
        self._numbers = numbers
        self._inside = inside
        self._aloud = _Aloud(_LOUD)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if not path.startswith(_PREFIX):
            return self._inside(environ, start_response)
        visit = _Visit(next(self._numbers))
        try:
            reply = self._receive(environ, path[len(_PREFIX) :], visit)
        except Refused as refused:
            reply = self._refuse(visit, refused)
        except Exception as problem:  # noqa: BLE001 - the last place to keep a reply generic
            reply = self._note(visit, "failed", _failed(visit.number, problem))
        if reply is None:
            return []
        start_response(_STATUS[reply.status], reply.headers)
        return [reply.body]

    def _receive(self, environ: dict[str, Any], path: str, visit: _Visit) -> _Reply | None:
        """The reply, or none if it will be sent later."""
        if not path.isascii():
            path = path.encode("latin-1").decode("utf-8", "replace")  # WSGI's spelling: PEP 3333
        name, more, rest = path.partition("/")
        token = rest if more else None
        if environ["REQUEST_METHOD"] == "GET" and self._receiver.greets(name, token):
            return _Reply.silent(visit.number)
        if environ["REQUEST_METHOD"] != "POST":
            return _Reply(visit.number, 405, ("Allow", "POST"))
        arrival = self._receiver.receive(environ, name, token)
        if isinstance(arrival, Unkept):
            return self._note(visit, arrival, _Reply(visit.number, 200))
        line: Line | None = environ.get(LINE)
        if line is None or self._accept_soon is None:
            try:
                self._accept(arrival)
            except StoreUnavailable as problem:
                return self._conclude(visit, arrival.shop, problem)
            return self._conclude(visit, arrival.shop, None)
        line.keep()
        self._accept_soon(arrival, partial(self._conclude_later, line, visit, arrival.shop))
        return None

    def _conclude_later(
        self, line: Line, visit: _Visit, shop: str, problem: StoreUnavailable | None
    ) -> None:
        reply = self._conclude(visit, shop, problem)
        line.reply(reply.status, reply.headers, reply.body)

    def _conclude(self, visit: _Visit, shop: str, problem: StoreUnavailable | None) -> _Reply:
        """The reply when it is known whether the arrival is on the disk."""
        if problem is None:
            return self._note(visit, "stored", _Reply(visit.number, 200))
        return self._refuse(visit, Refused(503, "store", shop=shop, problem=str(problem)))

    def _refuse(self, visit: _Visit, refused: Refused) -> _Reply:
        if self._aloud.may_say(refused.reason, visit.began):
            _log.warning(
                "webhook refused",
                id=f"{visit.number:x}",
                status=refused.status,
                reason=refused.reason,
                **refused.told,
            )
        return self._note(visit, refused.reason, _Reply(visit.number, refused.status))

    def _note(self, visit: _Visit, outcome: str, reply: _Reply) -> _Reply:
        self._counters.count(outcome, reply.status, time.monotonic() - visit.began)
        return reply


class _Visit:
    """One request: the number by which the log knows it, and when it began."""

    __slots__ = ("began", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.began = time.monotonic()


class _Reply:
    """A reply that tells nothing but its kind, and the number by which the log knows it."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, number: int, status: int, *headers: tuple[str, str]) -> None:
        self.status = status
        self.body = f"{_STATUS[status]}\nrequest {number:x}\n".encode()
        self.headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(self.body))),
            *headers,
        ]
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.headers.append(_RETRY_AFTER)

    @classmethod
    def silent(cls, number: int) -> _Reply:
        """All is well, and there is nothing to say."""
        reply = cls(number, 200)
        reply.body = b""
        reply.headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "0")]
        return reply

    def as_response(self) -> Response:
        """The same as Flask's kind of reply."""
        return Response(self.body, self.status, self.headers)


def _failed(number: int, problem: Exception) -> _Reply:
    # Only where and what kind: the text of a foreign error may quote the body.
    trace = problem.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    _log.error("request failed", id=f"{number:x}", error=type(problem).__name__, where=where)
    return _Reply(number, 500)


class _Aloud:
    """Says a few things of each kind a minute: a flood of bad requests must not fill the disk."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._said: dict[tuple[str, int], int] = {}

    def may_say(self, kind: str, now: float) -> bool:
        key = (kind, int(now // 60))
        said = self._said.get(key, 0)
        if not said:
            self._said = {k: n for k, n in self._said.items() if k[1] == key[1]}
        self._said[key] = said + 1
        return said < self._most
