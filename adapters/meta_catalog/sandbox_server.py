"""The stand-in's HTTP server: Graph API v26 over one catalog."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, request

from adapters.meta_catalog.sandbox_catalog import Batch, Catalog
from adapters.meta_catalog.sandbox_faults import error_body
from adapters.meta_catalog.sandbox_rules import MOST_BYTES, call_fault
from adapters.town import platform

_VERSION = "v26.0"
_PAGE, _LONGEST_PAGE = 25, 1_000
_OF_CATALOG = ("id", "name", "vertical", "product_count", "feed_count")
# What an item's fields are called where it is read:
# https://developers.facebook.com/docs/marketing-api/reference/product-item/
_READ_AS = {"id": "retailer_id", "title": "name", "link": "url", "image_link": "image_url"}


class Server(platform.Server):
    """Serves a catalog on loopback. ``percent`` and ``minutes`` are what the usage headers tell."""

    def __init__(self, catalog: Catalog, token: str, port: int) -> None:
        self.catalog = catalog
        self.token = token
        self.percent = 1
        self.minutes = 0
        app = Flask(__name__)
        app.config["MAX_FORM_MEMORY_SIZE"] = 2 * MOST_BYTES
        for method, path in _ROUTES:
            app.add_url_rule(path, path, self._answer, methods=[method])
        app.register_error_handler(404, lambda _: _error(400, 2500, "Unknown path components"))
        super().__init__(app, endpoint_of, port)

    def _answer(self, version: str = "", node: str = "", edge: str = "") -> Response:
        if version != _VERSION:
            answer = _error(400, 2635, f"You are calling a deprecated version; use {_VERSION}")
        elif self._given_token() != self.token:
            answer = _error(401, 190, "Invalid OAuth access token - Cannot parse access token")
        elif node == "me":
            answer = _said({"id": "100", "name": "System user"})
        elif node != self.catalog.id:
            words = f"Unsupported request. Object with ID '{node}' does not exist"
            answer = _error(400, 100, words, error_subcode=33)
        else:
            serve = _EDGES.get((request.method, edge))
            answer = serve(self) if serve else _error(400, 2500, "Unknown path components")
        row = {"call_count": self.percent, "total_cputime": 1, "total_time": 1}
        telling = {"type": "catalog_batch", "estimated_time_to_regain_access": self.minutes}
        answer.headers["X-App-Usage"] = json.dumps(row)
        answer.headers["X-Business-Use-Case-Usage"] = json.dumps({"1": [{**row, **telling}]})
        answer.headers["facebook-api-version"] = _VERSION
        return answer

    def _given_token(self) -> str | None:
        scheme, _, told = request.headers.get("Authorization", "").partition(" ")
        if scheme in ("Bearer", "OAuth"):
            return told
        return request.args.get("access_token") or request.form.get("access_token")

    def show(self) -> Response:
        """The catalog itself, with the fields asked for."""
        wanted = [name for name in request.args.get("fields", "id,name").split(",") if name]
        if unknown := [name for name in wanted if name not in _OF_CATALOG]:
            return _error(400, 100, f"(#100) Tried accessing nonexisting field ({unknown[0]})")
        catalog = self.catalog
        known = {
            "id": catalog.id,
            "name": catalog.name,
            "vertical": catalog.vertical,
            "product_count": len(catalog.items),
            "feed_count": catalog.feed_count,
        }
        return _said({name: known[name] for name in ("id", *wanted)})

    def batch(self) -> Response:
        """Take a batch of changes."""
        if (request.content_length or 0) > MOST_BYTES:
            words = "Please reduce the amount of data you're asking for, then retry your request"
            return _error(500, 1, words)
        form: Any = request.get_json() if request.is_json else request.form.to_dict()
        params: dict[str, Any] = form
        params.pop("access_token", None)
        try:
            if isinstance(params.get("requests"), str):
                params["requests"] = json.loads(params["requests"])
        except ValueError:
            return _error(400, 100, "(#100) Param requests must be an array.")
        params["allow_upsert"] = params.get("allow_upsert", True) in (True, "true")
        self.bodies.append(("items_batch", params))
        if fault := call_fault(params):
            return _error(400, 100, f"(#100) {fault}")
        handle = self.catalog.take(params["requests"], allow_upsert=params["allow_upsert"])
        return _said({"handles": [handle]})

    def status(self) -> Response:
        """How far a batch is."""
        handle = request.args.get("handle", "")
        batch = self.catalog.look(handle)
        if batch is None:
            return _error(400, 100, "(#100) Invalid handle")
        with_ids = request.args.get("load_ids_of_invalid_requests") == "true"
        return _said({"data": [_told(handle, batch, self.catalog, with_ids=with_ids)]})

    def products(self) -> Response:
        """What the catalog holds, a page at a time."""
        after = request.args.get("after")
        start = int(base64.b64decode(after)) if after else 0
        limit = min(int(request.args.get("limit", _PAGE)), _LONGEST_PAGE)
        rows = [
            {"id": self.catalog.nodes[item_id], **_read(item)}
            for item_id, item in list(self.catalog.items.items())[start : start + limit]
        ]
        wanted = {"id", *request.args.get("fields", "id,retailer_id,name").split(",")}
        data = [{name: row[name] for name in row if name in wanted} for row in rows]
        end = start + len(rows)
        paging: dict[str, Any] = {"cursors": {"after": base64.b64encode(b"%d" % end).decode()}}
        if end < len(self.catalog.items):
            paging["next"] = f"{self.url}{request.path}?after={paging['cursors']['after']}"
        return _said({"data": data, "paging": paging})


_ROUTES = (
    ("GET", "/<version>/<node>"),
    ("GET", "/<version>/<node>/<edge>"),
    ("POST", "/<version>/<node>/<edge>"),
    ("GET", "/<node>"),
)
_EDGES: dict[tuple[str, str], Any] = {
    ("GET", ""): Server.show,
    ("POST", "items_batch"): Server.batch,
    ("GET", "check_batch_request_status"): Server.status,
    ("GET", "products"): Server.products,
}


def endpoint_of(method: str, path: str) -> str:
    """The endpoint for counting: the catalog's id is left out."""
    parts = path.strip("/").split("/")
    return f"{method} {'/'.join(['', 'catalog', *parts[2:]]) if parts[-1] != 'me' else '/me'}"


def _told(handle: str, batch: Batch, catalog: Catalog, *, with_ids: bool) -> dict[str, Any]:
    faults = batch.errors
    return {
        "handle": handle,
        "status": batch.status,
        "errors_total_count": len(faults),
        "errors": [] if catalog.only_warns else faults,
        "warnings_total_count": len(faults) if catalog.only_warns else 0,
        "warnings": faults if catalog.only_warns else [],
        "ids_of_invalid_requests": [each["id"] for each in faults] if with_ids else [],
    }


def _read(item: Mapping[str, Any]) -> dict[str, Any]:
    return {_READ_AS.get(name, name): value for name, value in item.items()}


def _said(body: Any) -> Response:
    return Response(json.dumps(body), mimetype="application/json")


def _error(status: int, code: int, message: str, **more: Any) -> Response:
    body = json.dumps(error_body(code, message, **more))
    return Response(body, status, mimetype="application/json")
