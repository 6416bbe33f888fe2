"""The Meta catalog keeps what every catalog promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from adapters.meta_catalog.destination import MetaCatalogDestination
from adapters.meta_catalog.sandbox import Sandbox
from tests.contract.catalogs import CatalogContract
from tests.contract.pushing import Make, Misbehave

_FAULTS = {
    "rate_limited": "busy for 3 minutes",
    "server_error": "500",
    "bad_credentials": "error 190",
    "answer_is_not_json": "HTML",
}


class TestMetaCatalog(CatalogContract):
    @pytest.fixture
    def make(self, meta: Sandbox, connect: Callable[..., MetaCatalogDestination]) -> Make:
        def peek(item_id: str) -> Mapping[str, Any] | None:
            item = meta.items().get(item_id)
            if item is None:
                return None
            over = item.get("sale_price_effective_date", "").endswith("/1970-01-02T00:00:00Z")
            return {
                "title": item["title"],
                "price": item["price"],
                "price_now": item["price"] if over else item.get("sale_price", item["price"]),
                "labels": sorted(v for name, v in item.items() if name.startswith("custom_label")),
                "shown": item_id in meta.shown(),
            }

        return lambda: (connect(), peek)

    @pytest.fixture
    def misbehave(self, meta: Sandbox) -> Misbehave:
        return lambda fault: meta.misbehave(_FAULTS[fault])
