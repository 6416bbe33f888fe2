"""Purchases on their way: how they are written, and that no bad one spoils the others."""

from __future__ import annotations

import hashlib
import json
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from adapters.meta_conversions.destination import MetaConversionsDestination
from adapters.meta_conversions.sandbox import Sandbox
from adapters.meta_conversions.sandbox_rules import events_in, faults
from adapters.town.faults import Fault
from adapters.town.graph import FAULTS
from connector.errors import ConfigurationFault, LaneDown, TryLater
from connector.match_keys import of_person
from connector.model import Change, Outcome, Parked, Postponed, Settled
from connector.moments import to_text
from connector.ports import CheckableDestination, Grade, Introducing, Shape
from connector.store.flights import either
from tests.adapters.meta_conversions.orders import NOW, order, steps

EVENTS = "POST /pixel/events"
PAGE = "https://wool.example/genser?utm_source=ad&fbclid=IwAR2F4-dbP0l7Mn1Iaw_QQG"


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def told(meta: Sandbox) -> list[dict[str, Any]]:
    """The events of the last call as they were sent."""
    events: list[dict[str, Any]] = json.loads(meta.bodies[-1][1]["data"])
    return events


def test_a_whole_event(meta: Sandbox, sales: MetaConversionsDestination) -> None:
    """Everything that is known, hashed as Meta wants it; the browser's event has the same id."""
    sales.push(steps(order(7, {"phone": "+4791234567"})), now=NOW)
    (event,) = told(meta)
    assert {
        "event_name": "Purchase",
        "event_time": int((NOW - timedelta(hours=1)).timestamp()),
        "event_id": "7",
        "action_source": "system_generated",
        "user_data": {
            "em": [sha("p7@shop.example")],
            "ph": [sha("4791234567")],
            "fn": [sha("kari")],
            "ln": [sha("nordmann")],
            "country": [sha("no")],
        },
        "custom_data": {
            "value": 199.9,
            "currency": "NOK",
            "order_id": "7",
            "content_type": "product",
            "content_ids": ["wool_11"],
            "contents": [{"id": "wool_11", "quantity": 2, "item_price": 99.95}],
            "num_items": 2,
        },
    } == event
    assert {"data"} == meta.bodies[-1][1].keys()
    assert '"value":199.90,' in meta.bodies[-1][1]["data"]


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ({}, "system_generated"),
        ({"landing_url": PAGE}, "system_generated"),
        ({"client_user_agent": "Mozilla/5.0"}, "system_generated"),
        ({"landing_url": "/genser", "client_user_agent": "Mozilla/5.0"}, "system_generated"),
        ({"landing_url": PAGE, "client_user_agent": "Mozilla/5.0"}, "website"),
    ],
)
def test_where_it_was_bought(
    meta: Sandbox, sales: MetaConversionsDestination, fields: dict[str, str], source: str
) -> None:
    """A website's event needs page and the buyer's own browser; else the shop's system tells it."""
    assert {"order/wool/1": Settled()} == sales.push(steps(order(**fields)), now=NOW)
    (event,) = told(meta)
    assert source == event["action_source"]
    on_page = source == "website"
    assert on_page == ("event_source_url" in event) == ("client_user_agent" in event["user_data"])


def test_the_click_that_led_to_the_shop(meta: Sandbox, sales: MetaConversionsDestination) -> None:
    """Meta's own id of the click stands in the landing page's address; nonsense is no click."""
    for page in (PAGE, "https://wool.example/?fbclid=a%20b", "https://wool.example/"):
        sales.push(steps(order(landing_url=page)), now=NOW)
    clicks = [json.loads(form["data"])[0]["user_data"].get("fbc") for _, form in meta.bodies]
    at = int((NOW - timedelta(hours=1)).timestamp()) * 1000
    assert [f"fb.1.{at}.IwAR2F4-dbP0l7Mn1Iaw_QQG", None, None] == clicks


@pytest.mark.parametrize(
    ("pattern", "lines", "expected"),
    [
        ("{shop}_{variant_id}", [("9", "11")], ["wool_11"]),
        ("{shop}_{variant_id}", [("9", None)], ["wool_9"]),
        ("{shop}_{variant_id}", [("9", "11"), ("9", "11"), ("8", "12")], ["wool_11", "wool_12"]),
        ("{sku}-{product_id}-{variant_id}", [("9", "11")], ["S-9-11"]),
        ("{shop}_{variant_id}", [(None, None), ("9", "11")], ["wool_11"]),
        ("{shop}_{variant_id}", [(None, None)], None),
    ],
)
def test_items_have_the_catalogs_ids(
    meta: Sandbox,
    sales: MetaConversionsDestination,
    pattern: str,
    lines: list[tuple[str | None, str | None]],
    expected: list[str] | None,
) -> None:
    """As the mapping makes them; a fee or a thing that is gone from the shop is no item."""
    sales.prepare(Shape(fields={}, item_id=pattern))
    sold = [
        {"product_id": product, "variant_id": variant, "sku": "S", "quantity": 1, "price": "1.00"}
        for product, variant in lines
    ]
    sales.push(steps(order(lines=sold)), now=NOW)
    (event,) = told(meta)
    assert expected == event["custom_data"].get("content_ids")
    assert (expected is None) == ("content_type" not in event["custom_data"])


def test_a_thousand_a_call(meta: Sandbox, sales: MetaConversionsDestination) -> None:
    """2,500 orders in 3 calls."""
    outcomes = sales.push(steps(*(order(number) for number in range(1, 2_501))), now=NOW)
    assert {Settled()} == set(outcomes.values())
    assert (3, 2_500) == (meta.calls[EVENTS], len(meta.purchases()))
    assert 1_000 == sales.batch_size


# --- What cannot go -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "customer", "reason"),
    [
        ({"total": "much"}, {}, "no_value"),
        ({"total": None}, {}, "no_value"),
        ({"total": "-1.00"}, {}, "no_value"),
        ({"total": "NaN"}, {}, "no_value"),
        ({"currency": "kr"}, {}, "no_currency"),
        ({"currency": None}, {}, "no_currency"),
        ({"id": ""}, {}, "no_id"),
        ({"placed_at": "yesterday"}, {}, "no_time"),
        ({"placed_at": to_text(NOW + timedelta(minutes=2))}, {}, "in_the_future"),
        ({}, {"email": None, "first_name": "", "last_name": ""}, "no_identifier"),
        ({}, {"email": None, "first_name": "", "last_name": "", "country": None}, "no_identifier"),
    ],
)
def test_what_meta_would_refuse_is_parked_with_its_mend(
    meta: Sandbox,
    sales: MetaConversionsDestination,
    fields: dict[str, Any],
    customer: dict[str, Any],
    reason: str,
) -> None:
    """Before it is sent; the good one beside it goes."""
    outcomes = sales.push(steps(order(1, customer, **fields), order(2)), now=NOW)
    bad = outcomes["order/wool/1"]
    assert isinstance(bad, Parked)
    assert (reason, True) == (bad.reason, bool(bad.mend))
    assert ["2"] == list(meta.purchases())
    assert 1 == meta.calls[EVENTS]


@pytest.mark.parametrize(
    ("few", "expected"),
    [
        (("country",), Parked),
        (("city", "postcode", "country"), Parked),
        (("first_name",), Parked),
        (("last_name",), Parked),
        (("first_name", "last_name"), Settled),
        (("first_name", "country"), Settled),
        (("phone",), Settled),
    ],
)
def test_enough_to_find_a_buyer(
    meta: Sandbox,
    sales: MetaConversionsDestination,
    few: tuple[str, ...],
    expected: type[Outcome],
) -> None:
    """Meta's rule of sets that are too little, held against the stand-in's."""
    whole = {
        "phone": "+4791234567",
        "first_name": "Kari",
        "last_name": "Nordmann",
        "country": "NO",
        "city": "Oslo",
        "postcode": "0150",
    }
    bare = dict.fromkeys(("email", *whole)) | {name: whole[name] for name in few}
    (outcome,) = sales.push(steps(order(1, bare)), now=NOW).values()
    assert expected is type(outcome)
    assert (expected is Settled) == bool(meta.purchases())


def test_one_minute_ahead_is_taken(meta: Sandbox, sales: MetaConversionsDestination) -> None:
    """Clocks differ a little."""
    ahead = order(placed_at=to_text(NOW + timedelta(seconds=50)))
    assert {"order/wool/1": Settled()} == sales.push(steps(ahead), now=NOW)
    assert ["1"] == list(meta.purchases())


def test_a_bad_event_is_found_among_a_thousand(
    meta: Sandbox, sales: MetaConversionsDestination
) -> None:
    """Meta refuses the whole call and does not say which: halves of it, until it is alone."""
    meta.dislike("777")
    outcomes = sales.push(steps(*(order(number) for number in range(1, 1_001))), now=NOW)
    parked = {key for key, outcome in outcomes.items() if isinstance(outcome, Parked)}
    assert {"order/wool/777"} == parked
    assert 999 == sum(outcome == Settled() for outcome in outcomes.values())
    assert 999 == len(meta.purchases()) == meta.pixel.told
    assert meta.calls[EVENTS] <= 21


def test_fewer_received_than_sent_are_told_again(
    meta: Sandbox, sales: MetaConversionsDestination
) -> None:
    """To Meta an event that is told twice is one."""
    meta.receive(1)
    outcomes = sales.push(steps(order(1), order(2)), now=NOW)
    assert [Postponed, Postponed] == [type(each) for each in outcomes.values()]
    meta.receive(None)
    assert {Settled()} == set(sales.push(steps(order(1), order(2)), now=NOW).values())
    assert (2, 4) == (len(meta.purchases()), meta.pixel.told)


def test_a_lost_answer_is_one_event_in_the_end(
    meta: Sandbox, sales: MetaConversionsDestination
) -> None:
    """It is told again under the same id."""
    meta.misbehave("torn after", endpoint=EVENTS)
    with pytest.raises(TryLater):
        sales.push(steps(order()), now=NOW)
    sales.push(steps(order()), now=NOW)
    assert (1, 2) == (len(meta.purchases()), meta.pixel.told)


def test_what_was_told_before_a_lost_answer_stays_told(
    meta: Sandbox, sales: MetaConversionsDestination
) -> None:
    """Of a purchase told for certain a later change tells nothing; of one in doubt, once more."""
    paid, refunded = order(1), order(1, counts=False, status="refunded")
    waiting = order(1, counts=False, status="pending")
    told_before = [(paid, refunded, 0), (None, paid, 1), (waiting, paid, 1)]
    for before, sent, calls in told_before:
        already = meta.calls[EVENTS]
        change = Change(key=paid.key, before=either(before, sent), after=paid)
        assert {paid.key: Settled()} == sales.push([change], now=NOW)
        assert calls == meta.calls[EVENTS] - already
    assert ["1"] == list(meta.purchases())


def test_a_trouble_midway_spares_who_was_told(
    meta: Sandbox, sales: MetaConversionsDestination
) -> None:
    """The first thousand are settled, the others wait as long as Meta says."""
    meta.misbehave(Fault(), endpoint=EVENTS)  # the first call is answered as it should be
    meta.misbehave("busy for 3 minutes", endpoint=EVENTS)
    outcomes = sales.push(steps(*(order(number) for number in range(1, 1_002))), now=NOW)
    assert 1_000 == sum(outcome == Settled() for outcome in outcomes.values())
    late = outcomes["order/wool/1001"]
    assert isinstance(late, Postponed)
    assert 180.0 == late.retry_after


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - {"drip", "no handle"}))
def test_whatever_happens_it_is_told_once(
    meta: Sandbox, sales: MetaConversionsDestination, fault: str
) -> None:
    """Rows 105, 110, 115, 121 to 126: told again, or a person is asked; it is one in the end.

    The token and the buyer stand in no error and no address.
    """
    meta.misbehave(fault, endpoint=EVENTS)
    try:
        said = repr(sales.push(steps(order()), now=NOW))
    except (TryLater, LaneDown) as problem:
        said = "".join(traceback.format_exception(problem)) + getattr(problem, "mend", "")
    assert not any(word in said for word in (meta.access_token, "EAAB", "p1@", sha("kari")))
    assert not any("access_token" in address for address in meta.seen)
    assert {"order/wool/1": Settled()} == sales.push(steps(order()), now=NOW)
    assert ["1"] == list(meta.purchases())


# --- The pixel ------------------------------------------------------------------------------------


def test_it_says_which_pixel_it_is(meta: Sandbox, sales: MetaConversionsDestination) -> None:
    """By Meta's own word; one that is gone stops the lane."""
    assert meta.pixel_id == sales.introduce().account
    assert isinstance(sales, Introducing)
    assert isinstance(sales, CheckableDestination)
    other = MetaConversionsDestination("sales", "7", meta.access_token, base_url=meta.url)
    with pytest.raises(LaneDown, match="no such pixel"):
        other.prepare(Shape(fields={}))


@pytest.mark.parametrize(
    ("fault", "grades"),
    [("500", [Grade.WARNING]), ("error 190", [Grade.ALARM]), ("error 100", [Grade.WARNING])],
)
def test_an_examination_never_raises_and_tells_of_nothing(
    meta: Sandbox, sales: MetaConversionsDestination, fault: str, grades: list[Grade]
) -> None:
    """No test event either: Meta counts those as well."""
    meta.misbehave(fault)
    assert grades == [each.grade for each in sales.check_up(Shape(fields={}), now=NOW)]
    assert Grade.FINE == sales.check_up(Shape(fields={}), now=datetime.now(UTC))[0].grade
    assert 0 == meta.calls[EVENTS]


@pytest.mark.parametrize(
    ("pixel_id", "token", "word"),
    [("pixel", "EAAx", "pixel_id"), ("", "EAAx", "pixel_id"), ("1", "EAA secret", "access token")],
)
def test_settings_that_cannot_be_right(pixel_id: str, token: str, word: str) -> None:
    """Are told before anything is sent, and a token is never repeated."""
    with pytest.raises(ConfigurationFault, match=word) as caught:
        MetaConversionsDestination("sales", pixel_id, token)
    assert "secret" not in str(caught.value)


# --- The stand-in ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"event_time": 1_000_000_000},
        {"event_time": int(NOW.timestamp()) + 90},
        {"event_time": str(int(NOW.timestamp()))},
        {"event_name": ""},
        {"action_source": "shop"},
        {"action_source": "website"},
        {"user_data": {}},
        {"user_data": {"em": ["p1@shop.example"]}},
        {"user_data": {"em": [hashlib.sha256(b"").hexdigest()]}},
        {"user_data": {"country": [sha("no")]}},
        {"user_data": {"email": [sha("p1@shop.example")]}},
        {"custom_data": {"value": "199.90", "currency": "NOK"}},
        {"custom_data": {"value": 1}},
        {"test_event_code": "T1"},
    ],
)
def test_the_stand_in_refuses(change: dict[str, Any]) -> None:
    """What Meta refuses, and more: clear text, the digest of nothing, an amount as text."""
    good = {
        "event_name": "Purchase",
        "event_time": int(NOW.timestamp()),
        "action_source": "system_generated",
        "user_data": {"em": [sha("p1@shop.example")]},
        "custom_data": {"value": 1, "currency": "NOK"},
    }
    assert [] == list(faults(good, NOW))
    assert [] != list(faults({**good, **change}, NOW))


def test_the_stand_in_takes_a_thousand_at_most() -> None:
    """And no test events."""
    assert isinstance(events_in({"data": json.dumps([{}] * 1_001)}), str)
    assert isinstance(events_in({"data": "[]"}), str)
    assert isinstance(events_in({"data": "[{}]", "test_event_code": "T"}), str)
    assert [{}] == events_in({"data": "[{}]"})


# --- Held against the platform's own description, and another program's cases ---------------------


@pytest.mark.corpus
def test_events_are_valid_by_the_schema(
    corpus: Path, meta: Sandbox, connect: Callable[..., MetaConversionsDestination]
) -> None:
    """From the website and from the system, with and without items."""
    schema = json.loads((corpus / "specs/meta/schemas/capi_events.request.schema.json").read_text())
    orders = (
        order(1),
        order(2, landing_url=PAGE, client_user_agent="Mozilla/5.0"),
        order(3, {"phone": "+4791234567"}, lines=[]),
    )
    connect().push(steps(*orders), now=NOW)
    jsonschema.Draft202012Validator(schema).validate({"data": told(meta)})


@pytest.mark.corpus
def test_another_programs_cases(corpus: Path) -> None:
    """Its hashes of one person are ours; so is the rule about the age of an event."""
    name = "rudder-capi-facebook-conversions-cases.json"
    cases = json.loads((corpus / "fixtures" / "meta" / name).read_bytes())
    compared = 0
    for case in cases:
        traits = case["input"]["message"].get("context", {}).get("traits", {})
        sent = case["output"].get("body", {}).get("FORM", {}).get("data", ())
        postcode = str(traits.get("address", {}).get("zip", ""))
        ours = of_person({"email": traits.get("email"), "postcode": postcode})
        for event in map(json.loads, sent):
            assert (ours["email"], ours["postcode"]) == (
                event["user_data"]["em"],
                event["user_data"]["zp"],
            )
            compared += 1
    assert 10 == len(sent_of(cases)) == compared
    assert "within seven days" in cases[0]["output"]["error"]


def sent_of(cases: list[Any]) -> list[str]:
    """The events that the cases send, as text."""
    return [
        event
        for case in cases
        for event in case["output"].get("body", {}).get("FORM", {}).get("data", ())
    ]
