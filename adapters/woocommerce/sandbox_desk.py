"""What every part of the stand-in shop shares: its books, its clock and whom to tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.town.books import Books
from adapters.woocommerce.sandbox_payloads import Body, Site, error

OPT_IN = "_wc_other/mycorp/newsletter-opt-in"
"""The order field in which the block checkout keeps a ticked newsletter box."""
ADS_OPT_IN = "_wc_other/mycorp/ads-opt-in"
"""The same for the box that allows advertisements."""
SUBSCRIPTION = "mailchimp_woocommerce_is_subscribed"
"""The account field in which Mailchimp for WooCommerce keeps what the person chose."""


class Refusal(Exception):
    """The shop does not do it, and answers so: a REST error with its status."""

    def __init__(self, code: str, message: str, status: int, **more: Any) -> None:
        self.status = status
        self.body: Body = error(code, message, status, **more)
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The shared things. ``announce`` takes a topic and what it is about (an id)."""

    site: Site
    books: Books
    clock: Callable[[], datetime]
    announce: Callable[[str, int], None]

    def at(self, now: datetime | None) -> datetime:
        """The given moment, or the shop's own time."""
        return now or self.clock()


def merge_meta(known: list[Body], given: Sequence[Mapping[str, Any]], books: Books) -> list[Body]:
    """Extra fields after a write: by id or else by key, new ones added, ``None`` removed."""
    merged = list(known)
    for item in given:
        place = next(
            (
                n
                for n, old in enumerate(merged)
                if ("id" in item and old["id"] == item["id"]) or old["key"] == item.get("key")
            ),
            None,
        )
        if place is None:
            merged.append({"id": books.number("meta"), "key": item["key"], "value": item["value"]})
        else:
            merged[place] = merged[place] | {"value": item["value"]}
    return [item for item in merged if item["value"] is not None]


def chosen(meta_data: Sequence[Mapping[str, Any]], key: str) -> Any:
    """The value of one extra field, or ``None``."""
    return next((item["value"] for item in meta_data if item["key"] == key), None)
