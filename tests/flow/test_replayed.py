"""Captured bodies sent once more: what is old changes nothing, however fresh it looks."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.model import Claim
from connector.store.connect import Store
from tests.erasure.place import Place, account, order, said


@pytest.fixture
def place(store: Store, tmp_path: Path) -> Place:
    """A small house, on each of the two engines."""
    return Place(store, tmp_path)


def test_threat_r6_old_bodies_with_fresh_ids(place: Place) -> None:
    """Threat R6: 300 of them change no row, and who withdrew stays withdrawn."""
    told = []
    for number in range(50):
        who = f"p{number}@x.example"
        told += [
            (order(number, who, status="pending"),),
            (order(number, who, minutes=10),),
            (order(1000 + number, who, minutes=20),),
            (account(number, who),),
            (said(Claim.GRANT, who),),
            (said(Claim.WITHDRAW, who, minutes=30),) if number % 2 else (said(Claim.GRANT, who),),
        ]
    for facts in told:
        place.deliver(*facts, minutes=40)
    place.work()
    before, held = place.rows("deliveries"), dict(place.newsletter.held)
    pushed = len(place.newsletter.pushed)
    sendable = {key for key, record in held.items() if record.permission == "send"}
    assert {f"p{number}@x.example" for number in range(0, 50, 2)} == sendable
    for number, facts in enumerate(told):
        place.deliver(*facts, minutes=50, words=f"captured, and sent again as {number}")
    place.work()
    assert before == place.rows("deliveries")
    assert held == place.newsletter.held
    assert pushed == len(place.newsletter.pushed)
