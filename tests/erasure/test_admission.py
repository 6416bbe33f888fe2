"""Nobody who was erased comes back: not by webhook, replay or import, in whatever spelling."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from adapters.woocommerce.shop import WooCommerceShop
from connector.errors import ConfigurationFault, StoreUnavailable
from connector.model import Claim, Deleted, Kind, Permission, Version
from connector.store import facts, inbox, schema
from connector.store.facts import Stated
from tests.erasure.place import (
    EMAIL,
    MARK,
    NAME,
    NOON,
    SECRET,
    Place,
    account,
    order,
    redaction,
    said,
)

FULL_WIDTH = "".join(chr(ord(letter) + 0xFEE0) for letter in EMAIL)
SPELLINGS = [EMAIL.upper(), f" {EMAIL} ", FULL_WIDTH]

spelled = pytest.mark.parametrize("spelling", SPELLINGS, ids=["upper", "spaces", "full width"])


@pytest.fixture
def erased(place: Place) -> Place:
    """A house that knew the person, and has erased them at ten past noon."""
    place.tell(account(), order(1), said(Claim.GRANT))
    place.now += timedelta(minutes=10)
    place.erase()
    place.work()
    place.newsletter.pushed.clear()
    assert [] == place.holding()
    return place


@spelled
@pytest.mark.parametrize("known", [True, False], ids=["same ids", "other ids"])
def test_by_webhook(erased: Place, spelling: str, known: bool) -> None:  # noqa: FBT001 a parameter
    """The shop tells of them again, in another spelling: an order without a name is kept."""
    number = 1 if known else 8
    erased.tell(
        account(number + 6, spelling, 1),
        order(number, spelling, 2, customer_id=str(number + 6)),
        said(Claim.GRANT, minutes=2),
        words=f"{spelling} {NAME}",
    )
    assert [] == erased.holding()
    assert [] == erased.newsletter.pushed
    with erased.store.read() as conn:
        kept = conn.execute(
            select(schema.orders.c.total, schema.orders.c.person).where(
                schema.orders.c.order_id == str(number)
            )
        ).one()
    assert (30_000, f"wool:order:{number}") == tuple(kept)


@spelled
def test_by_a_real_shops_webhook(erased: Place, spelling: str) -> None:
    """WooCommerce's own payload; an address that it could not take is recognised in its words."""
    shop = WooCommerceShop(
        "wool",
        base_url="https://wool.example",
        consumer_key="ck_1",
        consumer_secret="cs_1",
        currency="NOK",
        timezone="Europe/Oslo",
    )
    erased.shops["wool"] = shop  # type: ignore[assignment]
    body = {
        "id": 77,
        "number": "77",
        "status": "processing",
        "currency": "NOK",
        "date_created_gmt": "2026-03-01T12:01:00",
        "date_modified_gmt": "2026-03-01T12:01:00",
        "total": "300.00",
        "total_tax": "0.00",
        "shipping_total": "0.00",
        "customer_id": 0,
        "billing": {"first_name": NAME, "last_name": NAME, "email": spelling, "country": "NO"},
        "shipping": {},
        "line_items": [],
        "refunds": [],
        "meta_data": [],
    }
    for ascii_only in (True, False):
        body["id"] = 77 + ascii_only
        erased.arrive("order.created", json.dumps(body, ensure_ascii=ascii_only))
    erased.work()
    assert [] == erased.holding()
    with erased.store.read() as conn:
        assert {"77", "78", "1"} == set(conn.scalars(select(schema.orders.c.order_id)))


@spelled
def test_by_replay(place: Place, spelling: str) -> None:
    """What was delivered before the erasure is gone, or comes back without the person."""
    place.tell(account(7, spelling), words=spelling)
    place.tell(order(1, spelling), words=spelling)
    place.deliver(order(2, spelling, 3), words=spelling)  # waits while the person is erased
    place.now += timedelta(minutes=10)
    place.erase()
    place.newsletter.pushed.clear()
    place.work()
    for _ in range(2):
        with place.store.write() as conn:
            inbox.replay(conn)
        place.work()
    assert [] == place.holding()
    assert [] == [change for change in place.newsletter.pushed if not change.erased]


@spelled
def test_by_settling_facts_directly(erased: Place, spelling: str) -> None:
    """Whoever settles facts (a backfill, a reconciliation) goes through the same gate."""
    with erased.store.write() as conn:
        done = facts.settle(
            conn, [Stated(account(9, spelling, 5), 0), Stated(order(9, spelling), 0)]
        )
    assert [] == erased.holding() or spelling == FULL_WIDTH
    assert ({0} if spelling else set()) == done.hidden
    assert [] == erased.holding()


def test_what_is_ignored_or_in_quarantine_does_not_keep_them_either(erased: Place) -> None:
    """A delivery that nothing was used of, naming them in JSON escapes, loses its words."""
    waiting = "\\u007az-marker\\u0040x.example"
    erased.numbers += 1
    erased.shops["wool"].facts[erased.numbers] = ()
    erased.arrive("coupon.updated", f'{{"number": {erased.numbers}, "to": "{waiting}"}}')
    erased.work()
    with erased.store.read() as conn:
        last = conn.execute(
            select(schema.deliveries.c.status, schema.deliveries.c.body)
            .order_by(schema.deliveries.c.id.desc())
            .limit(1)
        ).one()
    assert ("ignored", None) == tuple(last)


def test_a_later_order_is_kept_and_not_mailed(erased: Place) -> None:
    """Who buys again is known again; what they once allowed stays erased."""
    later = order(20, minutes=30)
    erased.now += timedelta(minutes=40)
    erased.tell(later, said(Claim.GRANT), said(Claim.GRANT_STATE, minutes=30))
    assert {"orders", "profiles"} <= set(erased.holding())
    assert Permission.WITHDRAWN == erased.newsletter.held[EMAIL].permission
    assert {} == erased.newsletter.held[EMAIL].fields
    with erased.store.read() as conn:
        assert [] == [
            contact
            for contact in conn.scalars(select(schema.evidence.c.contact))
            if MARK in contact
        ]


def test_only_a_newer_permission_of_their_own_brings_them_back(erased: Place) -> None:
    """With it they are mailed again, by what is dated after the erasure and nothing else."""
    erased.now += timedelta(minutes=40)
    erased.tell(order(20, minutes=30), said(Claim.GRANT, minutes=30))
    held = erased.newsletter.held[EMAIL]
    assert (Permission.SEND, 1) == (held.permission, held.fields["ORDERS"])
    erased.now += timedelta(minutes=1)
    erased.erase()
    erased.work()
    assert [] == erased.holding()
    assert {} == erased.newsletter.held


def test_an_old_order_that_is_changed_later_stays_blank(erased: Place) -> None:
    """Its status is followed; who bought is not told again."""
    erased.now += timedelta(minutes=40)
    changed = replace(order(1, status="completed"), version=Version(NOON + timedelta(minutes=35)))
    erased.tell(changed)
    assert [] == erased.holding()
    with erased.store.read() as conn:
        assert ["completed"] == conn.scalars(select(schema.orders.c.status)).all()


def test_an_account_by_its_id_whatever_its_address_was_then(erased: Place) -> None:
    """An old statement of the account, with an address nobody here ever saw."""
    erased.tell(account(7, "unseen@x.example", 1), words="unseen@x.example")
    assert [] == erased.holding("unseen")
    erased.tell(order(9, "unseen@x.example", 2), words="unseen@x.example")
    assert [] == erased.holding("unseen")


def test_deleted_in_the_shop_is_still_deleted(erased: Place) -> None:
    """The shop deletes the account as well: nothing changes."""
    before = erased.rows("deliveries")
    erased.tell(Deleted(shop="wool", kind=Kind.CUSTOMER, id="7", version=Version(NOON)))
    assert before == erased.rows("deliveries")


@pytest.mark.parametrize("spelling", [EMAIL, *SPELLINGS])
def test_redacted_while_an_order_comes(
    open_place: Callable[..., Place], tmp_path: Path, spelling: str
) -> None:
    """Whichever is committed first, the end is the same, on whichever engine."""
    bought = (
        account(7, spelling, 1),
        order(1, spelling, 2, customer_id="7"),
        said(Claim.GRANT, minutes=2),
    )
    demand = redaction(customer_id="7", orders=("1",))
    one = open_place(SECRET, url=f"sqlite:///{tmp_path}/one.db")
    one.tell(*bought, minutes=3, words=spelling)
    one.tell(demand, minutes=4)
    other = open_place(SECRET)
    other.tell(demand, minutes=4)
    other.tell(*bought, minutes=3, words=spelling)
    assert [] == one.holding() == other.holding()
    assert one.rows("deliveries", "requests") == other.rows("deliveries", "requests")
    assert {} == one.newsletter.held == other.newsletter.held


def test_erased_while_a_worker_works(place: Place) -> None:
    """At the very same time, again and again: never is anything of the person left behind."""
    for turn in range(12):
        email = f"{MARK}{turn}@x.example"
        place.deliver(
            account(turn, email),
            order(turn, email, customer_id=str(turn)),
            said(Claim.GRANT, email),
        )
        place.now = NOON + timedelta(minutes=10)
        problems: list[BaseException] = []
        threads = [
            threading.Thread(target=_until_done, args=(step, problems))
            for step in (place.engine.drain, lambda email=email: place.erase(email))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        place.work()
        assert [] == problems
        assert [] == place.holding(), turn
        assert {} == place.newsletter.held


def test_a_dictionary_finds_nobody_without_the_key(erased: Place) -> None:
    """Threat E7: every digest that is left is of no use to who has all addresses in the world."""
    import hashlib
    import hmac

    left = {cell for rows in erased.rows().values() for row in rows for cell in row}
    text = " ".join(left)
    guesses = [EMAIL, *(f"p{number}@x.example" for number in range(50_000)), "wool:customer:7"]
    for guess in guesses:
        for found in (
            hashlib.sha256(guess.encode()).hexdigest(),
            hashlib.md5(guess.encode(), usedforsecurity=False).hexdigest(),
            hmac.digest(b"", guess.encode(), "sha256").hex(),
        ):
            assert found not in text
    # What a statement of the ledger is named by must not be worked out from it and a guess either.
    with erased.store.read() as conn:
        from connector.store.evidence import identify, item_of

        rows = conn.execute(select(schema.evidence)).mappings().all()
    assert rows
    for row in rows:
        assert identify(item_of(row)) == bytes(row["evidence_id"])
        assert identify(replace(item_of(row), contact=EMAIL)) != bytes(row["evidence_id"])


def test_an_old_key_still_recognises_them(open_place: Callable[..., Place], place: Place) -> None:
    """A new key is used from now on; who was erased under the old one stays out."""
    place.tell(order(1))
    place.erase(minutes=10)
    place.work()
    place.store.close()
    rotated = open_place("a-new-secret-key-7c2", SECRET)
    rotated.tell(order(2, minutes=1), said(Claim.GRANT, minutes=1))
    assert [] == rotated.holding()
    rotated.store.close()
    with pytest.raises(ConfigurationFault, match="CONNECTOR_SECRET_KEY"):
        open_place("a-new-secret-key-7c2")


def test_without_the_key_the_store_is_not_opened(
    open_place: Callable[..., Place], erased: Place
) -> None:
    """Whoever was erased would not be recognised: better no connector than that."""
    erased.store.close()
    with pytest.raises(ConfigurationFault, match="lacks 1 key under which people were erased"):
        open_place()


def _until_done(step: Callable[[], object], problems: list[BaseException]) -> None:
    for _ in range(50):
        try:
            step()
        except StoreUnavailable:
            continue
        except BaseException as problem:  # noqa: BLE001 - told by the test
            problems.append(problem)
        return
