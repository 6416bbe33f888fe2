"""The stand-in's HTTP: the Admin API's one address, the one for tokens, and how answers can fail.

https://shopify.dev/docs/api/usage/response-codes
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from flask import Flask, Response, g, request

from adapters.shopify.sandbox_doors import Doors, GrantRefusedError
from adapters.shopify.sandbox_files import Files
from adapters.shopify.sandbox_graphql import Engine
from adapters.shopify.sandbox_mischief import Mischief
from adapters.shopify.sandbox_words import VERSION, rails_json
from adapters.town.books import Body
from adapters.town.totals import Totals

_JSON = "application/json; charset=utf-8"
_TOKEN = "X-Shopify-Access-Token"  # noqa: S105 - the name of a header
_VERSIONED = re.compile(r"20\d\d-(?:01|04|07|10)|unstable")
_BAD_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"  # noqa: S105
_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_PAGES = {"500": "Something went wrong", "503": "Be right back", "430": "Security Rejection"}
_REFUSALS: Mapping[str, Any] = {
    "401": _BAD_TOKEN,
    "402": "Unavailable Shop",
    "403": "[API] This action requires merchant approval for this app.",
    "423": "Unavailable Shop",
    "429": "Exceeded 2 calls per second for api client. Reduce request rates to resume "
    "uninterrupted service.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """All that answers."""

    engine: Engine
    doors: Doors
    mischief: Mischief
    files: Files
    tally: Callable[[], Body]
    totals: Callable[[], Totals]


def build(office: Office) -> Flask:
    """The application, ready to be served."""
    app = Flask("shopify-sandbox")
    _let_fail(app, office)
    _route(app, office)
    office.files.route(app)
    _control(app, office)
    return app


def _let_fail(app: Flask, office: Office) -> None:
    @app.before_request
    def before() -> Response | None:
        planned = None
        if request.path.startswith("/admin/"):
            planned = office.mischief.next_answer()
        return spoil(office, planned.kind, planned.seconds) if planned else None

    @app.after_request
    def after(response: Response) -> Response:
        if g.get("torn"):
            whole = response.get_data()
            response.set_data(whole[: len(whole) // 2])
            response.headers["Content-Length"] = str(len(whole))
        return response

    @app.errorhandler(404)
    @app.errorhandler(405)
    def no_route(_: Exception) -> Response:
        return answer({"errors": "Not Found"}, 404)


def _route(app: Flask, office: Office) -> None:
    @app.post("/admin/oauth/access_token")
    def grant() -> Response:
        given = request.get_json(silent=True) if request.is_json else request.form.to_dict()
        try:
            return answer(office.doors.grant(given if isinstance(given, dict) else {}))
        except GrantRefusedError as refused:
            return answer(refused.body, refused.status)

    @app.post("/admin/api/<version>/graphql.json")
    def graphql(version: str) -> Response:
        if not _VERSIONED.fullmatch(version):
            return answer({"errors": "Not Found"}, 404)
        if not office.doors.opens(request.headers.get(_TOKEN)):
            return answer({"errors": _BAD_TOKEN}, 401)
        given = request.get_json(silent=True)
        if not isinstance(given, dict) or not isinstance(given.get("query"), str):
            return answer({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        variables, name = given.get("variables") or {}, given.get("operationName")
        return answer(office.engine.run(given["query"], variables, name))


def _control(app: Flask, office: Office) -> None:
    @app.post("/_sandbox/misbehave")
    def misbehave() -> Response:
        try:
            office.mischief.plan(**request.get_json())
        except (TypeError, ValueError) as fault:
            return answer({"error": str(fault)}, 400)
        return answer(dict(office.mischief.as_json()))

    @app.get("/_sandbox/tally")
    def tally() -> Response:
        return answer(office.tally())

    @app.get("/_sandbox/totals")
    def totals() -> Response:
        told = {
            name: sorted(value) if isinstance(value, frozenset) else value
            for name, value in asdict(office.totals()).items()
        }
        return answer(told)


def answer(body: Body, status: int = 200) -> Response:
    """JSON. A version that is not served any more falls forward to one that is: it says which."""
    headers = {"X-Shopify-API-Version": VERSION, "X-Request-Id": f"{id(body):x}"}
    return Response(rails_json(body), status, headers, content_type=_JSON)


def spoil(office: Office, kind: str, seconds: float) -> Response | None:
    """Make this answer fail: the failing answer, or ``None`` to go on (late, empty, torn)."""
    if kind in _PAGES or kind == "html":
        title = _PAGES.get(kind, "Just a moment")
        status = 200 if kind == "html" else int(kind)
        return Response(_PAGE.format(title), status, content_type="text/html; charset=utf-8")
    if kind in _REFUSALS:
        response = answer({"errors": _REFUSALS[kind]}, int(kind))
        if kind == "429":
            response.headers["Retry-After"] = f"{seconds:.1f}"
        return response
    match kind:
        case "internal":
            told: Body = {"message": "Internal error. Looks like something went wrong on our end."}
            told["extensions"] = {"code": "INTERNAL_SERVER_ERROR", "requestId": "sandbox"}
            return answer({"errors": [told]})
        case "throttled":
            office.engine.bucket.empty()
        case "slow":
            time.sleep(seconds)
        case "torn":
            g.torn = True
        case _:
            connection: socket.socket = request.environ["werkzeug.socket"]
            connection.shutdown(socket.SHUT_RDWR)
            return Response(status=204)
    return None
