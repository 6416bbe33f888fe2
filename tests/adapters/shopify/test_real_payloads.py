"""Real payloads of many shops: each has an outcome that a person judged from its content."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from adapters.shopify.parse import TOPICS
from adapters.shopify.shop import ShopifyShop
from connector.model import (
    Cart,
    Claim,
    Customer,
    DataRequest,
    Deleted,
    Delivery,
    Evidence,
    Fact,
    Ignored,
    Kind,
    Order,
    Product,
    Quarantined,
    Redaction,
    Understanding,
    Understood,
    Variant,
    Wish,
)
from connector.strict_json import Sound, examine

pytestmark = pytest.mark.corpus
ARRIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

# By the topic a shop would send it under, what must come of it: what it states, what it asks for
# (?, or ?? for a deletion to be confirmed), why it is ignored (-) or why it is quarantined (!).
JUDGED = """
[app/uninstalled]
basicshopify-rest-error-oops  !topic_mismatch
goshopify-rest-shop  !topic_mismatch
shopifyjs202607-app-uninstalled-shop  -the app was uninstalled
[carts/update]
rudder-carts-update-test-gener0  -a cart of nobody
shopifypy-carts-list  -a cart of nobody
shopifysharp-carts-update-properties  -a cart of nobody
shopifysharp-carts-update  -a cart of nobody
[checkouts/create]
monei-checkouts-create  no cart bd5a8aa1ecd019dd3520ff791ee3a24c
rudder-checkouts-create-mapp-check0  no cart 84ad78572dae52a8cbea7d55371afe89
rudder-checkouts-create-mapp-check2  no cart 84ad78572dae52a8cbea7d55371afe89
[checkouts/delete]
rudder-go-checkout-delete  !topic_mismatch
[checkouts/update]
rudder-checkouts-update-test-check1  cart e89d4437003b6b8480f8bc7f8036a659
shopifyjs202607-checkouts-update-b  cart b490a9220cd14d7344024f4874f640a6
shopifyjs202607-checkouts-update-d  cart exuw7apwoycchjuwtiqg8nytfhphr62a
[collections/update]
docs202004-collections-update  -topic not used
[customers/create]
rudder-go-customers-create  customer 5747017285820
shopifyjs202607-customers-create  customer 1073339458
shopifypy-customers-create  customer 207119551
[customers/data_request]
apptemplate-customers-data-request  !other_shop
[customers/delete]
index-customers-delete-documented  ??customer 706405506930370084
[customers/purchasing_summary]
index-customers-purchasing-summary  -sums are worked out
[customers/redact]
shopifysharp-customers-redact-int-id  redaction
[customers/update]
airbyte-customers-update-taxexemptions-string  customer 6569096478909 email:GRANT_STATE
community-graphql-consent-mutation-unsubscribed  !topic_mismatch
community-graphql-consent-readback-subscribed  !topic_mismatch
goshopify-customers-update-both-consents  customer 1
goshopify-rest-customer-tags  !topic_mismatch
shopifyjs202607-customers-update-207119551  customer 207119551
shopifyjs202607-rest-customers-fields  !topic_mismatch
webhookdb-customers-updated-0  customer 706405506930370084 email:GRANT_UNDATED
webhookdb-customers-updated-1  customer 706405506930370084 email:GRANT_UNDATED
webhookdb-customers-updated-2  customer 706405506930370084 email:GRANT_UNDATED
webhookdb-rest-customers-page-3  !topic_mismatch
webhookdb-rest-customers-page-4  !topic_mismatch
webhookdb-rest-customers-page-5  !topic_mismatch
[customers_email_marketing_consent/update]
index-customers-email-consent-update-empty-email  ?customer 706405506930370084
[draft_orders/create]
docs202004-draft_orders-create  -topic not used
shopifyjs202607-draft_orders-create-a  -topic not used
[draft_orders/update]
monei-rest-draft-orders-list  -topic not used
shopifyjs202607-draft_orders-update  -topic not used
shopifypy-draft_orders-update-completed  -topic not used
slince-draft_orders-update  -topic not used
[fulfillments/create]
docs202004-fulfillments-create  -topic not used
[fulfillments/update]
rudder-go-fulfillments-update  -topic not used
[inventory_items/update]
docs202004-inventory_items-update  !id
[inventory_levels/update]
docs202004-inventory_levels-update  ?inventory_item 2718783465968840
monei-rest-inventory-levels-list  !topic_mismatch
shopifyjs202607-inventory_levels-update-adjust  ?inventory_item 808950810
shopifyjs202607-inventory_levels-update-set  ?inventory_item 457924702
shopifyjs202607-rest-inventory-levels  !topic_mismatch
[order_transactions/create]
docs202004-order_transactions-create  -topic not used
[orders/cancelled]
monei-orders-cancelled  order 450789469
shopifyjs202607-orders-cancelled-refunded  order 450789469
[orders/create]
docs202004-orders-create  -test order
goshopify-orders-create-basic  -test order
laravelshopify-orders-create-hmac-old  -test order
massivecolin-orders-create-usd-eur  -test order
shopifyjs202410-orders-create-g  order 1073459962
shopifyjs202607-orders-create-b  order 1073459980
shopifyjs202607-orders-create-d  order 1073459975
shopifyjs202607-orders-create-e  order 1073459970
testinterview-orders-create-jpy-1001  order 4216041013401
testinterview-orders-create-jpy-1003  !id
[orders/delete]
index-orders-delete-documented  ??order 820982911946154508
[orders/paid]
goshopify-orders-paid-with-transactions  -test order
rudder-orders-paid-mapp-order3  ?order 5778367414385
trendify-orders-paid-invalid-json  !not_json
[orders/partially_fulfilled]
rudder-go-orders-partially-fulfilled  -test order
[orders/updated]
coreapi-graphql-customer-orders-gbp  !topic_mismatch
goshopify-graphql-response-3  !topic_mismatch
goshopify-lineitem-properties-invalid1  !topic_mismatch
goshopify-lineitem-valid  !topic_mismatch
goshopify-rest-orders-list  !topic_mismatch
goshopify-rest-transactions-list  !topic_mismatch
goshopify-shippingline-requested-fulfillment-service-id-invalid  !not_json
goshopify-shippingline-requested-fulfillment-service-id-null  !topic_mismatch
goshopify-shippingline-requested-fulfillment-service-id-number  !topic_mismatch
goshopify-shippingline-valid  !topic_mismatch
index-bulk-mixed-interleaved  !not_json
index-bulk-orders  !not_json
index-bulk-typename-grandchild  !not_json
laravelshopify-rest-error-string  !topic_mismatch
monei-graphql-throttled  !topic_mismatch
monei-rest-orders-list  !topic_mismatch
monei-rest-tender-transactions  !topic_mismatch
rudder-orders-updated-mapp-order0  ?order 5778367414385
rudder-unsupported-event-test-gener1  !topic_mismatch
shopifyjs202410-orders-updated-450789469  order 450789469
shopifyjs202607-orders-updated-450789469  order 450789469
shopifyjs202607-orders-updated-variant  order 450789469
shopifyjs202607-rest-gift-cards  !topic_mismatch
shopifyjs202607-rest-orders-fields-subset  !topic_mismatch
shopifyjs202607-rest-orders-list-sparse  !topic_mismatch
shopifyjs202607-rest-transaction-external  !topic_mismatch
shopifypy-orders-updated  order 450789469
shopifypy-rest-gift-card-disabled  !topic_mismatch
shopifypy-rest-orders-list  !topic_mismatch
shopifypy-rest-tender-transactions  !topic_mismatch
spree-orders-updated-with-refund  -test order
spree-rest-error-401  !topic_mismatch
webhookdb-orders-updated-1  -test order
webhookdb-rest-orders-page-5  !topic_mismatch
[products/create]
frappe-products-create-single  product 6732194021530
shopifyjs202607-products-create-d  product 1072481042
[products/update]
basicshopify-graphql-shop-products-error  !topic_mismatch
frappe-rest-products-list-large  !topic_mismatch
goshopify-rest-variant-taxcode  !topic_mismatch
monei-rest-products-list  !topic_mismatch
shopifyjs202607-products-update-removed-variants  product 632910392
shopifyjs202607-rest-variants  !topic_mismatch
shopifypy-rest-products-list  !shape
shopifypy-rest-variants  !topic_mismatch
shopifysharp-graphql-products-list  !topic_mismatch
slince-products-update  product 632910392
spree-products-update-recorded  product 11055169028
[refunds/create]
docs202004-refunds-create  ?order 82098291194
monei-refunds-create-partial  ?order 450789469
monei-refunds-create-with-lines  ?order 450789469
monei-rest-refund-calculate  !topic_mismatch
shopifyjs202607-refunds-calculate-shipping  !topic_mismatch
shopifyjs202607-refunds-create-a  ?order 450789469
shopifypy-refunds-create  ?order 450789469
slince-refunds-create-with-sets  ?order 450789469
trendify-refunds-create  ?order 9876543210
[shop/redact]
apptemplate-shop-redact  !other_shop
shopifysharp-shop-redact-string-id  redaction
[shop/update]
docs202004-shop-update  -topic not used
"""

# The documented samples, by their topic.
SAMPLES = """
bulk_operations/finish  -bulk operations
customer.tags_added  ?customer 1
customer.tags_removed  ?customer 1
customers/create  customer 706405506930370084 ?customer 706405506930370084
customers/data_request  !other_shop
customers/delete  ??customer 706405506930370084
customers/disable  customer 706405506930370084 ?customer 706405506930370084
customers/enable  customer 706405506930370084 ?customer 706405506930370084
customers/merge  -the merge was not carried out
customers/purchasing_summary  -sums are worked out
customers/redact  !other_shop
customers/update  customer 706405506930370084 ?customer 706405506930370084
customers_email_marketing_consent/update  nothing
customers_marketing_consent/update  nothing
customers_whats_app_marketing_consent/update  -WhatsApp permissions
orders/paid  -test order
products/create  product 788032119674292922
products/delete  ??product 788032119674292922
products/update  product 788032119674292922
refunds/create  ?order 820982911946154508
shop/redact  !other_shop
"""
_NAMES: dict[type, str] = {
    Order: "order",
    Customer: "customer",
    Product: "product",
    Variant: "variant",
    DataRequest: "data request",
    Redaction: "redaction",
    Cart: "cart",
}


def _cases() -> Iterator[tuple[str, str, str]]:
    topic = ""
    for line in JUDGED.strip().splitlines():
        if line.startswith("["):
            topic = line.strip("[]")
            continue
        name, expected = line.split("  ")
        yield name, topic, expected


CASES = list(_cases())
SAMPLED = [line.split("  ") for line in SAMPLES.strip().splitlines()]


def _stated(fact: Fact) -> str:
    match fact:
        case Evidence(purpose=purpose, claim=claim):
            return f"{purpose}:{claim.name}"
        case Deleted(kind=kind, id=gone):
            return f"no {kind} {gone}"
        case DataRequest() | Redaction():
            return _NAMES[type(fact)]
        case _:
            return f"{_NAMES[type(fact)]} {fact.id}"


def _said(understanding: Understanding) -> str:
    match understanding:
        case Understood(facts=facts, wishes=wishes):
            asks = [f"{'??' if w.expected_gone else '?'}{w.kind} {w.id}" for w in wishes]
            return " ".join([*map(_stated, facts), *asks]) or "nothing"
        case Ignored(reason=reason):
            return f"-{reason}"
        case Quarantined(reason=reason):
            return f"!{reason}"


def _is(expected: str, said: str) -> bool:
    return said.startswith(expected) if expected.startswith("-") else said == expected


@lru_cache
def _shop(domain: str) -> ShopifyShop:
    return ShopifyShop("yarn", domain, access_token="x", currency="USD", timezone="UTC")


def _deliver(topic: str, body: bytes) -> Delivery:
    return Delivery(id=1, shop="yarn", topic=topic, received_at=ARRIVED, body=body)


def test_every_file_is_judged(corpus: Path) -> None:
    """No payload of the folder is left out of the table, and none is made up."""
    files = [path.stem for path in (corpus / "fixtures" / "shopify").iterdir()]
    assert sorted(name for name, _, _ in CASES) == sorted(files)
    samples = {
        path.stem.replace("__", "/")
        for path in (corpus / "specs" / "shopify" / "webhook_samples_2026-07").iterdir()
    }
    assert {topic for topic, _ in SAMPLED} == samples - {"_headers_example"}


@pytest.mark.parametrize(("name", "topic", "expected"), CASES, ids=[name for name, *_ in CASES])
def test_payload(corpus: Path, name: str, topic: str, expected: str) -> None:
    """A payload means what the table says, under the topic it would come with."""
    (path,) = (corpus / "fixtures" / "shopify").glob(f"{name}.*")
    # Two of the demands name a shop of their own; the uninstalled app's shop is the third.
    domain = "example" if name.startswith("shopifysharp") else "jsmith"
    understanding = _shop(f"{domain}.myshopify.com").understand(_deliver(topic, path.read_bytes()))
    assert _is(expected, _said(understanding)), _said(understanding)


@pytest.mark.parametrize(("topic", "expected"), SAMPLED, ids=[topic for topic, _ in SAMPLED])
def test_documented_sample(corpus: Path, topic: str, expected: str) -> None:
    """Shopify's own sample means what the table says."""
    folder = corpus / "specs" / "shopify" / "webhook_samples_2026-07"
    body = (folder / f"{topic.replace('/', '__')}.json").read_bytes()
    understanding = _shop("jsmith.myshopify.com").understand(_deliver(topic, body))
    assert _is(expected, _said(understanding)), _said(understanding)


@pytest.mark.parametrize("topic", ["customers/data_request", "customers/redact", "shop/redact"])
def test_sampled_demands_at_home(corpus: Path, topic: str) -> None:
    """The sampled demands, sent to the shop they name, are facts with all they name in them."""
    folder = corpus / "specs" / "shopify" / "webhook_samples_2026-07"
    body = (folder / f"{topic.replace('/', '__')}.json").read_bytes()
    understanding = _shop("{shop}.myshopify.com").understand(_deliver(topic, body))
    assert isinstance(understanding, Understood)
    due = ARRIVED + timedelta(days=30)
    orders = ("299938", "280263", "220458")
    who: dict[str, Any] = {"customer_id": "191167", "email": "john@example.com", "orders": orders}
    expected: dict[str, Fact] = {
        "customers/data_request": DataRequest(shop="yarn", request_id="9999", due_at=due, **who),
        "customers/redact": Redaction(shop="yarn", due_at=due, whole_shop=False, **who),
        "shop/redact": Redaction(shop="yarn", due_at=due, whole_shop=True),
    }
    assert (expected[topic],) == understanding.facts


def test_numbers_of_a_refunded_order(corpus: Path) -> None:
    """Total, tax, discounts and refund of the current shape, to the cent."""
    path = corpus / "fixtures" / "shopify" / "shopifyjs202607-orders-updated-450789469.json"
    understanding = _shop("a.myshopify.com").understand(
        _deliver("orders/updated", path.read_bytes())
    )
    assert isinstance(understanding, Understood)
    (order,) = understanding.facts
    assert isinstance(order, Order)
    assert ("USD", 59894, 1194, 0, 1000) == (
        order.currency,
        order.total,
        order.tax,
        order.shipping,
        order.discount,
    )
    assert [20900] == [refund.amount for refund in order.refunds]
    assert [19566, 19567, 19567] == [line.total for line in order.lines]
    assert ("partially_refunded", "#1001", ("US",)) == (order.status, order.number, order.countries)
    assert {"custom engraving": "Happy Birthday", "colour": "green"} == order.meta


def test_buyer_paid_in_euros(corpus: Path) -> None:
    """A real order of a dollar shop, shown in euros: every sum is in dollars, its tick a grant."""
    path = corpus / "fixtures" / "shopify" / "massivecolin-orders-create-usd-eur.json"
    body = path.read_bytes().replace(b'"test": true', b'"test": false')
    understanding = _shop("a.myshopify.com").understand(_deliver("orders/create", body))
    assert isinstance(understanding, Understood)
    order, tick = understanding.facts
    assert isinstance(order, Order)
    assert isinstance(tick, Evidence)
    assert ("USD", 12436, [4501, 7935]) == (
        order.currency,
        order.total,
        [line.total for line in order.lines],
    )
    assert (Claim.GRANT, datetime(2024, 6, 24, 11, 55, 18, tzinfo=UTC), "contact@example.com") == (
        tick.claim,
        tick.at,
        tick.contact,
    )


def test_no_decimals_in_yen(corpus: Path) -> None:
    """5,900 yen are 5,900 minor units."""
    path = corpus / "fixtures" / "shopify" / "testinterview-orders-create-jpy-1001.json"
    understanding = _shop("a.myshopify.com").understand(
        _deliver("orders/create", path.read_bytes())
    )
    assert isinstance(understanding, Understood)
    (order,) = understanding.facts
    assert isinstance(order, Order)
    assert ("JPY", 5900, None, None) == (
        order.currency,
        order.total,
        order.email,
        order.customer_id,
    )


def test_every_body_under_every_topic(corpus: Path) -> None:
    """All bodies under all topics: nothing is deleted, forgotten or taken for another kind."""
    folders = (
        corpus / "fixtures" / "shopify",
        corpus / "specs" / "shopify" / "webhook_samples_2026-07",
    )
    bodies = {path.read_bytes() for folder in folders for path in folder.iterdir()}
    topics = TOPICS | {topic for _, topic, _ in CASES} | {topic for topic, _ in SAMPLED}
    own: dict[str, tuple[type, ...]] = {
        "orders": (Order, Evidence),
        "customers": (Customer, Evidence),
        "products": (Product,),
        "checkouts": (Cart, Deleted),
    }
    shop = _shop("example.myshopify.com")
    outcomes = 0
    for body in bodies:
        examined = examine(body)
        keys = examined.value.keys() if isinstance(examined, Sound) else set()
        for topic in topics:
            understanding = shop.understand(_deliver(topic, body))
            outcomes += 1
            if not isinstance(understanding, Understood):
                continue
            gone_kinds = {f.kind for f in understanding.facts if isinstance(f, Deleted)}
            # A checkout that is completed or nobody's is a cart no more; it says so of itself.
            assert gone_kinds <= ({Kind.CART} if topic.startswith("checkouts/") else set())
            demands = [f for f in understanding.facts if isinstance(f, DataRequest | Redaction)]
            assert bool(demands) == (topic in {"customers/redact", "shop/redact"})
            assert not demands or "shop_domain" in keys
            if topic == "shop/redact":
                assert keys == {"shop_id", "shop_domain"}
            resource = topic.partition("/")[0]
            if resource in own and not demands:
                assert all(isinstance(fact, own[resource]) for fact in understanding.facts)
            gone = [wish for wish in understanding.wishes if wish.expected_gone]
            assert bool(gone) == (topic.endswith("/delete") and topic != "checkouts/delete")
            assert not gone or keys in (
                {"id"},
                {"id", "tax_exemptions", "admin_graphql_api_id"},
            )
            assert not (gone and understanding.facts)
    assert len(bodies) * len(topics) == outcomes


def test_versions_order_the_pair(corpus: Path) -> None:
    """Two real states of one account: the one with the newer date is newer, whichever came last."""
    folder = corpus / "fixtures" / "shopify"
    newer, older = (
        _shop("a.myshopify.com").understand(
            _deliver(
                "customers/update", (folder / f"webhookdb-customers-updated-{n}.json").read_bytes()
            )
        )
        for n in (2, 1)
    )
    assert isinstance(newer, Understood)
    assert isinstance(older, Understood)
    states = [u.facts[0] for u in (newer, older)]
    assert all(isinstance(state, Customer) for state in states)
    assert states[0].version > states[1].version  # type: ignore[union-attr]
    assert Wish(kind=Kind.CUSTOMER, id="706405506930370084") not in newer.wishes
