"""Items and changes for the tests of this folder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from adapters.meta_catalog.words import body
from connector.model import Change, Record
from tests.contract.catalogs import CatalogContract

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def item(number: int = 1, **fields: Any) -> Record:
    """A whole item; a field given as ``None`` is left out."""
    return CatalogContract().item(number, fields)


def step(before: Record | None, after: Record | None) -> Change:
    """The step from one to the other."""
    key = (after or before or item()).key
    return Change(key=key, before=before, after=after)


def steps(*items: Record) -> list[Change]:
    """The steps that bring new items."""
    return [step(None, each) for each in items]


_WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_PATHS = st.text(st.characters(categories=["L", "N"], include_characters="-_%"), max_size=20)
_MOMENTS = st.sampled_from(["2020-01-01T00:00:00Z", "2026-11-27T00:00:00Z", "2031-12-01T09:30:00Z"])
_NAMES = st.sampled_from(["Color", "Farge", "Størrelse", "Material", "Mønster", "Lukt", "Krage"])
_MAPPED = {
    "brand": _WORDS,
    "condition": st.sampled_from(["new", "Used", "broken"]),
    "gtin": st.sampled_from(["7038010001234", "12"]),
    "gender": st.sampled_from(["Female", "x"]),
    "google_product_category": st.just("212"),
    "title": _WORDS,
    "link": _PATHS.map("https://wool.example/mapped/{}".format),
    "color": _WORDS,
    **{f"custom_label_{number}": _WORDS for number in range(5)},
}


@st.composite
def items(draw: st.DrawFn, number: int = 1) -> Record:
    """Any item that Meta would take: texts of all letters, all currencies, on sale or archived."""
    price = draw(st.integers(1, 10**9))
    return item(
        number,
        status=draw(st.sampled_from(["active", "active", "archived"])),
        group=draw(st.sampled_from(["wool_9", "wool_10"])),
        title=draw(_WORDS),
        description=draw(st.one_of(st.none(), _WORDS, st.just("Sjølv " * 1_500))),
        url=f"https://wool.example/{draw(_PATHS)}",
        currency=draw(st.sampled_from(["NOK", "EUR", "USD", "JPY", "ISK", "HUF", "KWD", "XAF"])),
        price=price,
        sale_price=draw(st.one_of(st.none(), st.integers(0, price + 1))),
        sale_from=draw(st.one_of(st.none(), _MOMENTS)),
        sale_to=draw(st.one_of(st.none(), _MOMENTS)),
        stock=draw(st.sampled_from([None, "in_stock", "out_of_stock", "on_backorder"])),
        options=draw(st.one_of(st.none(), st.dictionaries(_NAMES, _WORDS, max_size=3))),
        mapped=draw(st.one_of(st.none(), st.fixed_dictionaries({}, optional=_MAPPED))),
    )


def sellable(number: int = 1) -> st.SearchStrategy[Record]:
    """Those of `items` that pass our own examination."""
    return items(number).filter(lambda record: body(record.fields) is not None)
