"""A withdrawal made elsewhere is told to the shop, as of when it was made; never a permission."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from adapters.shopify.sandbox import SCOPES, Sandbox
from adapters.shopify.shop import ShopifyShop
from connector.errors import LaneDown, TryLater
from connector.model import Claim, Delivery, Evidence, Purpose, Understood
from connector.ports import TakingBack

THEN, NOW = datetime(2026, 11, 1, 8, 30, 15, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
EARLIER = datetime(2026, 10, 1, tzinfo=UTC)
WITHDRAWN = Evidence(
    contact="ida@epost.example",
    purpose=Purpose.EMAIL,
    claim=Claim.WITHDRAW,
    source="newsletter",
    at=THEN,
    received_at=NOW,
)
BY_SMS = replace(WITHDRAWN, contact="+4722000000", purpose=Purpose.SMS)
EMAIL, SMS = "customers_email_marketing_consent/update", "customers_marketing_consent/update"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(auto=False, clock=lambda: NOW) as shop:
        yield shop


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[ShopifyShop]:
    opened = adapter(sandbox)
    yield opened
    opened.close()


def adapter(sandbox: Sandbox) -> ShopifyShop:
    return ShopifyShop(
        "yarn", sandbox.domain, sandbox.base_url, access_token=sandbox.token, currency="NOK"
    )


def ida(sandbox: Sandbox, state: str = "subscribed", **given: Any) -> str:
    """A customer with an address, a number and both permissions since October."""
    person = {"email": "Ida@Epost.example", "phone": "+4722000000", **given}
    made = sandbox.customers.create(person, now=EARLIER)
    if state:
        sandbox.customers.consent(made["id"], state, level="confirmed_opt_in", now=EARLIER)
        sandbox.customers.sms_consent(made["id"], state, now=EARLIER)
    return str(made["id"])


def kept(sandbox: Sandbox, number: str, kind: str = "email") -> Any:
    return sandbox.customers.get(int(number))[f"{kind}_consent"]


@pytest.mark.parametrize(("said", "kind"), [(WITHDRAWN, "email"), (BY_SMS, "sms")])
@pytest.mark.parametrize("state", ["subscribed", "pending", ""])
def test_told_as_of_then(
    sandbox: Sandbox, shop: ShopifyShop, said: Evidence, kind: str, state: str
) -> None:
    """The shop has it with its own date, and the level that it knew; the other one stays."""
    number = ida(sandbox, state)
    other = "sms" if kind == "email" else "email"
    before, level = kept(sandbox, number, other), (kept(sandbox, number, kind) or {})
    assert isinstance(shop, TakingBack)
    assert shop.take_back(said, customer_ids=[number]) is True
    consent = kept(sandbox, number, kind)
    assert ("unsubscribed", THEN) == (
        consent["state"],
        datetime.fromisoformat(consent["consent_updated_at"]),
    )
    assert level.get("opt_in_level") == consent["opt_in_level"]
    assert before == kept(sandbox, number, other)


@pytest.mark.parametrize(("said", "topic"), [(WITHDRAWN, EMAIL), (BY_SMS, SMS)])
def test_the_echo_says_the_same(
    sandbox: Sandbox, shop: ShopifyShop, said: Evidence, topic: str, monkeypatch: Any
) -> None:
    """What Shopify tells of it afterwards is the same withdrawal at the same moment."""
    number = ida(sandbox)
    told: list[Any] = []
    monkeypatch.setattr(sandbox.sender, "announce", told.append)
    assert shop.take_back(said, customer_ids=[number])
    (echo,) = [each for each in told if each.topic == topic]
    delivery = Delivery(
        id=1,
        shop="yarn",
        topic=topic,
        received_at=NOW,
        body=json.dumps(echo.payload).encode(),
    )
    understood = shop.understand(delivery)
    assert isinstance(understood, Understood)
    (evidence,) = understood.facts
    assert isinstance(evidence, Evidence)
    assert (said.contact, said.purpose, Claim.WITHDRAW, THEN) == (
        evidence.contact,
        evidence.purpose,
        evidence.claim,
        evidence.at,
    )


def test_a_newer_yes_stands(sandbox: Sandbox, shop: ShopifyShop) -> None:
    """Who subscribed in the shop after withdrawing elsewhere stays subscribed there."""
    number = ida(sandbox)
    sandbox.customers.consent(int(number), "subscribed", now=THEN + timedelta(days=1))
    before = kept(sandbox, number)
    assert shop.take_back(WITHDRAWN, customer_ids=[number]) is True
    assert before == kept(sandbox, number)


def test_told_already(sandbox: Sandbox, shop: ShopifyShop) -> None:
    """Told twice, it is changed once; what the shop knew before keeps its own date."""
    number = ida(sandbox, "unsubscribed")
    before = sandbox.customers.get(int(number))
    assert shop.take_back(WITHDRAWN, customer_ids=[number]) is True
    assert before == sandbox.customers.get(int(number))


def test_without_a_date(sandbox: Sandbox, shop: ShopifyShop) -> None:
    """A withdrawal without a date is as of when it was heard of."""
    number = ida(sandbox)
    heard = THEN + timedelta(hours=2)
    said = replace(WITHDRAWN, at=None, received_at=heard)
    assert shop.take_back(said, customer_ids=[number]) is True
    assert heard == datetime.fromisoformat(kept(sandbox, number)["consent_updated_at"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"email": "ida.ny@epost.example"}, WITHDRAWN),
        ({"email": None}, WITHDRAWN),
        ({"phone": "+4722000001"}, BY_SMS),
        ({"phone": None}, BY_SMS),
    ],
)
def test_moved_on(
    sandbox: Sandbox, shop: ShopifyShop, change: dict[str, Any], said: Evidence
) -> None:
    """An account with another address or number by now is not touched: what is there is its own."""
    number = ida(sandbox)
    sandbox.customers.change(int(number), change, now=NOW)
    before = sandbox.customers.get(int(number))
    assert shop.take_back(said, customer_ids=[number]) is False
    assert before == sandbox.customers.get(int(number))


def test_nobody(sandbox: Sandbox, shop: ShopifyShop) -> None:
    """No account, or one that is gone."""
    number = ida(sandbox)
    sandbox.customers.delete(int(number))
    assert shop.take_back(WITHDRAWN, customer_ids=[]) is False
    assert shop.take_back(WITHDRAWN, customer_ids=[number]) is False


def test_one_of_several(sandbox: Sandbox, shop: ShopifyShop) -> None:
    """Of several accounts, the one that has the address is told."""
    number = ida(sandbox)
    other = sandbox.customers.create({"email": "ole@epost.example"}, now=EARLIER)
    assert shop.take_back(WITHDRAWN, customer_ids=[str(other["id"]), "17", number]) is True
    assert "unsubscribed" == kept(sandbox, number)["state"]
    assert "not_subscribed" == kept(sandbox, str(other["id"]))["state"]


def test_ads_are_no_business_of_the_shop(sandbox: Sandbox, shop: ShopifyShop) -> None:
    """Shopify keeps no permission for ads: e-mail and SMS stay as they are."""
    number = ida(sandbox)
    before = sandbox.customers.get(int(number))
    assert shop.take_back(replace(WITHDRAWN, purpose=Purpose.ADS), customer_ids=[number]) is False
    assert before == sandbox.customers.get(int(number))


@pytest.mark.parametrize("claim", [claim for claim in Claim if claim is not Claim.WITHDRAW])
def test_nothing_else_is_told(sandbox: Sandbox, shop: ShopifyShop, claim: Claim) -> None:
    """Whatever is no withdrawal is refused before anything is asked."""
    number = ida(sandbox)
    before = sandbox.customers.get(int(number))
    with pytest.raises(ValueError, match=claim.value):
        shop.take_back(replace(WITHDRAWN, claim=claim), customer_ids=[number])
    assert before == sandbox.customers.get(int(number))


def test_a_lacking_scope_is_named() -> None:
    """Without the scope nothing changes, and it is said who gives it."""
    with Sandbox(auto=False, clock=lambda: NOW, scopes=SCOPES - {"write_customers"}) as sandbox:
        number = ida(sandbox)
        shop = adapter(sandbox)
        with pytest.raises(LaneDown, match="write_customers") as refused:
            shop.take_back(WITHDRAWN, customer_ids=[number])
        shop.close()
        assert "The shop's owner" in refused.value.mend
        assert "write_customers" in refused.value.mend
        assert "subscribed" == kept(sandbox, number)["state"]


# --- Answers that the stand-in does not give -----------------------------------------------------

ACCOUNT = {
    "customer": {
        "id": "gid://shopify/Customer/7",
        "defaultEmailAddress": {
            "emailAddress": "ida@epost.example",
            "marketingState": "SUBSCRIBED",
            "marketingOptInLevel": "SINGLE_OPT_IN",
        },
        "defaultPhoneNumber": None,
    }
}
FIELD = "customerEmailMarketingConsentUpdate"


def answering(*answers: Any) -> tuple[ShopifyShop, list[Any]]:
    queue, asked = iter(answers), []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return httpx.Response(200, json=next(queue))

    transport = httpx.MockTransport(handle)
    return ShopifyShop("yarn", "y.myshopify.com", access_token="x", transport=transport), asked


@pytest.mark.parametrize("code", ["INVALID", "INTERNAL_ERROR", "INCLUSION", None])
def test_refused_for_no_reason_we_know(code: str | None) -> None:
    """A refusal of an account that still has the address is tried again later, not forgotten."""
    refusal = {"data": {FIELD: {"userErrors": [{"code": code, "field": ["input"]}]}}}
    shop, _ = answering({"data": ACCOUNT}, refusal, {"data": ACCOUNT})
    with pytest.raises(TryLater, match=str(code)) as told:
        shop.take_back(WITHDRAWN, customer_ids=["7"])
    assert "ida" not in str(told.value)


def test_moved_on_in_between() -> None:
    """A refusal of an account that lost the address meanwhile means that nobody has it."""
    refusal = {"data": {FIELD: {"userErrors": [{"code": "INVALID", "field": None}]}}}
    shop, asked = answering({"data": ACCOUNT}, refusal, {"data": {"customer": None}})
    assert shop.take_back(WITHDRAWN, customer_ids=["7"]) is False
    assert 3 == len(asked)


def test_denied_without_a_name() -> None:
    """A refusal that names no scope still says which is meant."""
    denied = {
        "data": {FIELD: None},
        "errors": [{"message": "Access denied", "extensions": {"code": "ACCESS_DENIED"}}],
    }
    shop, _ = answering({"data": ACCOUNT}, denied)
    with pytest.raises(LaneDown, match="write_customers"):
        shop.take_back(WITHDRAWN, customer_ids=["7"])


def test_an_answer_that_says_nothing() -> None:
    """Whether it was taken must be said."""
    shop, _ = answering({"data": ACCOUNT}, {"data": {FIELD: None}})
    with pytest.raises(TryLater):
        shop.take_back(WITHDRAWN, customer_ids=["7"])


@pytest.mark.parametrize(
    ("level", "sent"), [("SINGLE_OPT_IN", "SINGLE_OPT_IN"), (None, None), ("NEW_WORD", None)]
)
def test_only_levels_that_may_be_written(level: Any, sent: Any) -> None:
    """The level stays what it was, if Shopify takes it as an input."""
    account = json.loads(json.dumps(ACCOUNT))
    account["customer"]["defaultEmailAddress"]["marketingOptInLevel"] = level
    shop, asked = answering({"data": account}, {"data": {FIELD: {"userErrors": []}}})
    assert shop.take_back(WITHDRAWN, customer_ids=["7"]) is True
    expected = {"id": "gid://shopify/Customer/7", "at": "2026-11-01T08:30:15Z", "level": sent}
    assert expected == asked[1]["variables"]
