"""Reads stores back, page by page: what Mailchimp really holds of goods and of what was sold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from adapters.mailchimp.commerce.comparing import COMPARABLE
from adapters.mailchimp.commerce.goods import STAND_IN
from adapters.mailchimp.commerce.shelf import MOST_SHOWN
from adapters.mailchimp.commerce.stores import Stores
from connector.errors import TryLater
from connector.model import Json, Record
from connector.ports import Held, Shown, StoreFacts

MOST_ROWS = 1_000
"""Rows of a page. https://mailchimp.com/developer/marketing/docs/methods-parameters/#pagination"""

_FEWEST_ROWS = 10
_MOST_WIDE = 10  # products of a page that take a call of their own

_PRODUCT_WORDS = ("id", "title", "type", "vendor")
_VARIANT_WORDS = ("id", "title", "price", "visibility")
_LINE_WORDS = ("id", "product_id", "product_variant_id", "quantity", "price")
_SALE_WORDS = (
    *("id", "customer.id", "currency_code", "order_total"),
    *(f"lines.{name}" for name in _LINE_WORDS),
)
_WORDS: Mapping[str, Sequence[str]] = {
    "products": (*_PRODUCT_WORDS, *(f"variants.{name}" for name in _VARIANT_WORDS)),
    "promo-rules": (
        *("id", "title", "starts_at", "ends_at", "amount", "type", "target", "enabled"),
    ),
    "orders": (
        *(*_SALE_WORDS, "lines.discount", "tax_total", "shipping_total", "discount_total"),
        *("financial_status", "fulfillment_status", "processed_at_foreign"),
        "cancelled_at_foreign",
    ),
    "carts": _SALE_WORDS,
}
_KINDS = {
    "products": "product",
    "promo-rules": "promotion",
    "orders": "order",
    "carts": "cart",
}
_LISTS = tuple(_KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a reading is: whose list, from which row, and how many rows it had before."""

    shop: str
    what: str
    offset: int = 0
    total: int = 0

    @property
    def cursor(self) -> str:
        return f"{self.shop}/{self.what}/{self.offset}/{self.total}"


@dataclass(slots=True)
class Reader:
    """Reads the stores a page at a time. ``rows`` shrinks while pages are too much at once."""

    stores: Stores
    rows: int = field(default=MOST_ROWS)

    def show(self, cursor: str | None) -> Shown:
        """See `connector.ports.Showing.show`: one call, and one for each product of 50 variants.

        Raises `LaneDown`, `TryLater`.
        """
        place = self._place(cursor)
        facts = self.stores.of(place.shop) if place else None
        if place is None or facts is None:
            return Shown(held={}, cursor=None)
        try:
            page = self.stores.page(
                facts, place.what, _WORDS[place.what], offset=place.offset, count=self.rows
            )
        except TryLater:
            self.rows = max(self.rows // 2, _FEWEST_ROWS)
            raise
        self.rows = min(self.rows * 2, MOST_ROWS)
        if page.total < place.total:  # what came after those that went away has moved up
            back = max(0, place.offset - (place.total - page.total))
            return Shown(held={}, cursor=self._at(place, back, page.total))
        rows = [_row(each) for each in page.rows]
        if place.what == "products":
            rows = self._whole(facts, rows)
        offset = place.offset + len(rows)
        further = bool(rows) and offset < page.total
        return Shown(
            held={each.record.key: each for row in rows if (each := _held(place, row))},
            cursor=self._at(place, offset, page.total) if further else self._after(place),
        )

    def _place(self, cursor: str | None) -> _Place | None:
        """Where to read; where a shop is not there any more, from the next one on."""
        if cursor is None:
            return self._next_of("", _LISTS[-1])
        shop, what, offset, total = cursor.split("/")
        if self.stores.of(shop) is None:
            return self._next_of(shop, _LISTS[-1])
        return _Place(shop=shop, what=what, offset=int(offset), total=int(total))

    def _next_of(self, shop: str, what: str) -> _Place | None:
        after = _LISTS[_LISTS.index(what) + 1 :]
        if after:
            return _Place(shop=shop, what=after[0])
        others = [each for each in self.stores.shops() if each > shop]
        return _Place(shop=others[0], what=_LISTS[0]) if others else None

    def _after(self, place: _Place) -> str | None:
        following = self._next_of(place.shop, place.what)
        return following.cursor if following else None

    @staticmethod
    def _at(place: _Place, offset: int, total: int) -> str:
        return _Place(shop=place.shop, what=place.what, offset=offset, total=total).cursor

    def _whole(
        self, facts: StoreFacts, rows: Sequence[Mapping[str, Json]]
    ) -> list[Mapping[str, Json]]:
        """The products with all their variants, as many as a page may take; the shelf learns."""
        whole: list[Mapping[str, Json]] = []
        wide = 0
        for row in rows:
            variants = row.get("variants")
            if isinstance(variants, list) and len(variants) >= MOST_SHOWN:
                wide += 1
                if wide > _MOST_WIDE:
                    break
                every = self.stores.variants(facts, str(row["id"]), _VARIANT_WORDS)
                if every is None:
                    continue
                whole.append({**row, "variants": every})
            else:
                whole.append(row)
        if facts.id in self.stores.shelves:
            self.stores.shelves[facts.id].read(whole)
        return whole


def _row(row: Json) -> Mapping[str, Json]:
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        raise TryLater("Mailchimp's answer holds something without an id")
    return row


def _held(place: _Place, row: Mapping[str, Json]) -> Held | None:
    """A row in our own words; ``None`` for what is there only because orders name it."""
    fields = COMPARABLE[place.what](row)
    if row.get("type") == STAND_IN and not fields.get("variants"):
        return None
    key = f"{_KINDS[place.what]}/{place.shop}/{row['id']}"
    return Held(record=Record(key=key, email=None, permission=None, fields=fields))
