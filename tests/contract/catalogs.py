"""What every catalog promises: the destinations' promises, for things instead of people.

A subclass gives two fixtures, as for `tests.contract.destinations`: ``make``, where ``peek(id)``
tells what the catalog shows of an item (``None``, or its ``title``, ``price``, ``labels`` sorted,
and ``shown``: is it shown to people), and ``misbehave``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.model import Change, Json, Parked, Record, Settled
from tests.contract.destinations import SURVIVING_NAMES
from tests.contract.pushing import NOW, Make, Peek, Remote

REQUIRED = (
    "accepts_new_item",
    "accepts_changed_field",
    "clears_a_field",
    "joins_and_leaves_segments",
    "removes_an_item",
    "remove_when_already_gone",
    "archived_item_is_not_shown",
    "unchanged_is_not_sent_twice",
    "one_bad_row_among_good",
    "difficult_names",
    "rate_limited",
    "server_error",
    "bad_credentials",
    "answer_is_not_json",
)
"""The promises by name; `test_required` fails when one has no test."""


class CatalogContract(Remote):
    """The promises of a catalog behind a network."""

    def item(self, number: int, fields: Mapping[str, Json] | None = None, **mapped: str) -> Record:
        """A record as the projection would make it; ``None`` in ``fields`` leaves one out."""
        known: dict[str, Json] = {
            "status": "active",
            "id": f"wool_{number}",
            "group": "wool_9",
            "title": f"Thing {number}",
            "description": "Warm.",
            "url": f"https://wool.example/{number}",
            "image_url": f"https://wool.example/{number}.jpg",
            "currency": "NOK",
            "stock": "in_stock",
            "price": 19_900,
            "mapped": {"brand": "Ull", **mapped},
            **(fields or {}),
        }
        return Record(
            key=f"wool/{number}",
            email=None,
            permission=None,
            fields={name: value for name, value in known.items() if value is not None},
        )

    def test_accepts_new_item(self, make: Make) -> None:
        """An item it never held is held and shown."""
        destination, peek = self.ready(make)
        assert Settled() == self.send(destination, None, self.item(1, custom_label_0="winter"))
        held = self.held(peek, 1)
        assert ("Thing 1", "199.00 NOK", ["winter"], True) == (
            held["title"],
            held["price"],
            held["labels"],
            held["shown"],
        )

    def test_accepts_changed_field(self, make: Make) -> None:
        """A changed field is changed, and the others stay."""
        destination, peek = self.ready(make)
        before, after = self.item(1), self.item(1, {"price": 9_950})
        self.send(destination, None, before)
        assert Settled() == self.send(destination, before, after)
        held = self.held(peek, 1)
        assert ("Thing 1", "99.50 NOK") == (held["title"], held["price"])

    def test_clears_a_field(self, make: Make) -> None:
        """What is known no longer is held no longer: a label, and a sale that is over."""
        destination, peek = self.ready(make)
        before = self.item(1, {"sale_price": 10_000}, custom_label_0="winter")
        self.send(destination, None, before)
        assert "100.00 NOK" == self.held(peek, 1)["price_now"]
        assert Settled() == self.send(destination, before, self.item(1))
        held = self.held(peek, 1)
        assert ([], "199.00 NOK") == (held["labels"], held["price_now"])

    def test_joins_and_leaves_segments(self, make: Make) -> None:
        """One label comes and another goes, at once."""
        destination, peek = self.ready(make)
        before = self.item(1, custom_label_0="winter", custom_label_1="new")
        after = self.item(1, custom_label_0="summer")
        self.send(destination, None, before)
        assert Settled() == self.send(destination, before, after)
        assert ["summer"] == self.held(peek, 1)["labels"]

    def test_removes_an_item(self, make: Make) -> None:
        """An item that should not be held is not held; the neighbour stays."""
        destination, peek = self.ready(make)
        for number in (1, 2):
            self.send(destination, None, self.item(number))
        assert Settled() == self.send(destination, self.item(1), None)
        assert peek("wool_1") is None
        assert "Thing 2" == self.held(peek, 2)["title"]

    def test_remove_when_already_gone(self, make: Make) -> None:
        """Removing twice, or what never came, is no trouble."""
        destination, peek = self.ready(make)
        self.send(destination, None, self.item(1))
        for _ in range(2):
            assert isinstance(self.send(destination, self.item(1), None), Settled)
        assert isinstance(self.send(destination, self.item(2), None), Settled)
        assert (None, None) == (peek("wool_1"), peek("wool_2"))

    def test_archived_item_is_not_shown(self, make: Make) -> None:
        """Archived it stays there unseen; shown again, it is as before."""
        destination, peek = self.ready(make)
        shown, archived = self.item(1), self.item(1, {"status": "archived"})
        self.send(destination, None, shown)
        assert Settled() == self.send(destination, shown, archived)
        assert self.held(peek, 1)["shown"] is False
        assert Settled() == self.send(destination, archived, shown)
        assert self.held(peek, 1)["shown"] is True

    def test_unchanged_is_not_sent_twice(self, make: Make) -> None:
        """The same step twice, as after a torn connection, ends in the same."""
        destination, peek = self.ready(make)
        before, after = self.item(1), self.item(1, {"price": 9_950})
        self.send(destination, None, before)
        for _ in range(2):
            assert Settled() == self.send(destination, before, after)
        assert "99.50 NOK" == self.held(peek, 1)["price"]

    def test_one_bad_row_among_good(self, make: Make) -> None:
        """One item that cannot go does not touch the others of its batch."""
        destination, peek = self.ready(make)
        items = [self.item(number) for number in range(10)]
        items[4] = self.item(4, {"image_url": None})
        outcomes = destination.push(
            [Change(key=each.key, before=None, after=each) for each in items], now=NOW
        )
        expected = {each.key: Settled for each in items} | {"wool/4": Parked}
        assert expected == {key: type(outcome) for key, outcome in outcomes.items()}
        assert 9 == sum(peek(f"wool_{number}") is not None for number in range(10))

    def test_difficult_names(self, make: Make) -> None:
        """Names arrive letter for letter, but for what a browser would have taken for a tag."""
        destination, peek = self.ready(make)
        names = [name for name in SURVIVING_NAMES if "<b>" not in name]
        items = [self.item(number, {"title": name}) for number, name in enumerate(names)]
        outcomes = destination.push(
            [Change(key=each.key, before=None, after=each) for each in items], now=NOW
        )
        assert {Settled()} == set(outcomes.values())
        assert names == [self.held(peek, number)["title"] for number in range(len(names))]

    # --- for the tests above ------------------------------------------------------------------

    @staticmethod
    def held(peek: Peek, number: int) -> Mapping[str, Any]:
        """What the catalog shows of an item, which must be there."""
        found = peek(f"wool_{number}")
        assert found is not None
        return found

    def sample(self) -> tuple[Record, str]:
        """An item, looked for by the id it has there."""
        return self.item(1), "wool_1"

    def looks_right(self, found: Mapping[str, Any]) -> bool:
        """The item is there by name."""
        return bool("Thing 1" == found["title"])
