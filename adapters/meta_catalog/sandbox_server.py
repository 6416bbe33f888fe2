"""The stand-in's HTTP server: Graph API v26 over one catalog."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from flask import Response, request

from adapters.meta_catalog.sandbox_catalog import Batch, Catalog, same_filter
from adapters.meta_catalog.sandbox_reading import READABLE, shown
from adapters.meta_catalog.sandbox_rules import MOST_BYTES, call_fault, set_fault
from adapters.town.graph import GraphServer, error, fields_asked, page_of, said

_LONGEST_PAGE = 1_000


class Server(GraphServer):
    """Serves a catalog and its product sets."""

    def __init__(self, catalog: Catalog, token: str, port: int) -> None:
        self.catalog = catalog
        super().__init__(
            token, port, edges=_EDGES, endpoint_of=partial(endpoint_of, catalog.id),
            largest=MOST_BYTES,
        )  # fmt: skip

    def kind_of(self, node: str) -> str | None:
        """The catalog, or a set of it."""
        if node == self.catalog.id:
            return "catalog"
        return "set" if node in self.catalog.sets else None

    def show(self, _node: str) -> Response:
        """The catalog itself, with the fields asked for."""
        catalog = self.catalog
        return fields_asked(
            {
                "id": catalog.id,
                "name": catalog.name,
                "vertical": catalog.vertical,
                "product_count": len(catalog.items),
                "feed_count": catalog.feed_count,
            }
        )

    def batch(self, _node: str) -> Response:
        """Take a batch of changes."""
        if (request.content_length or 0) > MOST_BYTES:
            words = "Please reduce the amount of data you're asking for, then retry your request"
            return error(500, 1, words)
        form: Any = request.get_json() if request.is_json else request.form.to_dict()
        params: dict[str, Any] = form
        params.pop("access_token", None)
        try:
            if isinstance(params.get("requests"), str):
                params["requests"] = json.loads(params["requests"])
        except ValueError:
            return error(400, 100, "(#100) Param requests must be an array.")
        params["allow_upsert"] = params.get("allow_upsert", True) in (True, "true")
        self.bodies.append(("items_batch", params))
        if fault := call_fault(params):
            return error(400, 100, f"(#100) {fault}")
        handle = self.catalog.take(params["requests"], allow_upsert=params["allow_upsert"])
        return said({"handles": [handle]})

    def status(self, _node: str) -> Response:
        """How far a batch is."""
        handle = request.args.get("handle", "")
        batch = self.catalog.look(handle)
        if batch is None:
            return error(400, 100, "(#100) Invalid handle")
        with_ids = request.args.get("load_ids_of_invalid_requests") == "true"
        return said({"data": [_told(handle, batch, self.catalog, with_ids=with_ids)]})

    def products(self, _node: str) -> Response:
        """What the catalog holds, a page at a time."""
        asked = request.args.get("fields", "id,retailer_id,name").split(",")
        if unknown := [name for name in asked if name not in READABLE]:
            return error(400, 100, f"(#100) Tried accessing nonexisting field ({unknown[0]})")
        catalog = self.catalog
        ids = {catalog.nodes[item_id]: item_id for item_id in catalog.items}
        return page_of(
            list(ids), lambda node: shown(node, catalog.items[ids[node]]), longest=_LONGEST_PAGE
        )

    def list_sets(self, _node: str) -> Response:
        """The product sets, a page at a time."""
        catalog = self.catalog

        def row(set_id: str) -> dict[str, Any]:
            told = catalog.sets[set_id]
            return {"id": set_id, **told, "product_count": len(catalog.items_of(told["filter"]))}

        return page_of(list(catalog.sets), row, longest=_LONGEST_PAGE)

    def make_set(self, _node: str) -> Response:
        """Make a product set; one filter is one set's."""
        form = request.form.to_dict()
        self.bodies.append(("product_sets", form))
        fault = set_fault(form, new=True)
        if fault is not None:
            return error(400, 100, f"(#100) {fault}")
        if any(same_filter(form["filter"], told["filter"]) for told in self.catalog.sets.values()):
            return error(400, 10803, "Product set with the same filters already exists")
        return said({"id": self.catalog.put_set(form)})

    def change_set(self, node: str) -> Response:
        """Change a product set."""
        form = request.form.to_dict()
        self.bodies.append(("product_set", form))
        fault = set_fault(form, new=False)
        if fault is not None:
            return error(400, 100, f"(#100) {fault}")
        others = {key: told for key, told in self.catalog.sets.items() if key != node}
        if "filter" in form and any(
            same_filter(form["filter"], told["filter"]) for told in others.values()
        ):
            return error(400, 10803, "Product set with the same filters already exists")
        self.catalog.sets[node].update(form)
        return said({"success": True})


_EDGES: dict[tuple[str, str, str], Any] = {
    ("GET", "catalog", ""): Server.show,
    ("POST", "catalog", "items_batch"): Server.batch,
    ("GET", "catalog", "check_batch_request_status"): Server.status,
    ("GET", "catalog", "products"): Server.products,
    ("GET", "catalog", "product_sets"): Server.list_sets,
    ("POST", "catalog", "product_sets"): Server.make_set,
    ("POST", "set", ""): Server.change_set,
}


def endpoint_of(catalog_id: str, method: str, path: str) -> str:
    """The endpoint for counting: ids are left out."""
    parts = path.strip("/").split("/")
    if parts[-1] == "me":
        return f"{method} /me"
    kind = "catalog" if catalog_id in parts else "set"
    return f"{method} {'/'.join(['', kind, *parts[2:]])}"


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
