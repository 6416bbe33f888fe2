"""The stand-in's addresses for stores, batches and their archives, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
from flask import Blueprint, Flask, Response, request

from adapters.mailchimp.sandbox_answers import World
from adapters.mailchimp.sandbox_batches import Floor
from adapters.mailchimp.sandbox_store_state import Refusal, Row
from adapters.mailchimp.sandbox_store_words import read_body
from adapters.mailchimp.sandbox_stores import Counter

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Mall:
    """Serves stores and batches of one world; ``url`` is where it listens."""

    def __init__(self, world: World, url: Callable[[], str]) -> None:
        self._sales = world.sales
        self._counter = Counter(world.audience, world.state, world.sales, world.clock)
        self._floor = Floor(self._counter, world.sales, world.clock)
        self._url = url

    def add_to(self, app: Flask) -> None:
        """Serve from this app. The caller holds the lock while one call is served."""
        api = Blueprint("stores", __name__, url_prefix="/3.0")
        api.add_url_rule("/ecommerce/<path:rest>", "stores", self._stores, methods=_METHODS)
        api.add_url_rule("/batches", "batches", self._batches, methods=("GET", "POST"))
        api.add_url_rule("/batches/<name>", "batch", self._batch, methods=("GET", "DELETE"))
        app.register_blueprint(api)
        app.add_url_rule("/archives/<token>", "archive", self._archive)

    def _stores(self, rest: str) -> Response:
        del rest  # Flask unquotes it: an id may hold a slash
        path = urlsplit(request.environ["REQUEST_URI"]).path.removeprefix("/3.0")
        return _said(*self._counter.answer(request.method, path, request.get_data(), request.args))

    def _batches(self) -> Response:
        if request.method == "GET":
            return _said(200, self._floor.every())
        try:
            said = read_body("POST", "/batches", request.get_data())
            self._sales.bodies.append(("POST /batches", said))
            return _said(200, self._floor.take(said["operations"]))
        except ValueError as wrong:
            return _no(Refusal(str(wrong), title="Invalid Resource"))
        except Refusal as no:
            return _no(no)

    def _batch(self, name: str) -> Response:
        try:
            if request.method == "GET":
                return _said(200, self._floor.show(name, self._url()))
            self._floor.stop(name)
        except Refusal as no:
            return _no(no)
        return Response(status=204)

    def _archive(self, token: str) -> Response:
        content = self._floor.archive(token)
        if request.authorization is not None:
            return Response("Only one auth mechanism allowed", 400)
        if content is None:
            return Response("<Error><Code>AccessDenied</Code></Error>", 403)
        return Response(content, mimetype="application/x-gzip")


def _no(refusal: Refusal) -> Response:
    return _said(refusal.status, refusal.body)


def _said(status: int, body: Row | None) -> Response:
    problem = status >= 400  # noqa: PLR2004 - the numbers of HTTP are its names
    kind = "application/problem+json; charset=utf-8" if problem else "application/json"
    content = b"" if body is None else msgspec.json.encode(body)
    return Response(content, status, mimetype=kind)
