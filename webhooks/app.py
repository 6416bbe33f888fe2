"""The web application that shops call: webhooks in, health and figures out."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from http import HTTPStatus

import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from connector.model import Arrival
from webhooks.patience import Patience
from webhooks.receiver import Receiver, Refused, Threshold
from webhooks.status import CONTENT_TYPE, Counters, Health

__all__ = ["LIMIT", "Threshold", "create_app"]

LIMIT = 5 * 1024 * 1024
"""The largest body in bytes; WooCommerce and Shopify stay far below it."""

_RETRY_AFTER = {"Retry-After": "30"}
_LOUD = 10  # refusals of one kind that are logged in a minute; the metrics count all of them

_log = structlog.get_logger("webhooks")


def create_app(  # noqa: PLR0913 - each is one thing that only the wiring knows
    *,
    thresholds: Mapping[str, Threshold],
    accept: Callable[[Arrival], None],
    health: Callable[[], Health],
    metrics: Callable[[], bytes],
    clock: Callable[[], datetime],
    counters: Counters | None = None,
    limit: int = LIMIT,
    ignored_topics: Mapping[str, Collection[str]] | None = None,
    patience: Patience | None = None,
) -> Flask:
    """Build the application.

    ``accept`` returns when an arrival is durable and raises `StoreUnavailable` otherwise.
    ``ignored_topics`` are topics by shop that are answered and not kept, ``patience`` is how long
    a body may be under way, ``counters`` are filled here and shown by ``metrics``.
    """
    app = Flask("webhooks", static_folder=None)
    counters = counters or Counters()
    receiver = Receiver(
        thresholds=thresholds,
        accept=accept,
        clock=clock,
        limit=limit,
        patience=patience or Patience(),
        ignored_topics=ignored_topics or {},
    )
    numbers = _request_numbers()
    aloud = _Aloud(_LOUD)

    @app.post("/webhooks/<shop>", provide_automatic_options=False)
    @app.post("/webhooks/<shop>/<path:topic>", provide_automatic_options=False)
    def receive(shop: str, topic: str | None = None) -> Response:
        began = time.monotonic()
        number = next(numbers)
        status, headers = 200, None
        try:
            outcome = receiver.receive(request.environ, shop, topic)
        except Refused as refused:
            status, outcome = refused.status, refused.reason
            headers = _RETRY_AFTER if status == HTTPStatus.SERVICE_UNAVAILABLE else None
            if aloud.may_say(outcome, began):
                _log.warning(
                    "webhook refused", id=number, status=status, reason=outcome, **refused.told
                )
        counters.count(outcome, status, time.monotonic() - began)
        return _reply(number, status, headers)

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
        allowed = {key: value for key, value in problem.get_headers() if key == "Allow"}
        return _reply(next(numbers), problem.code or 500, allowed)

    @app.errorhandler(Exception)
    def fail(problem: Exception) -> Response:
        number = next(numbers)
        # Only where and what kind: the text of a foreign error may quote the body.
        trace = problem.__traceback__
        while trace and trace.tb_next:
            trace = trace.tb_next
        where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
        _log.error("request failed", id=number, error=type(problem).__name__, where=where)
        return _reply(number, 500, None)

    return app


def _request_numbers() -> itertools.count[int]:
    return itertools.count(secrets.randbits(40))


def _reply(number: int, status: int, headers: Mapping[str, str] | None) -> Response:
    """A reply that tells nothing but its kind, and the number by which the log knows it."""
    text = f"{HTTPStatus(status).phrase}\nrequest {number:x}\n"
    reply = Response(text, status=status, content_type="text/plain; charset=utf-8")
    if headers:
        reply.headers.update(headers)
    return reply


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
