"""A catalog is read back page by page, whatever becomes of the pages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.meta_catalog.destination import MetaCatalogDestination
from adapters.meta_catalog.sandbox import Sandbox
from adapters.town.faults import Fault
from adapters.wire import LARGEST_ANSWER
from connector.errors import LaneDown, TryLater
from connector.model import Change, Settled
from connector.ports import Showing, Shown
from tests.adapters.meta_catalog.items import NOW, item, step, steps
from tests.adapters.meta_catalog.test_client import DOWN, LATER

READ = "GET /catalog/products"
JSON = "application/json"


def read(catalog: MetaCatalogDestination, cursor: str | None = None) -> list[Shown]:
    """Every page from there on."""
    pages = [catalog.show(cursor, now=NOW)]
    while pages[-1].cursor is not None:
        pages.append(catalog.show(pages[-1].cursor, now=NOW))
    return pages


def fill(meta: Sandbox, number: int) -> None:
    """So many items that somebody made."""
    for each in range(number):
        meta.put(f"i{each}", title=f"Thing {each}", price="1.00 NOK")


def test_it_can_be_read_back(catalog: MetaCatalogDestination) -> None:
    """The destination says so, and an empty catalog is one empty page."""
    assert isinstance(catalog, Showing)
    assert Shown(held={}, cursor=None) == catalog.show(None, now=NOW)


def test_a_thousand_items_are_a_call(meta: Sandbox, catalog: MetaCatalogDestination) -> None:
    """2,300 items, ours and others', each once: in three."""
    fill(meta, 2_299)
    catalog.push(steps(item()), now=NOW)
    pages = read(catalog)
    assert [1_000, 1_000, 300] == [len(page.held) for page in pages]
    assert meta.items().keys() == {name for page in pages for name in page.held}
    assert catalog.as_shown(item()) == pages[-1].held["wool_1"].record
    assert 3 == meta.calls[READ]
    assert not any("EAA" in address for address in meta.seen)


def test_a_cursor_that_is_no_more_begins_anew(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """The item that it marked was deleted between two pages: the first page is given."""
    fill(meta, 1_500)
    first = catalog.show(None, now=NOW)
    catalog.push([Change(key="wool/1", before=item(id="i999"), after=None)], now=NOW)
    again = catalog.show(first.cursor, now=NOW)
    assert ["i0", "i1000"] == [next(iter(again.held)), list(again.held)[-1]]
    rest = read(catalog, again.cursor)
    assert 1_499 == len({name for page in (again, *rest) for name in page.held})
    assert 4 == meta.calls[READ]


def test_a_page_that_is_refused_at_the_beginning_is_asked_for_later(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """There is no other page to begin with."""
    meta.misbehave("unknown error", endpoint=READ)
    with pytest.raises(TryLater, match="error 9999"):
        catalog.show(None, now=NOW)
    assert 1 == meta.calls[READ]


@pytest.mark.parametrize("fault", [each for each in LATER if each != "endless"])
def test_a_page_that_did_not_come_is_asked_for_again(
    meta: Sandbox, catalog: MetaCatalogDestination, fault: str
) -> None:
    """Nothing is believed of it, and the next time all is there."""
    fill(meta, 3)
    meta.misbehave(fault, endpoint=READ)
    with pytest.raises(TryLater):
        catalog.show(None, now=NOW)
    assert ["i0", "i1", "i2"] == list(catalog.show(None, now=NOW).held)


@pytest.mark.parametrize("fault", DOWN)
def test_what_will_not_pass_is_told(
    meta: Sandbox, catalog: MetaCatalogDestination, fault: str
) -> None:
    """A person mends it."""
    meta.misbehave(fault, endpoint=READ)
    with pytest.raises(LaneDown) as caught:
        catalog.show(None, now=NOW)
    assert caught.value.mend


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "not a list of items"),
        ({"data": None}, "not a list of items"),
        ({"data": {"retailer_id": "i0"}}, "not a list of items"),
        ({"data": ["i0"]}, "not a list of items"),
        ({"data": [{"id": "1"}]}, "not a list of items"),
        ({"data": [{"retailer_id": 7}]}, "not a list of items"),
        ({"data": [], "paging": {"next": "https://x"}}, "where the next one begins"),
        ({"data": [], "paging": {"next": "https://x", "cursors": []}}, "where the next one begins"),
        (
            {"data": [], "paging": {"next": "https://x", "cursors": {"after": ""}}},
            "where the next one begins",
        ),
        (
            {"data": [], "paging": {"next": "https://x", "cursors": {"after": "OTAw"}}},
            "leads to itself",
        ),
    ],
)
def test_a_page_that_is_none_is_not_believed(
    meta: Sandbox, catalog: MetaCatalogDestination, body: Any, words: str
) -> None:
    """An end that is none would make all the rest look lost."""
    meta.misbehave(Fault(status=200, kind=JSON, body=json.dumps(body).encode()), endpoint=READ)
    with pytest.raises(TryLater, match=words):
        catalog.show("OTAw", now=NOW)


def test_the_end_is_where_no_next_page_is_told(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """A short page is none, and a cursor alone no promise of more."""
    row = {"retailer_id": "i0"}
    more = {"cursors": {"after": "OTAw"}, "next": "https://x"}
    for paging, expected in ((more, "OTAw"), ({"cursors": {"after": "OTAw"}}, None), (None, None)):
        body = json.dumps({"data": [row], "paging": paging}).encode()
        meta.misbehave(Fault(status=200, kind=JSON, body=body), endpoint=READ)
        page = catalog.show(None, now=NOW)
        assert (["i0"], expected) == (list(page.held), page.cursor)


@pytest.mark.parametrize(
    "fault",
    ["too large", "413", "endless", Fault(status=200, kind=JSON, body=b" " * (LARGEST_ANSWER + 1))],
    ids=["reduce", "413", "endless", "bytes"],
)
def test_a_page_that_is_too_large_is_halved(
    meta: Sandbox, catalog: MetaCatalogDestination, fault: Any
) -> None:
    """At once, and to the end of the round; the next one tries the whole page again."""
    fill(meta, 900)
    meta.misbehave(fault, endpoint=READ)
    assert [500, 400] == [len(page.held) for page in read(catalog)]
    assert [900] == [len(page.held) for page in read(catalog)]
    assert 4 == meta.calls[READ]


def test_a_page_that_is_too_large_however_small_is_given_up(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """1,000, 500, 250, 125, 62, 31, 25 items; then it is told."""
    meta.misbehave("too large", endpoint=READ, times=7)
    with pytest.raises(TryLater, match="pages of 25 items are too large"):
        catalog.show(None, now=NOW)
    assert 7 == meta.calls[READ]
    assert [] == list(catalog.show(None, now=NOW).held)


def test_what_is_left_of_the_calls_is_spared(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """Reading back is never worth the last calls that Meta allows."""
    meta.use_up(96, minutes=3)
    catalog.show(None, now=NOW)
    with pytest.raises(TryLater) as caught:
        catalog.show(None, now=NOW)
    assert (180.0, 1) == (caught.value.retry_after, meta.calls[READ])


# --- taken, and not kept ------------------------------------------------------------------------


def test_an_item_that_was_taken_and_not_kept_is_not_shown(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """All was well, says Meta; and sent again, as if it never had been, it is there."""
    meta.lose("wool_1")
    pushed = catalog.push(steps(item(1), item(2)), now=NOW)
    assert {"wool/1": Settled(), "wool/2": Settled()} == pushed
    assert ["wool_2"] == list(catalog.show(None, now=NOW).held)
    catalog.push(steps(item(1)), now=NOW)
    assert {"wool_1", "wool_2"} == catalog.show(None, now=NOW).held.keys()


def test_a_price_that_was_taken_and_not_kept_differs(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """The title is the new one, the price is the old."""
    old, new = item(), item(price=9_900, title="Newer")
    catalog.push(steps(old), now=NOW)
    meta.keep_old("wool_1", "price")
    assert {"wool/1": Settled()} == catalog.push([step(old, new)], now=NOW)
    found, expected = catalog.show(None, now=NOW).held["wool_1"].record, catalog.as_shown(new)
    assert ["price"] == [
        name for name in expected.fields if found.fields[name] != expected.fields[name]
    ]
    assert 19_900 == found.fields["price"]["amount"]
    catalog.push([step(old, new)], now=NOW)
    assert expected == catalog.show(None, now=NOW).held["wool_1"].record


def test_an_old_sale_is_ended_when_the_price_is_known_to_differ(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """It is no longer told of what was acknowledged, and Meta keeps what is not named."""
    old, new = item(sale_price=9_900), item()
    catalog.push(steps(old), now=NOW)
    meta.lose("wool_1")
    catalog.push([step(old, new)], now=NOW)
    assert 9_900 == catalog.show(None, now=NOW).held["wool_1"].record.fields["price"]["sale"]
    catalog.push([step(item(price=None), new)], now=NOW)
    assert catalog.as_shown(new) == catalog.show(None, now=NOW).held["wool_1"].record


def test_an_item_that_did_not_go_is_shown_and_goes_by_its_name(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """What is shown is enough to delete it, and nothing else goes."""
    catalog.push(steps(item(1), item(2)), now=NOW)
    meta.lose("wool_1")
    catalog.push([step(item(1), None)], now=NOW)
    found = catalog.show(None, now=NOW).held["wool_1"].record
    assert {"wool/1": Settled()} == catalog.push(
        [Change(key="wool/1", before=found, after=None)], now=NOW
    )
    assert ["wool_2"] == list(catalog.show(None, now=NOW).held)
