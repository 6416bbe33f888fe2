"""What every destination of conversions promises: a purchase is told once, of who allowed it.

A subclass gives two fixtures, as for `tests.contract.destinations`: ``make``, where ``peek(id)``
tells what is known there of an order's purchase (``None``, or its ``value``, ``currency``,
``items`` as a list of ids, and ``known``: all that is known of the buyer); and ``misbehave``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connector.model import Change, Parked, Permission, Record, Settled
from connector.moments import to_text
from tests.contract.destinations import SURVIVING_NAMES
from tests.contract.pushing import NOW, Make, Remote

REQUIRED = (
    "tells_of_a_purchase",
    "tells_of_it_once",
    "tells_of_it_when_it_counts",
    "consent_unknown",
    "consent_withdrawn",
    "too_old_is_never_told",
    "erases_a_person",
    "other_things_are_settled",
    "one_bad_row_among_good",
    "difficult_names",
    "nothing_goes_in_clear",
    "rate_limited",
    "server_error",
    "bad_credentials",
    "answer_is_not_json",
)
"""The promises by name; `test_required` fails when one has no test."""


class ConversionContract(Remote):
    """The promises of conversions behind a network."""

    def order(
        self,
        number: int = 1,
        permission: Permission = Permission.SEND,
        customer: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Record:
        """An order's record, as `mappings.sales` has it; a field that is ``None`` is not known."""
        email = f"p{number}@shop.example"
        known: dict[str, Any] = {
            "shop": "wool",
            "id": str(number),
            "number": f"#{number}",
            "status": "paid",
            "counts": True,
            "currency": "NOK",
            "total": "199.90",
            "refunded": "0.00",
            "placed_at": to_text(NOW - timedelta(hours=1)),
            "landing_url": None,
            "customer": {
                "id": "9f86d081884c7d659a2feaa0c55ad015",
                "email": email,
                "phone": None,
                "first_name": "Kari",
                "last_name": "Nordmann",
                "country": "NO",
                **(customer or {}),
            },
            "lines": [
                {
                    "id": "1",
                    "product_id": "9",
                    "variant_id": "11",
                    "product_title": "Genser",
                    "sku": "G-M",
                    "quantity": 2,
                    "price": "99.95",
                    "discount": "0.00",
                    "total": "199.90",
                }
            ],
            **fields,
        }
        return Record(key=f"order/wool/{number}", email=email, permission=permission, fields=known)

    def test_tells_of_a_purchase(self, make: Make) -> None:
        """What it came to, in which currency, and the items by the catalog's own ids."""
        destination, peek = self.ready(make)
        assert Settled() == self.send(destination, None, self.order())
        told = peek("1")
        assert told is not None
        assert (199.9, "NOK", ["wool_11"]) == (told["value"], told["currency"], told["items"])

    def test_tells_of_it_once(self, make: Make) -> None:
        """Sent, refunded in part, withdrawn, allowed again: the purchase is as it was told."""
        destination, peek = self.ready(make)
        before = self.order()
        self.send(destination, None, before)
        for later in (
            self.order(status="partially_refunded", refunded="50.00", total="149.90"),
            self.order(permission=Permission.WITHDRAWN, total="149.90"),
            self.order(total="149.90"),
            self.order(permission=Permission.SILENT, total="1.00"),
            self.order(total="1.00"),
            self.order(status="refunded", counts=False),
        ):
            assert Settled() == self.send(destination, before, later)
            before = later
        told = peek("1")
        assert told is not None
        assert 199.9 == told["value"]

    def test_tells_of_it_when_it_counts(self, make: Make) -> None:
        """An order that waits for its payment is none yet; held, it is told once it is paid."""
        destination, peek = self.ready(make)
        waiting = self.order(status="pending", counts=False)
        assert Settled() == self.send(destination, None, waiting)
        assert peek("1") is None
        assert Settled() == self.send(destination, waiting, self.order())
        assert peek("1") is not None

    @pytest.mark.parametrize("permission", [Permission.SILENT, Permission.CONFIRM])
    def test_consent_unknown(self, make: Make, permission: Permission) -> None:
        """Of whom no permission is known, nothing is told."""
        destination, peek = self.ready(make)
        silent = self.order(permission=permission)
        assert Settled() == self.send(destination, None, silent)
        assert peek("1") is None

    def test_consent_withdrawn(self, make: Make) -> None:
        """Nothing is told of who withdrew, before or after."""
        destination, peek = self.ready(make)
        withdrawn = self.order(permission=Permission.WITHDRAWN)
        assert Settled() == self.send(destination, None, withdrawn)
        assert Settled() == self.send(destination, withdrawn, None)
        assert peek("1") is None

    def test_too_old_is_never_told(self, make: Make) -> None:
        """After seven days it is settled with a note, and stays so; just before, it is told."""
        destination, peek = self.ready(make)
        old = self.order(1, placed_at=to_text(NOW - timedelta(days=7)))
        outcome = self.send(destination, None, old)
        assert isinstance(outcome, Settled)
        assert "7 days" in outcome.note
        assert Settled() == self.send(destination, old, self.order(1))
        fresh = self.order(2, placed_at=to_text(NOW - timedelta(days=6, hours=23)))
        assert Settled() == self.send(destination, None, fresh)
        assert (None, True) == (peek("1"), peek("2") is not None)

    def test_erases_a_person(self, make: Make) -> None:
        """Nothing more is told, and it is said that what was told stays."""
        destination, peek = self.ready(make)
        for known in (self.order(), None):
            change = Change(key="order/wool/1", before=known, after=None, erased=True)
            (outcome,) = destination.push([change], now=NOW).values()
            assert isinstance(outcome, Settled)
            assert outcome.note
        assert peek("1") is None

    def test_other_things_are_settled(self, make: Make) -> None:
        """Products, carts and promotions are none of its business."""
        destination, _ = self.ready(make)
        for kind in ("product", "cart", "promotion"):
            thing = replace(self.order(), key=f"{kind}/wool/1")
            assert Settled() == self.send(destination, None, thing)

    def test_one_bad_row_among_good(self, make: Make) -> None:
        """One order that cannot be told does not touch the others of its call."""
        destination, peek = self.ready(make)
        orders = [self.order(number) for number in range(1, 10)]
        orders[4] = self.order(5, total="much")
        outcomes = destination.push(
            [Change(key=each.key, before=None, after=each) for each in orders], now=NOW
        )
        expected = {each.key: Settled for each in orders} | {"order/wool/5": Parked}
        assert expected == {key: type(outcome) for key, outcome in outcomes.items()}
        assert 8 == sum(peek(str(number)) is not None for number in range(1, 10))

    def test_difficult_names(self, make: Make) -> None:
        """A name of any alphabet harms nobody."""
        destination, peek = self.ready(make)
        orders = [
            self.order(number, customer={"first_name": name})
            for number, name in enumerate((*SURVIVING_NAMES, "", " ", "\u202e"), start=1)
        ]
        outcomes = destination.push(
            [Change(key=each.key, before=None, after=each) for each in orders], now=NOW
        )
        assert {Settled()} == set(outcomes.values())
        assert all(peek(str(number)) for number in range(1, len(orders) + 1))

    def test_nothing_goes_in_clear(self, make: Make) -> None:
        """What is known of a buyer there is digests alone."""
        destination, peek = self.ready(make)
        self.send(destination, None, self.order(customer={"phone": "+4791234567"}))
        told = peek("1")
        assert told is not None
        known = str(told["known"]).casefold()
        assert not any(word in known for word in ("kari", "nordmann", "91234567", "shop.example"))

    # --- for the tests above ------------------------------------------------------------------

    def sample(self) -> tuple[Record, str]:
        """An order, looked for by its number."""
        return self.order(), "1"

    def looks_right(self, found: Mapping[str, Any]) -> bool:
        """The purchase is there with its worth."""
        return bool("NOK" == found["currency"])
