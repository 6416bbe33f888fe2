"""Permissions out of orders and customers: what each value says, and what it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connector.model import Claim, Customer, Evidence, Json, Order, Purpose, Version
from mappings.consent_sources import evidence_of, wording_sha256
from mappings.grammar import ConsentRules, ConsentSource

PLACED = datetime(2026, 1, 31, 12, tzinfo=UTC)
RECEIVED = PLACED + timedelta(minutes=2)
BOX = "Yes, send me news by e-mail."
KEY = "mailchimp_woocommerce_is_subscribed"

ORDER = Order(
    shop="wool",
    id="22",
    version=Version(PLACED + timedelta(minutes=1)),
    number="1022",
    status="processing",
    currency="NOK",
    total=10_000,
    placed_at=PLACED,
    email=" Ase@Example.org ",
    phone="912 34 567",
    countries=("NO",),
    meta={"box": "1"},
)
CUSTOMER = Customer(
    shop="wool",
    id="7",
    version=Version(PLACED),
    email="ase@example.org",
    country="NO",
    meta={KEY: "subscribed"},
)
ORDER_SOURCE = ConsentSource(
    shop="wool",
    purpose=Purpose.EMAIL,
    path="order.meta_data.box",
    granted=frozenset({"1", "true", "yes"}),
    withdrawn=frozenset({"revoked"}),
    wording="box-2026",
)
CUSTOMER_SOURCE = ConsentSource(
    shop=None,
    purpose=Purpose.EMAIL,
    path=f"customer.meta_data.{KEY}",
    granted=frozenset({"1", "subscribed"}),
    withdrawn=frozenset({"unsubscribed"}),
    wording="box-2026",
)
RULES = ConsentRules(wordings={"box-2026": BOX}, sources=(ORDER_SOURCE, CUSTOMER_SOURCE))
SOFT = replace(RULES, soft_opt_in=frozenset({"NO", "DK"}), soft_wordings={"NO": "box-2026"})


def read(fact: Order | Customer, rules: ConsentRules = RULES) -> tuple[Evidence, ...]:
    return evidence_of(fact, rules, received_at=RECEIVED, platform="woocommerce")


def ticked(value: Json) -> Order:
    return replace(ORDER, meta={"box": value})


def test_a_ticked_box_is_a_grant_when_the_order_was_placed() -> None:
    """The evidence carries who, when, where, how, and the digest of what was read."""
    assert read(ORDER) == (
        Evidence(
            contact="ase@example.org",
            purpose=Purpose.EMAIL,
            claim=Claim.GRANT,
            source="wool",
            received_at=RECEIVED,
            at=PLACED,
            method="checkout_tick",
            reference="order:22",
            wording="box-2026",
            wording_sha256=wording_sha256(BOX),
            country="NO",
        ),
    )


def test_the_digest_is_that_of_the_text() -> None:
    """Anybody can check it: it is the SHA-256 of the wording in UTF-8."""
    digest = "889be819e24eaa58cd98ff071bc5aa9d9d6b3fea8d62c6cd43778c7370d2bf60"

    assert digest == wording_sha256("æ")


@pytest.mark.parametrize("value", ["1", 1, 1.0, True, "TRUE", " Yes "])
def test_spellings_of_yes_are_one(value: Json) -> None:
    """A tick is a tick as text, number or truth."""
    assert [evidence.claim for evidence in read(ticked(value))] == [Claim.GRANT]


@pytest.mark.parametrize(
    "value", ["0", 0, False, "", None, "no", "2", [], ["1"], {"1": "1"}, "pending", "unsubscribed"]
)
def test_whatever_else_an_order_says_is_nothing(value: Json) -> None:
    """An unticked box is no withdrawal, and a value that is not named says nothing."""
    assert read(ticked(value)) == ()


def test_a_missing_box_is_nothing() -> None:
    """No key, no evidence."""
    assert read(replace(ORDER, meta={})) == ()


def test_an_order_can_take_back_at_the_moment_it_was_placed() -> None:
    """A value named as withdrawn withdraws, without a wording."""
    (evidence,) = read(ticked("Revoked"))

    assert (evidence.claim, evidence.at, evidence.wording) == (Claim.WITHDRAW, PLACED, None)


@pytest.mark.parametrize(
    ("value", "claims"),
    [
        ("1", [Claim.GRANT_UNDATED]),
        ("subscribed", [Claim.GRANT_UNDATED]),
        ("unsubscribed", [Claim.WITHDRAW]),
        ("0", []),
        ("transactional", []),
        ("archived", []),
        ("pending", []),
        ("", []),
    ],
)
def test_the_plugins_words_at_an_account(value: str, claims: list[Claim]) -> None:
    """Its 1 may be a pending one, so it has no date; only unsubscribed takes back."""
    customer = replace(CUSTOMER, meta={KEY: value})

    assert claims == [evidence.claim for evidence in read(customer)]


def test_an_accounts_yes_has_no_date_and_its_no_that_of_the_account() -> None:
    """An account does not tell when the box was ticked; a withdrawal counts from its version."""
    (yes,) = read(CUSTOMER)
    (taken,) = read(replace(CUSTOMER, meta={KEY: "unsubscribed"}))

    assert (yes.at, yes.method, yes.reference) == (None, "api_state", "customer:7")
    assert (taken.at, taken.wording) == (PLACED, None)


def test_a_future_grant_is_undated_and_a_future_withdrawal_is_now() -> None:
    """Times that are not believed work against sending; five minutes of skew are believed."""
    skewed = replace(ORDER, placed_at=RECEIVED + timedelta(seconds=300))
    future = replace(ORDER, placed_at=RECEIVED + timedelta(seconds=301))
    (granted,) = read(skewed)
    (undated,) = read(future)
    (taken,) = read(replace(future, meta={"box": "revoked"}))

    assert (Claim.GRANT, skewed.placed_at) == (granted.claim, granted.at)
    assert (undated.claim, undated.at) == (Claim.GRANT_UNDATED, None)
    assert (taken.claim, taken.at) == (Claim.WITHDRAW, RECEIVED)


def test_the_first_day_of_1970_is_no_date() -> None:
    """It is what systems write that have none."""
    (evidence,) = read(replace(ORDER, placed_at=datetime(1970, 1, 1, tzinfo=UTC)))

    assert (evidence.claim, evidence.at) == (Claim.GRANT_UNDATED, None)


def test_a_basket_that_was_not_placed_grants_nothing() -> None:
    """A checkout draft is saved while it is filled in: nobody has agreed yet."""
    assert read(replace(ORDER, status="checkout-draft")) == ()


def test_another_shops_source_is_not_read() -> None:
    """A source with a shop is that shop's; one without is every shop's."""
    assert read(replace(ORDER, shop="other")) == ()
    assert len(read(replace(CUSTOMER, shop="other"))) == 1


@pytest.mark.parametrize("email", [None, "", "no address"])
def test_without_an_address_there_is_nobody_to_permit(email: str | None) -> None:
    """Evidence is about a contact point; without one there is none."""
    assert read(replace(ORDER, email=email), SOFT) == ()


def test_text_messages_are_about_the_phone() -> None:
    """A permission for text messages is evidence about the number, in its international form."""
    sms = replace(RULES, sources=(replace(ORDER_SOURCE, purpose=Purpose.SMS),))
    (evidence,) = read(ORDER, sms)

    assert (evidence.contact, evidence.purpose) == ("+4791234567", Purpose.SMS)
    assert read(replace(ORDER, phone="0000"), sms) == ()


def test_the_platforms_own_consent_is_its_adapters_to_tell() -> None:
    """A source that stands for the platform's own state reads nothing here."""
    own = ConsentSource(shop=None, purpose=Purpose.EMAIL, path="shopify", granted=frozenset({"1"}))

    assert read(ORDER, replace(RULES, sources=(own,))) == ()


def test_two_sources_that_say_the_same_say_it_once() -> None:
    """Evidence is a set."""
    assert len(read(ORDER, replace(RULES, sources=(ORDER_SOURCE, ORDER_SOURCE)))) == 1


def test_a_purchase_is_a_soft_opt_in_where_it_is_allowed() -> None:
    """With the attested wording of the country, from the moment of the purchase."""
    (evidence,) = read(replace(ORDER, meta={}), SOFT)

    assert evidence == Evidence(
        contact="ase@example.org",
        purpose=Purpose.EMAIL,
        claim=Claim.SOFT,
        source="wool",
        received_at=RECEIVED,
        at=PLACED,
        method="sale",
        reference="order:22",
        wording="box-2026",
        wording_sha256=wording_sha256(BOX),
        country="NO",
    )


@pytest.mark.parametrize(
    "order",
    [
        replace(ORDER, meta={}, status="cancelled"),
        replace(ORDER, meta={}, countries=()),
        replace(ORDER, meta={}, countries=("PL",)),
        replace(ORDER, meta={}, countries=("NO", "PL")),
        replace(ORDER, meta={}, countries=("DK",)),
        replace(ORDER, meta={}, placed_at=RECEIVED + timedelta(days=1)),
    ],
    ids=["not counted", "no country", "another", "one of two", "no wording", "future"],
)
def test_a_purchase_is_no_soft_opt_in_elsewhere(order: Order) -> None:
    """Every country of the order must allow it, with a wording, for an order that counts."""
    assert read(order, SOFT) == ()


def test_an_account_is_no_purchase() -> None:
    """Soft opt-in rests on a sale alone."""
    assert read(replace(CUSTOMER, meta={}), SOFT) == ()


def test_the_same_fact_gives_the_same_evidence() -> None:
    """A replay says exactly what was said before."""
    assert read(ORDER, SOFT) == read(ORDER, SOFT)
