"""What the stand-ins of Meta's guests share: who may call, the limits told, and its errors."""

from __future__ import annotations

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias
from urllib.parse import urlencode

from flask import Flask, Response, request

from adapters.town import platform
from adapters.town.faults import Fault, anywhere

VERSION = "v26.0"
Edge: TypeAlias = Callable[[Any, str], Response]
"""What answers at an edge: it is given the server, and the id of the node."""

_JSON = "application/json; charset=UTF-8"


def error_body(code: int, message: str, **more: Any) -> dict[str, Any]:
    """An error as the Graph API writes it.

    https://developers.facebook.com/docs/graph-api/guides/error-handling
    """
    told = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "stand-in"}
    return {"error": {**told, **more}}


def graph_error(code: int, message: str = "", status: int = 400, **more: Any) -> Fault:
    """A Graph API error as a fault."""
    body = error_body(code, message or f"(#{code}) stand-in", **more)
    return Fault(status=status, kind=_JSON, body=json.dumps(body).encode())


def busy(code: int, minutes: int) -> Fault:
    """Too many calls; the header says for how many minutes."""
    row = {"type": "catalog_batch", "call_count": 100, "total_cputime": 20, "total_time": 20}
    told = json.dumps({"123": [{**row, "estimated_time_to_regain_access": minutes}]})
    return replace(graph_error(code, status=400), headers={"X-Business-Use-Case-Usage": told})


_REDUCE = "Please reduce the amount of data you're asking for, then retry your request"
FAULTS: Mapping[str, Fault] = {
    **anywhere(_JSON),
    **{f"error {code}": graph_error(code) for code in (2, 4, 17, 32, 100, 341, 613, 80009, 80014)},
    **{f"error {code}": graph_error(code, status=403) for code in (10, 102, 200, 275, 368)},
    "error 1": graph_error(1, "An unknown error occurred", status=500),
    "error 190": graph_error(190, "Malformed access token EAAB" + "x" * 80, status=401),
    "busy for 3 minutes": busy(80014, 3),
    "transient": graph_error(9_999, is_transient=True),
    "unknown error": graph_error(9_999, "Nobody knows"),
    "too large": graph_error(1, _REDUCE, status=500),
    "error in 200": graph_error(2, "in 200", status=200),
    "no success": Fault(status=200, kind=_JSON, body=b'{"success":false}'),
    "500": Fault(status=500, body=b"<html>Sorry, something went wrong.</html>"),
    "502": Fault(status=502, kind=""),
    "503": Fault(status=503, kind="text/plain", body=b"Service Unavailable"),
    "redirect": Fault(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"}, kind=""),
    "half JSON": Fault(status=200, kind=_JSON, body=b'{"handles": ["Ac'),
    "no handle": Fault(status=200, kind=_JSON, body=b'{"handles": []}'),
}
"""The faults that have a name."""


class GraphServer(platform.Server, ABC):
    """Serves nodes of the Graph API on loopback. ``percent`` and ``minutes`` are told as used up.

    ``edges`` are by method, kind of node and name of the edge; a POST that says ``method=DELETE``
    is one of DELETE. A subclass says of which kind a node is.
    """

    def __init__(
        self,
        token: str,
        port: int,
        *,
        edges: Mapping[tuple[str, str, str], Edge],
        endpoint_of: Callable[[str, str], str],
        largest: int,
    ) -> None:
        self.token = token
        self.percent = 1
        self.minutes = 0
        self._edges = edges
        app = Flask(__name__)
        app.config["MAX_FORM_MEMORY_SIZE"] = 2 * largest
        for method, path in _ROUTES:
            app.add_url_rule(path, f"{method} {path}", self._answer, methods=[method])
        app.register_error_handler(404, lambda _: error(400, 2500, "Unknown path components"))
        super().__init__(app, endpoint_of, port)

    @abstractmethod
    def kind_of(self, node: str) -> str | None:
        """Of which kind the node with this id is; ``None`` when there is none."""

    def _answer(self, version: str = "", node: str = "", edge: str = "") -> Response:
        answer = self._checked(version, node, edge)
        row = {"call_count": self.percent, "total_cputime": 1, "total_time": 1}
        telling = {"type": "stand_in", "estimated_time_to_regain_access": self.minutes}
        answer.headers["X-App-Usage"] = json.dumps(row)
        answer.headers["X-Business-Use-Case-Usage"] = json.dumps({"1": [{**row, **telling}]})
        answer.headers["facebook-api-version"] = VERSION
        return answer

    def _checked(self, version: str, node: str, edge: str) -> Response:
        if version != VERSION:
            return error(400, 2635, f"You are calling a deprecated version; use {VERSION}")
        if self._given_token() != self.token:
            return error(401, 190, "Invalid OAuth access token - Cannot parse access token")
        if node == "me":
            return said({"id": "100", "name": "System user"})
        kind = self.kind_of(node)
        if kind is None:
            words = f"Unsupported request. Object with ID '{node}' does not exist"
            return error(400, 100, words, error_subcode=33)
        method = request.method
        if method == "POST" and request.form.get("method") == "DELETE":
            method = "DELETE"
        serve = self._edges.get((method, kind, edge))
        return serve(self, node) if serve else error(400, 2500, "Unknown path components")

    def _given_token(self) -> str | None:
        scheme, _, told = request.headers.get("Authorization", "").partition(" ")
        if scheme in ("Bearer", "OAuth"):
            return told
        return request.args.get("access_token") or request.form.get("access_token")


_ROUTES = (
    ("GET", "/<version>/<node>"),
    ("POST", "/<version>/<node>"),
    ("DELETE", "/<version>/<node>"),
    ("GET", "/<version>/<node>/<edge>"),
    ("POST", "/<version>/<node>/<edge>"),
    ("DELETE", "/<version>/<node>/<edge>"),
    ("GET", "/<node>"),
)


def said(body: Any) -> Response:
    """An answer."""
    return Response(json.dumps(body), mimetype="application/json")


def error(status: int, code: int, message: str, **more: Any) -> Response:
    """An error as the Graph API answers with."""
    body = json.dumps(error_body(code, message, **more))
    return Response(body, status, mimetype="application/json")


def fields_asked(known: Mapping[str, Any]) -> Response:
    """A node's fields, those that were asked for; one that it has not is a mistake."""
    wanted = [name for name in request.args.get("fields", "id,name").split(",") if name]
    if unknown := [name for name in wanted if name not in known]:
        return error(400, 100, f"(#100) Tried accessing nonexisting field ({unknown[0]})")
    return said({name: known[name] for name in ("id", *wanted)})


_PAGE = 25


def page_of(
    nodes: Sequence[str], row_of: Callable[[str], Mapping[str, Any]], *, longest: int
) -> Response:
    """A page of an edge: the nodes after a cursor, at most ``longest``, with the fields asked for.

    A cursor marks a node, and is worth nothing once that is gone; after the last page no ``next``
    is told. https://developers.facebook.com/docs/graph-api/results
    """
    start, after = 0, request.args.get("after")
    if after is not None:
        try:
            start = nodes.index(base64.b64decode(after, validate=True).decode()) + 1
        except ValueError:
            return error(400, 2642, "Invalid cursors values")
    limit = min(max(request.args.get("limit", _PAGE, type=int), 1), longest)
    wanted = {"id", *request.args.get("fields", "id,name").split(",")}
    shown = nodes[start : start + limit]
    if not shown:
        return said({"data": []})
    rows = [{name: value for name, value in row_of(node).items() if name in wanted}
            for node in shown]  # fmt: skip
    paging: dict[str, Any] = {"cursors": {"before": _cursor(shown[0]), "after": _cursor(shown[-1])}}
    if start + len(shown) < len(nodes):
        told = {**request.args, "after": paging["cursors"]["after"]}
        paging["next"] = f"{request.base_url}?{urlencode(told)}"
    return said({"data": rows, "paging": paging})


def _cursor(node: str) -> str:
    return base64.b64encode(node.encode()).decode()
