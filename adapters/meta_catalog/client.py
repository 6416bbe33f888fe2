"""The calls to one catalog of Meta's: the catalog itself, its items, batches of changes, sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapters.graph import Graph, rows
from adapters.graph_refusals import Mends, TooLarge, safe
from adapters.meta_catalog.account import Account
from adapters.wire import AnswerTooLarge
from connector.errors import TryLater
from connector.model import Json

_FIELDS = "id,name,vertical,product_count,feed_count"
_SET_FIELDS = "id,name,filter,retailer_id"
_SETS_A_PAGE = 100
_MENDS = Mends(
    scope="catalog_management",
    thing="catalog",
    forbidden="In Meta Business settings give the system user of this token full control of the "
    "catalog, and the token the permission catalog_management.",
    missing="Set the destination's catalog_id to a catalog that this token may manage.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What Meta said at once of a batch: the ``handle`` under which it is worked on, if any.

    ``refused`` gives what is wrong with an item by its id.
    """

    handle: str | None
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far Meta is with a batch. ``failed``: it gave up, and nobody knows what it did.

    ``invalid`` gives what is wrong with an item by its id, ``unnamed`` counts faults without one.
    """

    finished: bool = False
    failed: bool = False
    invalid: Mapping[str, str] = field(default_factory=dict)
    unnamed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some items as Meta shows them, each with a ``retailer_id``, and where the next ones begin."""

    items: Sequence[Mapping[str, Any]]
    after: str | None


class MetaCatalogClient:
    """One catalog. Every method raises `TryLater` or `LaneDown`."""

    def __init__(self, account: Account, seconds: float) -> None:
        self._catalog = account.catalog_id
        self._graph = Graph(account.access, seconds, _MENDS)

    @property
    def told_at(self) -> datetime | None:
        """The time by Meta's clock when it last answered, if it said."""
        return self._graph.told_at

    def catalog(self) -> Mapping[str, Json]:
        """The catalog itself; `LaneDown` when it does not exist. Raises `Refused`."""
        return self._graph.call("GET", (self._catalog,), {"fields": _FIELDS})

    def products(self, fields: Sequence[str], *, after: str | None, limit: int) -> Page:
        """A page of what the catalog holds. Raises `Refused` or `TooLarge`.

        ``bulk_pagination`` is Meta's own way to go through all of a list, however long.
        https://developers.facebook.com/docs/marketing-api/reference/product-catalog/products/
        """
        self._graph.spare()
        asked = {"fields": ",".join(fields), "limit": limit, "bulk_pagination": True}
        told = asked if after is None else {**asked, "after": after}
        try:
            said = self._graph.call("GET", (self._catalog, "products"), told)
        except AnswerTooLarge:
            raise TooLarge from None
        items = said.get("data")
        if not isinstance(items, list) or not all(map(_is_item, items)):
            raise TryLater("Meta's page of the catalog is not a list of items")
        following = _after(said.get("paging"))
        if following is not None and following == after:
            raise TryLater("Meta's page of the catalog leads to itself")
        return Page(items=items, after=following)

    def product_sets(self) -> Iterator[Mapping[str, Json]]:
        """Every product set of the catalog. Raises `Refused`."""
        params = {"fields": _SET_FIELDS, "limit": _SETS_A_PAGE}
        return self._graph.pages((self._catalog, "product_sets"), params)

    def make_set(self, told: Mapping[str, str]) -> None:
        """Make a product set. Raises `Refused`."""
        self._graph.call("POST", (self._catalog, "product_sets"), told)

    def change_set(self, set_id: str, told: Mapping[str, str]) -> None:
        """Change a product set. Raises `Refused`."""
        self._graph.call("POST", (set_id,), told)

    def send(self, requests: str) -> Accepted:
        """Send up to 5,000 changes, as the JSON text of a list. Raises `Refused` or `TooLarge`.

        https://developers.facebook.com/docs/marketing-api/reference/product-catalog/items_batch/
        """
        self._graph.spare()
        said = self._graph.call(
            "POST",
            (self._catalog, "items_batch"),
            {"item_type": "PRODUCT_ITEM", "allow_upsert": True, "requests": requests},
        )
        handles = said.get("handles")
        first = handles[0] if isinstance(handles, list) and handles else None
        return Accepted(
            handle=first if isinstance(first, str) else None,
            refused={
                str(row.get("retailer_id")): safe(errors[0].get("message"))
                for row in rows(said.get("validation_status"))
                if (errors := rows(row.get("errors")))
            },
        )

    def progress(self, handle: str) -> Progress:
        """How far a batch is.

        Without ``load_ids_of_invalid_requests`` no id is ever named; faults may be listed under
        ``warnings`` although they are counted as errors.
        https://developers.facebook.com/docs/marketing-api/reference/product-catalog/check_batch_request_status/
        """
        said = self._graph.call(
            "GET",
            (self._catalog, "check_batch_request_status"),
            {"handle": handle, "load_ids_of_invalid_requests": True},
        )
        row = next((r for r in rows(said.get("data")) if r.get("handle", handle) == handle), None)
        status = str((row or {}).get("status") or "").lower()
        if row is None or status not in _OVER:
            return Progress()
        counted = row.get("errors_total_count")
        number = counted if isinstance(counted, int) else len(rows(row.get("errors")))
        named = [*rows(row.get("errors")), *(rows(row.get("warnings")) if number else ())]
        invalid = {str(each["id"]): safe(each.get("message")) for each in named if each.get("id")}
        listed = row.get("ids_of_invalid_requests")
        for item_id in listed if isinstance(listed, list) else ():
            invalid.setdefault(str(item_id), "Meta gave no reason")
        return Progress(
            finished=status == "finished",
            failed=status != "finished",
            invalid=invalid if number or listed else {},
            unnamed=number if number and not invalid else 0,
        )


_OVER = ("finished", "error", "canceled", "cancelled")


def _is_item(row: Json) -> bool:
    return isinstance(row, dict) and isinstance(row.get("retailer_id"), str)


def _after(paging: Json) -> str | None:
    """Where the next page begins; `TryLater` when there is one and nothing says where."""
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    if not isinstance(after, str) or not after:
        raise TryLater("Meta's page of the catalog does not say where the next one begins")
    return after
