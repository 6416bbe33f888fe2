"""Bad bodies, each by the number of its row in our table of bad inputs: judged, never raised."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.model import (
    Customer,
    Fact,
    Ignored,
    Order,
    Quarantined,
    Understanding,
    Understood,
)

Build = Callable[..., dict[str, Any]]
Read = Callable[[str, Any], Understanding]
Why = Callable[[str, Any], str]
ARRIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def _placed(understanding: Understanding) -> tuple[Order, tuple[str, ...]]:
    assert isinstance(understanding, Understood)
    (order,) = understanding.facts
    assert isinstance(order, Order)
    return order, understanding.flags


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "empty"),  # row 12
        (b"webhook_id=12", "not_json"),  # row 20
        ('{"id":1}'.encode("utf-16"), "encoding"),  # row 22
        (b'{"id":"\xff"}', "encoding"),  # row 23
        (b'{"id":1,"x":"\\ud83d"}', "lone_surrogate"),  # row 24
        (b'{"id":' + b"[" * 65 + b"]" * 65 + b"}", "depth"),  # row 26
        (b'{"id":NaN}', "number"),  # row 27
        (b'{"id":1e999}', "number"),  # row 28
        (b'{"id":' + b"1" * 5000 + b"}", "number"),  # row 29
        (b'{"id":1,"id":2}', "duplicate_key"),  # row 31
        (b'[{"id":1}]', "shape"),  # row 32
        (b'"id"', "shape"),  # row 32
        (b"null", "shape"),  # row 32
    ],
)
@pytest.mark.parametrize("topic", ["order.created", "customer.updated", "product.deleted"])
def test_unsound_json(reason: Why, topic: str, body: bytes, expected: str) -> None:
    """Rows 12 and 20 to 32: what is not sound is quarantined with its own reason."""
    assert expected == reason(topic, body)


def test_row_21_and_25_forgiven(understand: Read, order: Build) -> None:
    """Rows 21 and 25: a byte order mark and NUL are removed and flagged."""
    billing = {"first_name": "E\x00va", "email": "eva@example.org"}
    body = b"\xef\xbb\xbf" + json.dumps(order(billing=billing)).encode()
    placed, flags = _placed(understand("order.created", body))
    assert "Eva" == placed.first_name
    assert ("bom", "nul_removed") == flags


@pytest.mark.parametrize("topic", ["order.created", "customer.created", "product.created"])
def test_row_33_missing_id(
    reason: Why, topic: str, order: Build, customer: Build, product: Build
) -> None:
    """Row 33: without an id there is nothing to say anything of."""
    body = {"order": order, "customer": customer, "product": product}[topic.partition(".")[0]]()
    del body["id"]
    assert "id" == reason(topic, body)


@pytest.mark.parametrize(
    "bad",
    [123.0, True, False, -1, 0, 2**63, "0", "-1", "0123", "12a", "", " 12", "١٢", "9" * 30, None],
)
def test_row_34_ids_that_are_none(reason: Why, order: Build, bad: object) -> None:
    """Row 34: only positive whole numbers below 2**63 are ids."""
    assert "id" == reason("order.created", order(id=bad))
    assert "id" == reason("order.deleted", {"id": bad})


@pytest.mark.parametrize("good", [1, "123", 2**53 + 1, str(2**53 + 1), 2**63 - 1])
def test_rows_34_and_35_ids(understand: Read, order: Build, good: int | str) -> None:
    """Rows 34 and 35: digits in a string are an id; above 2**53 it stays exact."""
    placed, _ = _placed(understand("order.created", order(id=good)))
    assert str(good) == placed.id


def test_row_37_unknown_fields(understand: Read, order: Build) -> None:
    """Row 37: fields we do not know change nothing but the digest."""
    plain, _ = _placed(understand("order.created", order()))
    more, flags = _placed(understand("order.created", order(extra={"a": [1, {"b": 2}]})))
    assert plain.lines == more.lines
    assert plain.version.at == more.version.at
    assert plain.version.tie != more.version.tie
    assert () == flags


@pytest.mark.parametrize(
    "email",
    [
        "eva",
        "a@b@example.org",
        "x" * 400 + "@example.org",
        '"eva d"@example.org',
        "eva@example.org.",
        "eva\r\n@example.org",
        "a@example.org,b@example.org",
        7,
    ],
)
def test_row_41_addresses_of_no_use(understand: Read, order: Build, email: object) -> None:
    """Row 41: the order counts, without a contact point, and says why."""
    placed, flags = _placed(understand("order.created", order(billing={"email": email})))
    assert placed.email is None
    assert ("email_not_usable",) == flags
    assert 24950 == placed.total


@pytest.mark.parametrize("email", [None, ""])
def test_row_41_no_address(understand: Read, order: Build, email: object) -> None:
    """Row 41: an order without any address is possible and nothing odd."""
    placed, flags = _placed(understand("order.created", order(billing={"email": email})))
    assert placed.email is None
    assert () == flags


def test_row_42_plus_tags(understand: Read, order: Build) -> None:
    """Row 42: ``+tag`` is another mailbox; capitals are not."""
    body = order(billing={"email": " O'Brien+Shop@Example.ORG "})
    assert "o'brien+shop@example.org" == _placed(understand("order.created", body))[0].email


def test_row_43_look_alikes(understand: Read, order: Build) -> None:
    """Row 43: full-width letters and invisible characters are not merged with what they imitate."""
    for email in ("\uff45va@example.org", "eva\u200b@example.org"):
        placed, flags = _placed(understand("order.created", order(billing={"email": email})))
        assert placed.email is None
        assert ("email_not_usable",) == flags


@pytest.mark.parametrize("phone", ["0000", "letters", "22000000", "+", "9" * 5000])
def test_row_44_phones_of_no_use(understand: Read, order: Build, phone: str) -> None:
    """Row 44: a number that is none, or has no country, fails nothing."""
    placed, flags = _placed(understand("order.created", order(billing={"phone": phone})))
    assert placed.phone is None
    assert ("phone_not_usable",) == flags


@pytest.mark.parametrize(
    ("country", "expected"),
    [
        ("NO", ("NO",)),
        ("uk", ("GB",)),
        (" de ", ("DE",)),
        ("", ()),
        (None, ()),
        (False, ()),
        ("Norway", ()),
        ("XX", ()),
    ],
)
def test_row_45_countries(
    understand: Read, order: Build, country: object, expected: tuple[str, ...]
) -> None:
    """Row 45: an ISO code or nothing; YAML's Norway problem (``false``) is nothing."""
    body = order(billing={"country": country}, shipping={"country": country})
    assert expected == _placed(understand("order.created", body))[0].countries


@pytest.mark.parametrize(
    "date",
    [
        "0000-12-31T18:09:24-05:50",
        "0000-00-00T00:00:00",
        "1970-01-01T00:00:00",
        "yesterday",
        None,
        0,
    ],
)
def test_row_46_and_48_dates_that_are_none(
    reason: Why, fact: Callable[[str, Any], Fact], order: Build, customer: Build, date: object
) -> None:
    """Rows 46 and 48: an order without a date is refused; an account is as old as its arrival."""
    assert "date" == reason("order.created", order(date_created_gmt=date))
    account = fact("customer.created", customer(date_created_gmt=date, date_modified_gmt=date))
    assert isinstance(account, Customer)
    assert account.created_at is None
    assert ARRIVED == account.version.at


def test_row_48_the_year_2999(understand: Read, order: Build) -> None:
    """Row 48: a date in the future becomes the arrival, so that no later truth is outranked."""
    future = {"date_created_gmt": "2999-01-01T00:00:00", "date_modified_gmt": "2999-01-01T00:00:00"}
    placed, flags = _placed(understand("order.created", order(**future)))
    assert (ARRIVED, ARRIVED) == (placed.placed_at, placed.version.at)
    assert ("date_in_future",) == flags


def test_row_48_clocks_differ(understand: Read, order: Build) -> None:
    """Row 48: five minutes ahead are a clock's fault and let pass."""
    ahead = ARRIVED + timedelta(seconds=300)
    body = order(date_modified_gmt=ahead.strftime("%Y-%m-%dT%H:%M:%S"))
    placed, flags = _placed(understand("order.created", body))
    assert (ahead, ()) == (placed.version.at, flags)


def test_rows_47_and_49_local_time_is_not_read(understand: Read, order: Build) -> None:
    """Rows 47 and 49: beside the UTC fields, the local ones (02:30 twice a year) mean nothing."""
    body = order(date_created="2026-10-25T02:30:00", date_modified="2026-10-25T02:30:00")
    placed, _ = _placed(understand("order.created", body))
    assert datetime(2026, 11, 23, 10, 0, tzinfo=UTC) == placed.placed_at


def test_row_50_and_51_which_is_newer(understand: Read, order: Build) -> None:
    """Rows 50 and 51: the later change wins; within a second the larger digest, in any order."""
    old, _ = _placed(understand("order.updated", order(date_modified_gmt="2026-11-23T10:04:59")))
    one, _ = _placed(understand("order.updated", order(status="completed")))
    two, _ = _placed(understand("order.updated", order(status="on-hold")))
    assert old.version < min(one.version, two.version)
    assert one.version.at == two.version.at
    assert one.version.tie != two.version.tie
    assert all(0 <= each.version.tie < 2**63 for each in (one, two))


def test_row_60_ten_thousand_lines(understand: Read, order: Build) -> None:
    """Row 60: 4 MB of order are understood in two seconds."""
    (line,) = order()["line_items"]
    padding = {"meta_data": [{"key": "k", "value": "x" * 230}]}
    lines = [line | padding | {"id": number} for number in range(1, 10_001)]
    body = json.dumps(order(line_items=lines)).encode()
    assert len(body) > 4_000_000
    start = time.perf_counter()
    placed, _ = _placed(understand("order.created", body))
    assert time.perf_counter() - start < 2
    assert 10_000 == len(placed.lines)


def test_row_62_guest(understand: Read, order: Build) -> None:
    """Row 62: a guest is known by the address on the bill."""
    placed, _ = _placed(understand("order.created", order(customer_id=0)))
    assert (None, "eva.dahl@example.org") == (placed.customer_id, placed.email)


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "=1+1", "'; DROP TABLE orders;--", "{{7*7}}", "&amp;"]
)
def test_row_66_names_are_literal(understand: Read, order: Build, name: str) -> None:
    """Row 66: whatever a buyer typed is a name, to the letter."""
    placed, _ = _placed(understand("order.created", order(billing={"first_name": name})))
    assert name == placed.first_name


def test_row_67_endless_name(understand: Read, order: Build, customer: Build) -> None:
    """Row 67: a name of a megabyte is cut; marks, emoji and control codes stay."""
    billing = {"first_name": "x" * 1_000_000, "last_name": "\u202eEva\x07🎉"}
    placed, _ = _placed(understand("order.created", order(billing=billing)))
    assert (1000, "\u202eEva\x07🎉") == (len(placed.first_name), placed.last_name)
    understanding = understand("customer.created", customer(first_name="&amp;" * 300_000))
    assert isinstance(understanding, Understood)
    (account,) = understanding.facts
    assert isinstance(account, Customer)
    assert "&" * 1000 == account.first_name


def test_details_hold_nothing_personal(understand: Read, order: Build) -> None:
    """What is said about a bad order names its fields, never their content."""
    for field in ("total", "currency", "line_items", "id", "date_created_gmt"):
        understanding = understand("order.created", order(**{field: "Eva Dahl"}))
        assert isinstance(understanding, Quarantined)
        assert "Eva" not in understanding.detail
        assert understanding.detail


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "key", "value", "name", "src", "total"]), inner)
    ),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(chance=st.data())
def test_never_raises(
    understand: Read, order: Build, customer: Build, product: Build, chance: st.DataObject
) -> None:
    """Whatever stands in whichever fields, the body is understood, ignored or quarantined."""
    topics = {"order.updated": order, "customer.updated": customer, "product.updated": product}
    topic = chance.draw(st.sampled_from(sorted(topics)))
    body = topics[topic]()
    fields = chance.draw(st.lists(st.sampled_from(sorted(body)), max_size=4))
    body |= {name: chance.draw(_anything) for name in fields}
    understanding = understand(topic, body)
    assert isinstance(understanding, Understood | Ignored | Quarantined)
