"""Batches on their way: packed, halved, waited for, and a verdict for every item."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus

import msgspec
import pytest

from adapters.meta_catalog import parcels, push
from adapters.meta_catalog.destination import MetaCatalogDestination
from adapters.meta_catalog.sandbox import Sandbox
from adapters.meta_catalog.words import plan
from adapters.town.faults import Fault
from connector.errors import LaneDown, TryLater
from connector.model import Change, Outcome, Parked, Postponed, Record, Settled
from tests.adapters.meta_catalog.items import NOW, item, step, steps

UNFINISHED = Postponed(
    reason="Meta has not finished with this item yet", retry_after=30.0, sent=True
)


def batches(meta: Sandbox) -> int:
    return meta.calls["POST /catalog/items_batch"]


def looks(meta: Sandbox) -> int:
    return meta.calls["GET /catalog/check_batch_request_status"]


def test_five_thousand_items_are_one_call(meta: Sandbox, catalog: MetaCatalogDestination) -> None:
    """And one more is two."""
    items = [item(number) for number in range(5_001)]
    outcomes = catalog.push(steps(*items), now=NOW)
    assert {Settled()} == set(outcomes.values())
    assert (5_001, 2, 2) == (len(meta.items()), batches(meta), looks(meta))
    assert [5_000, 1] == [len(body["requests"]) for _, body in meta.bodies]


def test_a_call_is_never_larger_than_meta_takes(
    meta: Sandbox, catalog: MetaCatalogDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    """28 MB as they go over the wire, where a letter may take six bytes."""
    items = [item(number, description="ø " * 4_999) for number in range(1_500)]
    packed = [parcels.Parcel.pack(each) for each in _plans(items)]
    sizes = [sum(each.size for each in call) for call in parcels.calls(packed)]
    assert 2 == len(sizes)
    assert 28_000_000 >= max(sizes)
    monkeypatch.setattr(parcels, "MOST_BYTES", 28_000)
    assert {Settled()} == set(catalog.push(steps(*items[:3]), now=NOW).values())
    assert (3, 3) == (len(meta.items()), batches(meta))


def test_a_parcel_knows_its_size_in_a_form() -> None:
    """To the byte."""
    (parcel,) = [parcels.Parcel.pack(each) for each in _plans([item(title="Ærlig & ~god_1.0")])]
    assert len(quote_plus(parcel.text)) + 3 == parcel.size


def _plans(items: list[Record]) -> list[Any]:
    return [plan(each) for each in steps(*items)]


@pytest.mark.parametrize("fault", ["too large", "413"])
def test_what_is_too_large_is_halved(
    meta: Sandbox, catalog: MetaCatalogDestination, fault: str
) -> None:
    """Row 120: until it passes; one item alone that does not is parked."""
    meta.misbehave(fault, times=2)
    items = [item(number) for number in range(4)]
    assert {Settled()} == set(catalog.push(steps(*items), now=NOW).values())
    assert (4, 5) == (len(meta.items()), batches(meta))
    meta.misbehave(fault)
    (alone,) = catalog.push(steps(item(9)), now=NOW).values()
    assert isinstance(alone, Parked)
    assert "too_large" == alone.reason


@pytest.mark.parametrize("fault", ["error 100", "unknown error"])
def test_a_batch_that_is_refused_is_searched_for_the_bad_item(
    meta: Sandbox, catalog: MetaCatalogDestination, fault: str
) -> None:
    """Row 123: permanent for the one, and the others go."""
    items = [item(number) for number in range(8)]
    # The whole, then the half with the bad one, then the quarter, then the one.
    meta.misbehave(fault, times=4)
    outcomes = catalog.push(steps(*items), now=NOW)
    parked = [key for key, outcome in outcomes.items() if isinstance(outcome, Parked)]
    assert ["wool/0"] == parked
    assert 7 == len(meta.items())
    assert "refused by Meta" in repr(outcomes["wool/0"])


def test_a_search_that_finds_only_bad_ones_is_given_up(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """Not ten thousand calls for five thousand items: the lane stops, and a person is told."""
    meta.misbehave("error 100", times=9_999)
    with pytest.raises(LaneDown, match="every batch"):
        catalog.push(steps(*(item(number) for number in range(5_000))), now=NOW)
    assert 40 == batches(meta)


def test_each_item_has_its_own_verdict(meta: Sandbox, catalog: MetaCatalogDestination) -> None:
    """Rows 106 and 107: refused with Meta's words, while the others are taken."""
    meta.refuse("wool_2", 'Invalid value: "price" is too high')
    outcomes = catalog.push(steps(*(item(number) for number in range(4))), now=NOW)
    refused = outcomes.pop("wool/2")
    assert isinstance(refused, Parked)
    assert 'refused by Meta: Invalid value: "price" is too high' == refused.reason
    assert {Settled()} == set(outcomes.values())
    assert {"wool_0", "wool_1", "wool_3"} == meta.items().keys()


def test_faults_listed_as_warnings_are_faults(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """Meta has counted errors and listed them elsewhere."""
    meta.catalog.only_warns = True
    meta.refuse("wool_1", "no")
    (outcome,) = catalog.push(steps(item(1)), now=NOW).values()
    assert isinstance(outcome, Parked)


def test_warnings_alone_are_no_fault(meta: Sandbox, catalog: MetaCatalogDestination) -> None:
    """What is counted as no error is taken."""
    body = {
        "data": [
            {
                "status": "finished",
                "errors_total_count": 0,
                "errors": [],
                "warnings": [{"id": "wool_1", "message": "Image is small"}],
                "ids_of_invalid_requests": [],
            }
        ]
    }
    _answer(meta, "GET /catalog/check_batch_request_status", body)
    assert {"wool/1": Settled()} == catalog.push(steps(item(1)), now=NOW)


@pytest.mark.parametrize(
    "row",
    [
        {"status": "finished", "errors_total_count": 3, "errors": []},
        {"status": "finished", "errors_total_count": 1, "errors": [{"message": "no id"}]},
        {
            "status": "finished",
            "errors_total_count": 1,
            "errors": [{"id": "somebody-else", "message": "no"}],
        },
        {"status": "error", "errors": []},
        {"status": "canceled"},
    ],
    ids=["counted", "without id", "of another", "error", "canceled"],
)
def test_a_verdict_about_nobody_is_no_yes(
    meta: Sandbox, catalog: MetaCatalogDestination, row: dict[str, Any]
) -> None:
    """It may be there or not: sent again until it is known."""
    _answer(meta, "GET /catalog/check_batch_request_status", {"data": [row]})
    (outcome,) = catalog.push(steps(item(1)), now=NOW).values()
    assert isinstance(outcome, Postponed)
    assert outcome.sent
    assert {"wool/1": Settled()} == catalog.push([step(None, item(1))], now=NOW)
    assert 2 == batches(meta)


def test_an_answer_about_another_batch_is_no_answer(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """Row 127."""
    body = {"data": [{"handle": "another", "status": "finished", "errors_total_count": 0}]}
    _answer(meta, "GET /catalog/check_batch_request_status", body, times=len(push.LOOKS))
    assert {"wool/1": UNFINISHED} == catalog.push(steps(item(1)), now=NOW)


def test_no_handle_means_that_nothing_was_taken(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """Without a reason: later; with one for some, the others are sent at once without them."""
    meta.misbehave("no handle")
    (outcome,) = catalog.push(steps(item(1)), now=NOW).values()
    assert (Postponed, False) == (type(outcome), getattr(outcome, "sent", None))
    said = {
        "handles": [],
        "validation_status": [{"retailer_id": "wool_2", "errors": [{"message": "no link"}]}],
    }
    _answer(meta, "POST /catalog/items_batch", said)
    outcomes = catalog.push(steps(item(1), item(2), item(3)), now=NOW)
    refused = outcomes.pop("wool/2")
    assert isinstance(refused, Parked)
    assert "refused by Meta: no link" == refused.reason
    assert {Settled()} == set(outcomes.values())
    assert {"wool_1", "wool_3"} == meta.items().keys()


def _answer(meta: Sandbox, endpoint: str, body: Any, times: int = 1) -> None:
    fault = Fault(status=200, kind="application/json", body=msgspec.json.encode(body))
    meta.misbehave(fault, endpoint=endpoint, times=times)


def test_looks_grow_longer(meta: Sandbox) -> None:
    """A batch is asked about a few times within the push, at growing distances."""
    slept: list[float] = []
    catalog = MetaCatalogDestination(
        "catalog", meta.catalog_id, meta.access_token, base_url=meta.url, sleep=slept.append
    )
    meta.take_time(3)
    assert {"wool/1": Settled()} == catalog.push(steps(item(1)), now=NOW)
    assert (list(push.LOOKS[:3]), 3) == (slept, looks(meta))


def test_an_unfinished_batch_is_asked_about_again_and_not_sent_again(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """At the next push of the same records, its verdict is theirs."""
    meta.take_time(99)
    meta.refuse("wool_2", "no")
    new = [item(1), item(2)]
    assert {"wool/1": UNFINISHED, "wool/2": UNFINISHED} == catalog.push(steps(*new), now=NOW)
    later = NOW + timedelta(minutes=5)
    again = steps(*new)
    assert {UNFINISHED} == set(catalog.push(again, now=later).values())
    meta.finish()
    outcomes = catalog.push(again, now=later)
    assert (Settled, Parked) == (type(outcomes["wool/1"]), type(outcomes["wool/2"]))
    assert 1 == batches(meta)


def test_a_verdict_that_nobody_fetched_is_kept(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """One record of a batch comes before the other: the batch is asked about once."""
    meta.take_time(99)
    catalog.push(steps(item(1), item(2)), now=NOW)
    meta.finish()
    assert {"wool/1": Settled()} == catalog.push([step(None, item(1))], now=NOW)
    asked = looks(meta)
    assert {"wool/2": Settled()} == catalog.push([step(None, item(2))], now=NOW)
    assert (asked, 1) == (looks(meta), batches(meta))


def test_a_batch_that_never_finishes_is_sent_again_after_an_hour(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """Row 108: not before; and then it does no harm."""
    meta.take_time(10_000)
    catalog.push(steps(item(1)), now=NOW)
    again = [step(None, item(1))]
    assert {UNFINISHED} == set(catalog.push(again, now=NOW + timedelta(minutes=59)).values())
    assert 1 == batches(meta)
    meta.take_time(0)
    assert {"wool/1": Settled()} == catalog.push(again, now=NOW + timedelta(minutes=60))
    assert (2, 1) == (batches(meta), len(meta.items()))


def test_a_clock_set_back_does_not_make_it_wait_for_ever(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """What was sent in the future is sent again."""
    meta.take_time(10_000)
    catalog.push(steps(item(1)), now=NOW)
    meta.take_time(0)
    back = catalog.push([step(None, item(1))], now=NOW - timedelta(days=1))
    assert {"wool/1": Settled()} == back


def test_nothing_newer_overtakes_what_meta_still_works_on(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """Two changes of one item at once may end either way: the second waits for the first."""
    meta.take_time(99)
    old, new = item(1), item(1, price=5_000)
    catalog.push(steps(old), now=NOW)
    (outcome,) = catalog.push([step(old, new)], now=NOW).values()
    assert isinstance(outcome, Postponed)
    assert not outcome.sent
    assert 1 == batches(meta)
    meta.finish()
    meta.take_time(0)
    assert {"wool/1": Settled()} == catalog.push([step(old, new)], now=NOW)
    assert "50.00 NOK" == meta.items()["wool_1"]["price"]


def test_what_was_made_and_is_not_wanted_any_more_is_deleted(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """The shop deleted it while Meta was still making it."""
    meta.take_time(99)
    catalog.push(steps(item(1)), now=NOW)
    catalog.push([step(item(1), None)], now=NOW)
    meta.finish()
    meta.take_time(0)
    assert {"wool/1": Settled()} == catalog.push([step(item(1), None)], now=NOW)
    assert {} == meta.items()


def test_a_new_process_sends_again(
    meta: Sandbox, connect: Callable[..., MetaCatalogDestination]
) -> None:
    """Handles are forgotten with it; the same item twice is one item."""
    meta.take_time(99)
    connect().push(steps(item(1)), now=NOW)
    meta.finish()
    meta.take_time(0)
    assert {"wool/1": Settled()} == connect().push([step(None, item(1))], now=NOW)
    assert (2, 1) == (batches(meta), len(meta.items()))


def test_a_handle_that_meta_forgot_is_sent_again(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """It answers that it knows no such batch."""
    meta.take_time(99)
    catalog.push(steps(item(1)), now=NOW)
    meta.catalog.batches.clear()
    meta.take_time(0)
    assert {"wool/1": Settled()} == catalog.push([step(None, item(1))], now=NOW)


def test_trouble_half_way_keeps_what_was_taken(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """The first call's items have their verdicts, the second's wait as long as was asked for."""
    meta.misbehave("too large")  # the whole; its first half goes, its second meets a busy Meta
    meta.misbehave(Fault(), endpoint="POST /catalog/items_batch")
    meta.misbehave("busy for 3 minutes", endpoint="POST /catalog/items_batch")
    items = [item(number) for number in range(4)]
    outcomes = catalog.push(steps(*items), now=NOW)
    kinds = [type(outcomes[f"wool/{number}"]) for number in range(4)]
    assert [Settled, Settled, Postponed, Postponed] == kinds
    late: Outcome = outcomes["wool/3"]
    assert isinstance(late, Postponed)
    assert (180.0, False) == (late.retry_after, late.sent)
    assert {Settled()} == set(catalog.push(steps(*items), now=NOW).values())


def test_one_id_is_never_twice_in_a_call(meta: Sandbox, catalog: MetaCatalogDestination) -> None:
    """The second of two items with one id is parked; an id that changes hands is not deleted."""
    outcomes = catalog.push(steps(item(1), item(2, id="wool_1"), item(3)), now=NOW)
    assert [Settled, Parked, Settled] == [type(outcome) for outcome in outcomes.values()]
    assert "duplicate_id" in repr(outcomes["wool/2"])
    swapped = [step(item(1), item(1, id="new")), step(None, item(2, id="wool_1", title="Two"))]
    assert {Settled()} == set(catalog.push(swapped, now=NOW).values())
    assert {"new": "Thing 1", "wool_1": "Two", "wool_3": "Thing 3"} == {
        item_id: held["title"] for item_id, held in meta.items().items()
    }


def test_only_our_own_items_are_deleted(meta: Sandbox, catalog: MetaCatalogDestination) -> None:
    """What we never held is not ours, whatever its id."""
    meta.put("wool_1", title="By hand")
    never_ours = Change(key="wool/1", before=None, after=None)
    outcomes = catalog.push([never_ours, step(item(2), None)], now=NOW)
    assert {Settled()} == set(outcomes.values())
    assert {"wool_1"} == meta.items().keys()


def test_what_did_not_change_is_not_sent(meta: Sandbox, catalog: MetaCatalogDestination) -> None:
    """No call at all."""
    assert {"wool/1": Settled()} == catalog.push([step(item(1), item(1))], now=NOW)
    assert 0 == meta.calls.total()


def test_a_torn_answer_after_the_work_is_done_once(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """The items are sent again, and are there once."""
    meta.misbehave("torn after", endpoint="POST /catalog/items_batch")
    with pytest.raises(TryLater):
        catalog.push(steps(item(1)), now=NOW)
    assert {"wool/1": Settled()} == catalog.push(steps(item(1)), now=NOW)
    assert 1 == len(meta.items())
