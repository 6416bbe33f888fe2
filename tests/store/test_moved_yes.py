"""A yes stays with the address it was said of, also where the shop repeats it of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from connector import consent
from connector.consent import ConsentPolicy
from connector.model import Claim, ConsentState, Evidence, Purpose
from connector.store import evidence, people
from connector.store.connect import Store

FORMER, NOW_IS = "kari@x.example", "ola@x.example"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def said(
    contact: str, claim: Claim, day: int, *, source: str = "yarn", about: str = "customer:1"
) -> Evidence:
    at = NOON + timedelta(days=day)
    return Evidence(
        contact=contact,
        purpose=Purpose.EMAIL,
        claim=claim,
        source=source,
        at=at,
        received_at=at + timedelta(hours=1),
        method="api_state",
        reference=about,
    )


def states(store: Store, told: Sequence[Evidence], *, moved: bool = True) -> dict[str, str]:
    """What the ledger adds up to for both addresses, one account having had both."""
    with store.write() as conn:
        evidence.append(conn, [(item, None) for item in told])
        people.remember_addresses(
            conn, {(each, "yarn", "1" if moved else each): 1 for each in (FORMER, NOW_IS)}
        )
    with store.read() as conn:
        found = evidence.of_people(conn, [FORMER, NOW_IS], Purpose.EMAIL)
    return {
        who: str(consent.decide(consent.summarise(items), ConsentPolicy()))
        for who, items in found.items()
    }


YES = (said(FORMER, Claim.GRANT_CONFIRMED, 5), said(NOW_IS, Claim.GRANT_CONFIRMED, 5))
LEFT = said(NOW_IS, Claim.WITHDRAW, 1, source="newsletter", about="audience:a")


@pytest.mark.parametrize("order", list(permutations((*YES, LEFT))))
def test_an_account_that_gets_another_address_brings_nobody_back(
    store: Store, order: Sequence[Evidence]
) -> None:
    """Whoever has that address left before the other one said yes: in every order they stay out."""
    assert ConsentState.WITHDRAWN == states(store, order)[NOW_IS]


def test_a_yes_of_their_own_does(store: Store) -> None:
    """A box they ticked themselves, later, at the new address."""
    own = said(NOW_IS, Claim.GRANT, 9, about="order:7")
    assert ConsentState.GRANTED == states(store, [*YES, LEFT, own])[NOW_IS]


def test_who_never_left_is_written_to_at_the_new_address(store: Store) -> None:
    """Nobody took anything back: the account's word about itself is believed as before."""
    assert ConsentState.GRANTED_CONFIRMED == states(store, YES)[NOW_IS]


def test_two_accounts_that_say_the_same_are_two(store: Store) -> None:
    """Without an account that had both addresses each word is its own."""
    assert ConsentState.GRANTED_CONFIRMED == states(store, [*YES, LEFT], moved=False)[NOW_IS]


TICKED = (
    said(FORMER, Claim.GRANT, 5, source="wool", about="order:7"),
    said(NOW_IS, Claim.GRANT, 5, source="wool", about="order:7"),
)


@pytest.mark.parametrize("order", list(permutations((*TICKED, LEFT))))
def test_an_order_that_gets_another_address_brings_nobody_back(
    store: Store, order: Sequence[Evidence]
) -> None:
    """Somebody in the shop changed it: whoever has that address, and left, did not tick the box."""
    assert ConsentState.WITHDRAWN == states(store, order, moved=False)[NOW_IS]


def test_a_box_ticked_with_another_order_does(store: Store) -> None:
    """Theirs alone, later: the order that was changed takes nothing from it."""
    own = said(NOW_IS, Claim.GRANT, 9, source="wool", about="order:8")
    assert ConsentState.GRANTED == states(store, [*TICKED, LEFT, own], moved=False)[NOW_IS]


def test_an_address_put_right_is_written_to(store: Store) -> None:
    """Nobody with that address ever left: a slip of the pen costs nobody their newsletter."""
    assert ConsentState.GRANTED == states(store, TICKED, moved=False)[NOW_IS]


def test_both_are_looked_at_again(store: Store) -> None:
    """What comes late concerns also those of whom the order said the same before."""
    with store.write() as conn:
        evidence.append(conn, [(TICKED[1], 1)])
        grown = evidence.append(conn, [(TICKED[0], 2)])
    assert {FORMER: 2, NOW_IS: 2} == grown.contacts
