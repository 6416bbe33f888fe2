"""What every destination of audiences promises: people by their digests, and only who allowed it.

A subclass gives two fixtures, as for `tests.contract.destinations`: ``make``, where ``peek(email)``
tells in which audiences the person with this address is: each audience's name with what it knows
of them, digests and perhaps a ``value``; and ``misbehave``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from connector.match_keys import digest, email, of_person
from connector.model import Change, Parked, Permission, Postponed, Record, Settled
from connector.ports import Shape
from tests.contract.destinations import AWKWARD_NAMES, SURVIVING_NAMES
from tests.contract.pushing import NOW, Make, Misbehave, Remote

REQUIRED = (
    "accepts_new_person",
    "accepts_changed_identifiers",
    "accepts_changed_value",
    "joins_and_leaves_segments",
    "removes_a_person",
    "remove_when_already_gone",
    "erases_a_person",
    "unchanged_is_not_sent_twice",
    "consent_unknown",
    "consent_withdrawn",
    "one_bad_row_among_good",
    "difficult_names",
    "nothing_goes_in_clear",
    "rate_limited",
    "server_error",
    "bad_credentials",
    "answer_is_not_json",
)
"""The promises by name; `test_required` fails when one has no test."""


class AudienceContract(Remote):
    """The promises of audiences behind a network."""

    shape = Shape(fields={}, tags=("Returning", "VIP", "Worth"), valued=("Worth",))
    nothing: Mapping[str, Any] | None = {}

    def record(
        self,
        address: str,
        tags: Sequence[str] = ("VIP",),
        permission: Permission = Permission.SEND,
        value: str | None = None,
        **told: Any,
    ) -> Record:
        """A record as the projection would make it: digests, and what the person is worth."""
        known = {"first_name": "Kari", "country": "NO", **told, "email": address}
        fields: dict[str, Any] = dict(of_person(known))
        if value is not None:
            fields["value"] = value
        return Record(
            key=address,
            email=address,
            permission=permission,
            fields=fields,
            tags=tuple(sorted(tags)),
        )

    def test_accepts_new_person(self, make: Make) -> None:
        """Who was in no audience is in those that are wanted, and in no other."""
        destination, peek = self.ready(make)
        after = self.record("kari@shop.example", ["VIP", "Returning"])
        assert Settled() == self.send(destination, None, after)
        held = peek("kari@shop.example")
        assert held is not None
        assert ["Returning", "VIP"] == sorted(held)
        assert {after.fields["first_name"]} == {each["first_name"] for each in held.values()}

    def test_accepts_changed_identifiers(self, make: Make) -> None:
        """A new phone number takes the place of the old one, which may be another's now."""
        destination, peek = self.ready(make)
        before = self.record("kari@shop.example", phone="+4791234567")
        self.send(destination, None, before)
        after = self.record("kari@shop.example", phone="+4798765432")
        assert Settled() == self.send(destination, before, after)
        held = peek("kari@shop.example")
        assert held is not None
        assert after.fields["phone"] == held["VIP"]["phone"]

    def test_accepts_changed_value(self, make: Make) -> None:
        """An audience of values has the newest; the others are not bothered by it."""
        destination, peek = self.ready(make)
        before = self.record("kari@shop.example", ["VIP", "Worth"], value="100.00")
        after = self.record("kari@shop.example", ["VIP", "Worth"], value="250.50")
        for step in ((None, before), (before, after)):
            assert Settled() == self.send(destination, *step)
        held = peek("kari@shop.example")
        assert held is not None
        assert (250.5, None) == (held["Worth"]["value"], held["VIP"].get("value"))

    def test_joins_and_leaves_segments(self, make: Make) -> None:
        """Out of one and into another, at once."""
        destination, peek = self.ready(make)
        before = self.record("kari@shop.example", ["Returning"])
        self.send(destination, None, before)
        after = self.record("kari@shop.example", ["VIP"])
        assert Settled() == self.send(destination, before, after)
        assert ["VIP"] == list(peek("kari@shop.example") or {})

    def test_removes_a_person(self, make: Make) -> None:
        """Out of every audience; the neighbour stays."""
        destination, peek = self.ready(make)
        before = self.record("kari@shop.example", ["VIP", "Returning"])
        self.send(destination, None, before)
        self.send(destination, None, self.record("ola@shop.example"))
        assert Settled() == self.send(destination, before, None)
        assert {} == peek("kari@shop.example")
        assert ["VIP"] == list(peek("ola@shop.example") or {})

    def test_remove_when_already_gone(self, make: Make) -> None:
        """Removing twice, or somebody who never came, is no trouble."""
        destination, peek = self.ready(make)
        before = self.record("kari@shop.example")
        self.send(destination, None, before)
        for _ in range(2):
            assert Settled() == self.send(destination, before, None)
        assert Settled() == self.send(destination, self.record("ola@shop.example"), None)
        assert ({}, {}) == (peek("kari@shop.example"), peek("ola@shop.example"))

    def test_erases_a_person(self, make: Make) -> None:
        """Known to be held or not: they are in no audience afterwards."""
        destination, peek = self.ready(make)
        before = self.record("kari@shop.example")
        self.send(destination, None, self.record("ola@shop.example"))
        for known in (before, None):
            self.send(destination, None, before)
            change = Change(key=before.key, before=known, after=None, erased=True)
            assert {before.key: Settled()} == destination.push([change], now=NOW)
            assert {} == peek("kari@shop.example")
        assert ["VIP"] == list(peek("ola@shop.example") or {})

    def test_unchanged_is_not_sent_twice(self, make: Make) -> None:
        """The same again is settled, and changes nothing."""
        destination, peek = self.ready(make)
        record = self.record("kari@shop.example")
        self.send(destination, None, record)
        assert Settled() == self.send(destination, record, record)
        assert ["VIP"] == list(peek("kari@shop.example") or {})

    @pytest.mark.parametrize("permission", [Permission.SILENT, Permission.CONFIRM])
    def test_consent_unknown(self, make: Make, permission: Permission) -> None:
        """Of whom no permission is known is not there, whatever the record says besides."""
        destination, peek = self.ready(make)
        after = self.record("kari@shop.example", permission=permission)
        assert Settled() == self.send(destination, None, after)
        assert {} == peek("kari@shop.example")

    def test_consent_withdrawn(self, make: Make) -> None:
        """Who withdrew is taken out of every audience, also when it comes twice."""
        destination, peek = self.ready(make)
        before = self.record("kari@shop.example", ["VIP", "Returning"])
        self.send(destination, None, before)
        after = Record(
            key=before.key, email=before.email, permission=Permission.WITHDRAWN, tags=before.tags
        )
        for _ in range(2):
            assert Settled() == self.send(destination, before, after)
        assert {} == peek("kari@shop.example")

    def test_one_bad_row_among_good(self, make: Make) -> None:
        """One record that cannot go does not touch the others of its batch."""
        destination, peek = self.ready(make)
        records = [self.record(f"p{number}@shop.example") for number in range(9)]
        bad = Record(
            key="bad@shop.example",
            email="bad@shop.example",
            permission=Permission.SEND,
            fields={"email": "bad@shop.example"},
            tags=("VIP",),
        )
        records.insert(4, bad)
        outcomes = destination.push(
            [Change(key=each.key, before=None, after=each) for each in records], now=NOW
        )
        expected = {each.key: Parked if each is bad else Settled for each in records}
        assert expected == {key: type(outcome) for key, outcome in outcomes.items()}
        assert 9 == sum(bool(peek(each.key)) for each in records if each is not bad)

    def test_difficult_names(self, make: Make) -> None:
        """A name of any alphabet is one person; what cannot be a name harms nobody."""
        destination, peek = self.ready(make)
        records = [
            self.record(f"n{number}@shop.example", first_name=name)
            for number, name in enumerate((*SURVIVING_NAMES, *AWKWARD_NAMES))
        ]
        outcomes = destination.push(
            [Change(key=each.key, before=None, after=each) for each in records], now=NOW
        )
        assert {Settled} == {type(outcome) for outcome in outcomes.values()}
        assert all(peek(each.key) for each in records)

    def test_nothing_goes_in_clear(self, make: Make) -> None:
        """What is known of a person there is digests alone."""
        destination, peek = self.ready(make)
        record = self.record("kari@shop.example", phone="+4791234567", last_name="Nordmann")
        self.send(destination, None, record)
        held = peek("kari@shop.example")
        assert held is not None
        told = str(held["VIP"]).casefold()
        assert digest(email, "kari@shop.example") in told
        assert not any(word in told for word in ("kari", "nordmann", "91234567", "shop.example"))

    # --- for the tests above ------------------------------------------------------------------

    def sample(self) -> tuple[Record, str]:
        """A person, looked for by the address."""
        return self.record("kari@shop.example"), "kari@shop.example"

    def looks_right(self, found: Mapping[str, Any]) -> bool:
        """The person is in the one audience."""
        return ["VIP"] == list(found)

    def broken(self, make: Make, misbehave: Misbehave, fault: str) -> None:
        """Nobody knows what was taken: it counts as taken, and is sent again."""
        destination, peek = self.ready(make)
        record, _ = self.sample()
        misbehave(fault)
        outcome = self.send(destination, None, record)
        assert isinstance(outcome, Postponed)
        assert outcome.sent
        self.taken(destination, peek)
