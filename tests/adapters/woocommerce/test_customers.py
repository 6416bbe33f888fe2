"""An account in WooCommerce's words becomes a customer in ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.model import Customer, Fact, Ignored, Understanding

Build = Callable[..., dict[str, Any]]
Read = Callable[[str, Any], Fact]


def _customer(read: Read, body: Any) -> Customer:
    found = read("customer.updated", body)
    assert isinstance(found, Customer)
    return found


def test_whole_customer(fact: Read, customer: Build) -> None:
    """Every part arrives; the account's names lose their escapes, the company has none."""
    found = _customer(fact, customer(meta_data=[{"id": 1, "key": "optin", "value": "yes"}]))
    expected = Customer(
        shop="wool",
        id="5",
        version=found.version,
        email="bo.berg@example.org",
        phone="+4722000000",
        first_name="Bo",
        last_name="Smith & Sons",
        company="A&amp;B",
        country="NO",
        created_at=datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
        meta={"optin": "yes"},
    )
    assert expected == found
    assert datetime(2026, 11, 22, 8, 0, tzinfo=UTC) == found.version.at


def test_names_are_unescaped_once(fact: Read, customer: Build) -> None:
    """``&amp;lt;`` is somebody's ``&lt;``, not their ``<``."""
    assert "&lt;" == _customer(fact, customer(first_name="&amp;lt;")).first_name


def test_names_of_the_bill_stand_in(fact: Read, customer: Build) -> None:
    """An account without names is called as its bills are, unescaped as they are."""
    found = _customer(fact, customer(first_name="", last_name=""))
    assert ("Bo", "Smith & Sons") == (found.first_name, found.last_name)


def test_never_modified(fact: Read, customer: Build) -> None:
    """The shop leaves the date of change empty: then the account is as old as it is."""
    found = _customer(fact, customer(date_modified_gmt=None))
    assert datetime(2026, 11, 20, 8, 0, tzinfo=UTC) == found.version.at


@pytest.mark.parametrize("role", ["editor", "administrator", "shop_manager", "", None, ["x"]])
def test_staff(
    understand: Callable[[str, Any], Understanding], customer: Build, role: object
) -> None:
    """Accounts of the shop's own people arrive under customer.created: they are not kept."""
    understanding = understand("customer.created", customer(role=role))
    assert Ignored(reason="staff account") == understanding


def test_subscriber(fact: Read, customer: Build) -> None:
    """Whoever registered without buying is a customer all the same."""
    assert "5" == _customer(fact, customer(role="subscriber")).id


def test_country_of_the_parcel(fact: Read, customer: Build) -> None:
    """Without a billing country the shipping country counts."""
    found = _customer(fact, customer(billing=[], shipping={"country": "dk"}))
    assert ("DK", None) == (found.country, found.phone)
