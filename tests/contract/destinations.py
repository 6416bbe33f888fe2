"""What every destination promises: a guest's own test file is a few lines that subclass this.

A subclass gives two things:

- a fixture ``make``; ``make()`` gives ``(destination, peek)``, both new and empty. ``peek(email)``
  tells what the destination holds: ``None``, or ``{"fields": …, "tags": [sorted], "mailable": …}``
  (``mailable``: may the person be mailed);
- for `RemoteDestinationContract` also a fixture ``misbehave``: ``misbehave("rate_limited")`` (or
  ``server_error``, ``bad_credentials``, ``answer_is_not_json``) spoils the next call only, of the
  destination made last.

A destination that keeps tables overrides ``shape`` and ``record``, never a test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.model import Change, Json, Outcome, Parked, Permission, Record, Settled
from connector.ports import FieldType, Shape
from tests.contract.pushing import NOW, Make, Peek, Pushing, Remote

REQUIRED = (
    "accepts_new_person",
    "accepts_changed_field",
    "clears_a_field",
    "joins_and_leaves_segments",
    "removes_a_person",
    "remove_when_already_gone",
    "erases_a_person",
    "consent_granted",
    "consent_unknown",
    "consent_withdrawn",
    "one_bad_row_among_good",
    "difficult_names",
    "rate_limited",
    "server_error",
    "bad_credentials",
    "answer_is_not_json",
)
"""The promises by name; `test_required` fails when one has no test."""

SURVIVING_NAMES = (
    "Zoë Łukasz-Åse Øvrebø",
    'O\'Brien "Q" & Sønn',
    "你好 שלום",
    "👩‍👩‍👧 Ås",
    "<b>bold</b>",
    "{{7*7}} *|FNAME|*",
    "a/b%20c;d,e",
    "Robert'); DROP TABLE members;--",
    "NO",
)
AWKWARD_NAMES = ("=1+1", "@SUM(A1)", "a\x00b\nc\td", "\u202eevil", "x" * 10_000, "é" * 200, " ")


class DestinationContract(Pushing):
    """The promises of a destination without a network between."""

    shape = Shape(
        fields={"FNAME": FieldType.TEXT, "ORDERS": FieldType.NUMBER, "LASTORDER": FieldType.DATE},
        tags=("Returning", "VIP"),
    )
    bad_email = "nobody@nowhere.invalid"
    """An address this destination refuses, where it refuses any."""
    bad_outcome: type[Outcome] = Parked

    def record(
        self,
        email: str,
        permission: Permission = Permission.SEND,
        fields: Mapping[str, Json] | None = None,
        tags: Sequence[str] = (),
    ) -> Record:
        """A record as the projection would make it for this destination."""
        return Record(
            key=email,
            email=email,
            permission=permission,
            fields={"FNAME": "Kari", "ORDERS": 1, "LASTORDER": "2026-11-20"} | dict(fields or {}),
            tags=tuple(sorted(tags)),
        )

    def test_accepts_new_person(self, make: Make) -> None:
        """A person it never held is held, with fields and tags."""
        destination, peek = self.ready(make)
        after = self.record("kari@shop.example", tags=["VIP"])
        assert Settled() == self.send(destination, None, after)
        held = self.held(peek, after)
        assert ("Kari", ["VIP"]) == (held["fields"]["FNAME"], held["tags"])
        assert "2026-11-20" == held["fields"]["LASTORDER"]

    def test_accepts_changed_field(self, make: Make) -> None:
        """A changed field is changed, and the others stay."""
        destination, peek = self.ready(make)
        before = self.record("kari@shop.example")
        self.send(destination, None, before)
        after = self.record("kari@shop.example", fields={"ORDERS": 2})
        assert Settled() == self.send(destination, before, after)
        fields = self.held(peek, after)["fields"]
        assert ("Kari", 2.0) == (fields["FNAME"], float(fields["ORDERS"]))

    def test_clears_a_field(self, make: Make) -> None:
        """A value that is known no longer is held no longer."""
        destination, peek = self.ready(make)
        before = self.record("kari@shop.example")
        self.send(destination, None, before)
        after = self.record("kari@shop.example", fields={"LASTORDER": None, "FNAME": None})
        assert Settled() == self.send(destination, before, after)
        fields = self.held(peek, after)["fields"]
        assert {"LASTORDER": None, "FNAME": None} == {
            name: fields.get(name) or None for name in ("LASTORDER", "FNAME")
        }

    def test_joins_and_leaves_segments(self, make: Make) -> None:
        """One tag comes and another goes, at once."""
        destination, peek = self.ready(make)
        before = self.record("kari@shop.example", tags=["Returning"])
        self.send(destination, None, before)
        after = self.record("kari@shop.example", tags=["VIP"])
        assert Settled() == self.send(destination, before, after)
        assert ["VIP"] == self.held(peek, after)["tags"]
        bare = self.record("kari@shop.example")
        assert Settled() == self.send(destination, after, bare)
        assert [] == self.held(peek, bare)["tags"]

    def test_removes_a_person(self, make: Make) -> None:
        """A person who should not be held is not held; the neighbour stays."""
        destination, peek = self.ready(make)
        before, other = self.record("kari@shop.example"), self.record("ola@shop.example")
        self.send(destination, None, before)
        self.send(destination, None, other)
        assert Settled() == self.send(destination, before, None)
        assert peek("kari@shop.example") is None
        assert "Kari" == self.held(peek, other)["fields"]["FNAME"]

    def test_remove_when_already_gone(self, make: Make) -> None:
        """Removing twice, or somebody who never came, is no trouble."""
        destination, peek = self.ready(make)
        before = self.record("kari@shop.example")
        self.send(destination, None, before)
        for _ in range(2):
            assert isinstance(self.send(destination, before, None), Settled)
        assert isinstance(self.send(destination, self.record("ola@shop.example"), None), Settled)
        assert (None, None) == (peek("kari@shop.example"), peek("ola@shop.example"))

    def test_erases_a_person(self, make: Make) -> None:
        """Who was erased is not held, whether it was known to hold them or not; nor is it news."""
        destination, peek = self.ready(make)
        before, other = self.record("kari@shop.example"), self.record("ola@shop.example")
        self.send(destination, None, before)
        self.send(destination, None, other)
        for known in (before, None):
            change = Change(key=before.key, before=known, after=None, erased=True)
            outcomes = destination.push([change], now=NOW)
            destination.flush()
            assert {before.key: Settled} == {key: type(each) for key, each in outcomes.items()}
            assert peek("kari@shop.example") is None
        assert "Kari" == self.held(peek, other)["fields"]["FNAME"]

    def test_consent_granted(self, make: Make) -> None:
        """Who gave permission may be mailed."""
        destination, peek = self.ready(make)
        after = self.record("kari@shop.example", Permission.SEND)
        self.send(destination, None, after)
        assert self.held(peek, after)["mailable"] is True

    def test_consent_unknown(self, make: Make) -> None:
        """Of whom nothing is known is held, and may not be mailed."""
        destination, peek = self.ready(make)
        after = self.record("kari@shop.example", Permission.SILENT)
        assert isinstance(self.send(destination, None, after), Settled)
        assert self.held(peek, after)["mailable"] is False

    def test_consent_withdrawn(self, make: Make) -> None:
        """Who withdrew may not be mailed, also when the withdrawal comes twice."""
        destination, peek = self.ready(make)
        before = self.record("kari@shop.example", tags=["VIP"])
        self.send(destination, None, before)
        after = self.record("kari@shop.example", Permission.WITHDRAWN)
        for _ in range(2):
            assert isinstance(self.send(destination, before, after), Settled)
        assert self.held(peek, after)["mailable"] is False

    def test_one_bad_row_among_good(self, make: Make) -> None:
        """One record that is refused does not touch the others of its batch."""
        destination, peek = self.ready(make)
        emails = [f"p{number}@shop.example" for number in range(9)]
        emails.insert(4, self.bad_email)
        outcomes = destination.push(
            [Change(key=email, before=None, after=self.record(email)) for email in emails],
            now=NOW,
        )
        destination.flush()
        expected = dict.fromkeys(emails, Settled) | {self.bad_email: self.bad_outcome}
        assert expected == {email: type(outcome) for email, outcome in outcomes.items()}
        assert 9 == sum(peek(email) is not None for email in emails if email != self.bad_email)

    def test_difficult_names(self, make: Make) -> None:
        """Names arrive letter for letter; what cannot be a name harms nobody."""
        destination, peek = self.ready(make)
        names = {
            f"n{number}@shop.example": name
            for number, name in enumerate((*SURVIVING_NAMES, *AWKWARD_NAMES))
        }
        outcomes = destination.push(
            [
                Change(key=email, before=None, after=self.record(email, fields={"FNAME": name}))
                for email, name in names.items()
            ],
            now=NOW,
        )
        destination.flush()
        assert {Settled} == {type(outcome) for outcome in outcomes.values()}
        shown = {email: (peek(email) or {})["fields"].get("FNAME") for email in names}
        assert list(SURVIVING_NAMES) == [
            shown[email] for email, name in names.items() if name in SURVIVING_NAMES
        ]

    # --- for the tests above ------------------------------------------------------------------

    @staticmethod
    def held(peek: Peek, record: Record) -> Mapping[str, Any]:
        """What the destination holds of a person, who must be there."""
        found = peek(record.email or "")
        assert found is not None
        return found


class RemoteDestinationContract(Remote, DestinationContract):
    """The promises of a destination behind a network."""

    def sample(self) -> tuple[Record, str]:
        """A person, looked for by the address."""
        return self.record("kari@shop.example"), "kari@shop.example"

    def looks_right(self, found: Mapping[str, Any]) -> bool:
        """The person is there by name."""
        return bool("Kari" == found["fields"]["FNAME"])
