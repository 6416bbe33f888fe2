"""Reading a shop's fields and a person's attributes."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from connector.model import Customer, Json, Order, Profile, Version
from connector.ports import FieldType
from mappings import fields
from mappings.segments.attributes import ATTRIBUTES, FUNCTIONS

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
OSLO = ZoneInfo("Europe/Oslo")
ORDER = Order(
    shop="wool",
    id="22",
    version=Version(NOON),
    number="1022",
    status="completed",
    currency="JPY",
    total=1500,
    placed_at=NOON,
    first_name="Åse",
    countries=("NO", "SE"),
    meta={"_topic": "lace", "_wc_other/mycorp/opt.in": True, "": "none"},
)
CUSTOMER = Customer(
    shop="yarn",
    id="7",
    version=Version(NOON),
    email="a@example.org",
    tags=("vip", "knitter"),
    meta={"club.number": 12, "flag": "1"},
)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("order.meta_data._topic", "lace"),
        ("order.meta_data._wc_other/mycorp/opt.in", True),
        ("order.meta_data.none", None),
        ("order.number", "1022"),
        ("order.total", "1500"),
        ("order.country", "NO"),
        ("order.placed_at", "2026-01-31T12:00:00Z"),
        ("order.paid_at", None),
        ("order.lines", None),
        ("customer.first_name", None),
        ("shopify", None),
    ],
)
def test_an_order_is_read_by_path(path: str, value: Json) -> None:
    """A path gives what stands there; other facts' paths and unknown ones give nothing."""
    assert value == fields.read(path, ORDER)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("customer.metafields.club.number", 12),
        ("customer.meta_data.flag", "1"),
        ("customer.tags", "vip, knitter"),
        ("customer.email", "a@example.org"),
        ("customer.created_at", None),
        ("order.meta_data.flag", None),
    ],
)
def test_a_customer_is_read_by_path(path: str, value: Json) -> None:
    """A customer's own fields and metafields are read by the rest of the path."""
    assert value == fields.read(path, CUSTOMER)


def test_every_listed_path_is_known_and_readable() -> None:
    """The table of paths and the reader agree."""
    plain = [path for path in fields.PATHS if "KEY" not in path]

    assert [path for path in fields.PATHS if not fields.is_known(path)] == []
    assert len(plain) == 24
    for path in plain:
        fields.read(path, ORDER)
        fields.read(path, CUSTOMER)


@pytest.mark.parametrize(
    "path",
    ["", "order", "order.", "order.meta_data", "order.meta_data.", "product.title", "Shopify"],
)
def test_unknown_paths_are_unknown(path: str) -> None:
    """A path that names no field is none."""
    assert not fields.is_known(path)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (1, "1"),
        (1.0, "1"),
        (1.5, "1.5"),
        (" Yes ", "Yes"),
        ("", None),
        (" ", None),
        (None, None),
        ([], None),
        ({"a": 1}, None),
    ],
)
def test_values_have_one_spelling(value: Json, text: str | None) -> None:
    """A tick is the same tick as text, number or truth; lists and objects are none."""
    assert text == fields.text_of(value)


PROFILE = Profile(
    person="a@example.org",
    email="a@example.org",
    first_name="Åse",
    currency="EUR",
    number_of_orders=3,
    amount_spent=34044,
    last_order_at=datetime(2026, 1, 31, 23, 30, tzinfo=UTC),
    attributes={"topic": "lace"},
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("email", "a@example.org"),
        ("first_name", "Åse"),
        ("last_name", None),
        ("number_of_orders", 3),
        ("amount_spent", 340.44),
        ("last_order_date", "2026-02-01"),
        ("first_order_date", None),
        ("topic", "lace"),
        ("club", None),
    ],
)
def test_attributes_are_ready_for_json(name: str, value: Json) -> None:
    """Days are days in the shop's zone, amounts numbers in major units, unknown is None."""
    assert value == fields.attribute_value(name, PROFILE, OSLO)


@pytest.mark.parametrize(
    ("minor", "currency", "value"),
    [
        (0, None, 0),
        (100, None, None),
        (1500, "JPY", 1500),
        (34000, "EUR", 340),
        (1, "EUR", 0.01),
        (-250, "EUR", -2.5),
        (1234567, "KWD", 1234.567),
        (900719925474099291, "JPY", 900719925474099291),
    ],
)
def test_amounts_are_exact_as_far_as_json_goes(
    minor: int, currency: str | None, value: float | None
) -> None:
    """Whole amounts stay whole numbers, and a sum without its currency is unknown."""
    profile = Profile(person="x", currency=currency, amount_spent=minor)
    shown = fields.attribute_value("amount_spent", profile, OSLO)

    assert value == shown
    assert type(value) is type(shown)


def test_attributes_have_types() -> None:
    """A destination's field gets its type from the attribute; own attributes are text."""
    assert fields.attribute_type("amount_spent") is FieldType.NUMBER
    assert fields.attribute_type("last_order_date") is FieldType.DATE
    assert fields.attribute_type("topic") is FieldType.TEXT


def test_no_word_of_the_language_is_free_for_an_own_attribute() -> None:
    """Own attributes cannot hide a word of the segment language."""
    words = {word for word in (*ATTRIBUTES, *FUNCTIONS) if "." not in word}

    assert set() == words - set(fields.ATTRIBUTES) - fields.NOT_YET
    assert set() == fields.NOT_YET & set(fields.ATTRIBUTES)
