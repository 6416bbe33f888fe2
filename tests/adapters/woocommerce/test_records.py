"""Pages taken apart: as strict as a webhook, and one bad record is one bad record."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.woocommerce.records import (
    FIELDS,
    OddPageError,
    _is_sound,
    records_in,
    understood,
)
from connector.model import (
    Customer,
    Deleted,
    Ignored,
    Kind,
    Order,
    Product,
    Quarantined,
    Understanding,
    Understood,
    Variant,
    Version,
)
from connector.ports import Recalled
from connector.shop_fields import Slip
from connector.strict_json import Sound, examine

Build = Callable[..., dict[str, Any]]
Read = Callable[[str, Any], Understanding]
ARRIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def recall(kind: Kind, page: bytes) -> list[Recalled]:
    """What a page of one kind means."""
    return understood(
        kind,
        records_in(page),
        lambda tie: Slip(shop="wool", currency="NOK", received_at=ARRIVED, tie=tie),
    )


def _but_tie(understanding: Understanding) -> Understanding:
    if not isinstance(understanding, Understood):
        return understanding
    return replace(understanding, facts=tuple(_untied(fact) for fact in understanding.facts))


def _untied(fact: Any) -> Any:
    changed: dict[str, Any] = {}
    for each in fields(fact):
        value = getattr(fact, each.name)
        if isinstance(value, Version):
            changed[each.name] = Version(at=value.at)
        elif isinstance(value, tuple) and value and is_dataclass(value[0]):
            changed[each.name] = tuple(
                _untied(part) if hasattr(part, "version") else part for part in value
            )
    return replace(fact, **changed)


def _page(*things: Any) -> bytes:
    bodies = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in things]
    return (
        b"[" + b",".join(body.replace(b": ", b":").replace(b", ", b",") for body in bodies) + b"]"
    )


def test_equal_to_what_webhooks_tell(
    understand: Read, order: Build, customer: Build, product: Build
) -> None:
    """Each kind in each of its states means the same in a list as in a webhook, but for the tie."""
    things: list[tuple[Kind, dict[str, Any]]] = [
        (Kind.ORDER, order()),
        (Kind.ORDER, order(status="trash")),
        (Kind.ORDER, order(status="checkout-draft")),
        (Kind.ORDER, order(refunds=[{"id": 3, "reason": "small", "total": "-10.00"}])),
        (Kind.ORDER, order(total="19,99")),
        (Kind.ORDER, order(currency="kr")),
        (Kind.ORDER, order(line_items=[{"id": 1, "quantity": 1.5, "total": 3}])),
        (Kind.CUSTOMER, customer()),
        (Kind.CUSTOMER, customer(role="editor")),
        (Kind.CUSTOMER, customer(role="subscriber", email="nobody")),
        (Kind.PRODUCT, product()),
        (Kind.PRODUCT, product(type="variable")),
        (Kind.PRODUCT, product(status="trash")),
        (Kind.PRODUCT, product(type="variable", variations=[12])),
        (Kind.PRODUCT, product(price=13.99)),
    ]
    for kind, thing in things:
        (found,) = recall(kind, _page(thing))
        expected = understand(f"{kind}.updated", thing)
        assert _but_tie(expected) == _but_tie(found.understanding)
        assert str(thing["id"]) == found.id


BAD = {
    "not a list": b'{"id":44,"line_items":{}}',
    "duplicate key": b'{"id":44,"status":"processing","status":"completed"}',
    "twice far down": b'{"id":44,"meta_data":[{"key":"a","key":"b"}]}',
    "escaped colon": b'{"id":44,"a":"\\u0022:","b":1,"b":2}',
    "NaN": b'{"id":44,"total":NaN}',
    "1e999": b'{"id":44,"total":1e999}',
    "many digits": b'{"id":44,"total":' + b"7" * 500 + b"}",
    "very many digits": b'{"id":44,"total":' + b"7" * 5000 + b"}",
    "not UTF-8": b'{"id":44,"number":"\xff\xfe"}',
    "half a character": b'{"id":44,"number":"\\ud800"}',
    "deep": b'{"id":44,"meta_data":' + b"[" * 70 + b"]" * 70 + b"}",
    "no id": b'{"status":"processing"}',
    "id 0": b'{"id":0,"status":"processing"}',
    "null": b"null",
    "text": b'"order"',
    "a list": b"[1,2]",
    "an error": b'{"code":"woocommerce_rest_cannot_view","message":"","data":{"status":403}}',
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("place", [0, 5, 11])
def test_a_bad_record_among_good_ones(order: Build, bad: bytes, place: int) -> None:
    """It is kept as it came with the reason; all the others are read."""
    good: list[Any] = [order(id=number) for number in range(100, 111)]
    found = recall(Kind.ORDER, _page(*good[:place], bad, *good[place:]))
    assert 12 == len(found)
    (odd,) = [each for each in found if isinstance(each.understanding, Quarantined)]
    assert odd is found[place]
    assert bad == odd.body
    assert isinstance(odd.understanding, Quarantined)
    assert odd.understanding.mend
    others = [each for each in found if each is not odd]
    assert [str(number) for number in range(100, 111)] == [each.id for each in others]
    assert all(isinstance(each.understanding, Understood) for each in others)
    assert {b""} == {each.body for each in others}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_bad_for_the_same_reason_as_in_a_webhook(
    order: Build, understand: Read, bad: bytes
) -> None:
    """A record in a list is refused for what a webhook would be refused for."""
    (_, odd) = recall(Kind.ORDER, _page(order(), bad))
    expected = understand("order.updated", bad)
    assert isinstance(expected, Quarantined)
    assert expected == odd.understanding


SPOILT = {
    "duplicate_key": b',"meta_data":[]}',
    "duplicate_key in what is not read": b',"x":{"a":1,"a":1}}',
    "duplicate_key beside an escaped quote": b',"x":"\\u0022:","y":1,"y":2}',
    "duplicate_key beside an escaped colon": b',"x":"\\"\\u003a","y":1,"y":2}',
    "duplicate_key with a blank": b',"y" :1,"y":2}',
    "duplicate_key on lines": b',"y"\n:1,"y":2}',
    "depth": b',"x":' + b"[" * 64 + b"]" * 64 + b"}",
    "depth of objects": b',"x":' + b'{"x":' * 64 + b"1" + b"}" * 64 + b"}",
    "number of digits": b',"x":' + b"7" * 420 + b"}",
    "number with a point": b',"x":' + b"7" * 210 + b"." + b"7" * 210 + b"}",
    "number beyond all measure": b',"x":1e999}',
    "encoding": b',"x":"\xff"}',
}


@pytest.mark.parametrize("end", SPOILT.values(), ids=SPOILT.keys())
@pytest.mark.parametrize("kind", [Kind.ORDER, Kind.CUSTOMER, Kind.PRODUCT])
def test_a_whole_record_that_is_spoilt(
    request: pytest.FixtureRequest, kind: Kind, end: bytes, understand: Read
) -> None:
    """One that could be read but for its form is refused as a webhook would be; its peers stay."""
    build: Build = request.getfixturevalue(kind.value)
    spoilt = json.dumps(build(id=44), separators=(",", ":")).encode()[:-1] + end
    found = recall(kind, _page(build(id=43), spoilt, build(id=45)))
    expected = understand(f"{kind}.updated", spoilt)
    assert isinstance(expected, Quarantined)
    assert expected == found[1].understanding
    assert spoilt == found[1].body
    assert all(isinstance(each.understanding, Understood) for each in (found[0], found[2]))
    assert ["43", "44", "45"] == [each.id for each in found]


def test_what_is_forgiven(order: Build) -> None:
    """A byte order mark and NUL characters are taken away, as in a webhook."""
    page = b"\xef\xbb\xbf" + _page(order(number="4\x001"))
    (found,) = recall(Kind.ORDER, page)
    assert isinstance(found.understanding, Understood)
    assert "nul_removed" in found.understanding.flags
    assert "41" == found.understanding.facts[0].number  # type: ignore[union-attr]


def test_quotes_and_brackets_in_text_are_text(order: Build) -> None:
    """Text that looks like structure neither counts as keys nor as depth."""
    awkward = '"a":{"b":"\\": }{][' + "[" * 200 + '","x":'
    thing = order(number=awkward, meta_data=[{"key": awkward, "value": awkward}])
    page = json.dumps([thing], separators=(",", ":")).encode()
    assert _is_sound(page)
    (found,) = recall(Kind.ORDER, page)
    assert isinstance(found.understanding, Understood)
    assert awkward == found.understanding.facts[0].number  # type: ignore[union-attr]


@pytest.mark.parametrize("depth", [62, 63, 64, 65, 66, 130])
@pytest.mark.parametrize("pair", [("[", "]"), ('{"a":', "}")])
def test_how_deep(depth: int, pair: tuple[str, str]) -> None:
    """What is called sound together is sound by itself, up to the very level."""
    begin, end = pair
    inner = begin * (depth - 1) + "1" + end * (depth - 1)
    body = f'{{"a":{inner}}}'.encode()
    assert isinstance(examine(body), Sound) is (depth <= 64)
    if _is_sound(b"[" + body + b"]"):
        assert depth <= 64
    if depth < 60:
        assert _is_sound(b"[" + body + b"]")


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (b"", "no list"),
        (b"<html>", "no list"),
        (b'{"success":true}', "no list"),
        (b'"x"', "no list"),
        (b'[{"id":1},{"id":', "no JSON"),
        (b'[{"id":1}', "in the middle"),
        (b'[{"name":"x"},{"name":"y"}]', "no ids"),
    ],
)
def test_no_page_at_all(page: bytes, why: str) -> None:
    """What is no list of things is not taken apart, and it is said why."""
    with pytest.raises(OddPageError, match=why):
        records_in(page)


def test_an_empty_page() -> None:
    """An empty list is a list."""
    assert [] == records_in(b"[]")
    assert [] == recall(Kind.ORDER, b"[]")


def test_only_what_is_read_is_asked_for() -> None:
    """The fields that are asked for are those of the shapes that are read."""
    assert "meta_data" in FIELDS[Kind.CUSTOMER].split(",")
    assert {"refunds", "line_items", "meta_data"} <= set(FIELDS[Kind.ORDER].split(","))
    assert "_links" not in FIELDS[Kind.ORDER]


# --- The real answers of a real shop ----------------------------------------------------------

# Lists as the shop answered them, and single things; - is why a thing is passed over.
ANSWERS = """
orders                     order     28 23 22 17 16
orders_modified_after_utc  order     16 17 22 23 28
orders_page1_of_n          order     28 23
orders_page_beyond         order
orders_status_trash        order
orders_status_any          order     28 23 22
orders_customer            order     28 16
orders_search_email        order     22
orders_dp4                 order     28
orders_fields              order     !topic_mismatch !topic_mismatch !topic_mismatch
order_checkout             order     22
order_guest_refunded       order     17
order_paid                 order     28
order_registered           order     16
order_post_empty_body_201  order     30
customers                  customer  2 7 5
customers_role_all         customer  -staff 2 7 5
customers_page2            customer  7
customers_by_email         customer  2
customer_one               customer  2
products                   product   24 10
products_status_trash      product   gone:11
product_simple             product   10
product_variable           product   gone:11
product_variable_live      product   24
variations                 product   26 25
"""
CASES = [line.split() for line in ANSWERS.strip().splitlines()]
OTHERS = (
    *("attributes", "categories", "coupons", "customer_delete_without_force"),
    *("customer_deleted_404", "customer_dup_email", "data_currency_current", "index"),
    *("no_route_404", "order_404", "order_bad_status_400", "order_notes", "order_refunds"),
    *("order_refunds_lines", "orders_after_bad_date", "orders_badkey_401", "orders_head"),
    *("orders_http_basic_401", "orders_noauth_401", "orders_options", "orders_page_0"),
    *("orders_per_page_101", "orders_wrongsecret_401", "payment_gateways", "product_404"),
    *("refunds_all", "reports_customers_totals", "reports_orders_totals", "settings_currency"),
    *("settings_general", "shipping_zones", "taxes", "webhooks", "wp_json_root"),
    "write_with_read_key",
)
"""What is no account, order or product."""


def _answers(corpus: Path) -> Path:
    return corpus / "fixtures" / "woocommerce-observed" / "rest"


def _said(understanding: Understanding) -> str:
    match understanding:
        case Understood(facts=(Deleted(id=gone), *_)):
            return f"gone:{gone}"
        case Understood(facts=(Order() | Customer() | Product() | Variant() as fact,)):
            return fact.id
        case Ignored(reason=reason):
            return f"-{reason.split()[0]}"
        case Quarantined(reason=reason):
            return f"!{reason}"
        case _:
            return str(understanding)


@pytest.mark.corpus
def test_every_answer_is_judged(corpus: Path) -> None:
    """No recorded answer is left out, and none is made up."""
    names = {path.stem for path in _answers(corpus).glob("*.body")}
    assert names == {case[0] for case in CASES} | set(OTHERS)


@pytest.mark.corpus
@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_recorded_answer(corpus: Path, understand: Read, case: list[str]) -> None:
    """A recorded answer says what the table says, and each thing what a webhook would."""
    name, kind, *expected = case
    body = (_answers(corpus) / f"{name}.body").read_bytes()
    page = body if body.startswith(b"[") else b"[" + body + b"]"
    found = recall(Kind(kind), page)
    assert expected == [_said(each.understanding) for each in found]
    things = json.loads(page)
    assert [str(thing["id"]) for thing in things] == [each.id for each in found]
    for thing, each in zip(things, found, strict=True):
        told = understand(f"{kind}.updated", thing)
        assert _but_tie(told) == _but_tie(each.understanding)


@pytest.mark.corpus
@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("kind", [Kind.ORDER, Kind.CUSTOMER, Kind.PRODUCT])
def test_other_answers_state_nothing(corpus: Path, name: str, kind: Kind) -> None:
    """Whatever else the shop answered is taken for no account, order or product."""
    body = (_answers(corpus) / f"{name}.body").read_bytes()
    try:
        found = recall(kind, body)
    except OddPageError:
        return
    assert all(isinstance(each.understanding, Quarantined | Ignored) for each in found)
