"""Which topic means what, and that no body is believed under another's topic or another's shop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.shopify.parse import TOPICS
from adapters.shopify.shop import door_of
from connector.model import (
    Cart,
    Customer,
    DataRequest,
    Deleted,
    Evidence,
    Ignored,
    Kind,
    Order,
    Product,
    Quarantined,
    Redaction,
    Understanding,
    Understood,
    Wish,
)
from connector.ports import Door

Build = Callable[..., dict[str, Any]]
Read = Callable[..., Understanding]
Why = Callable[..., str]

DOMAIN = "yarn-and-more.myshopify.com"
GID = "gid://shopify/Customer/706405506930370084"
ID = 706405506930370084
DUE = datetime(2026, 12, 23, 12, 0, tzinfo=UTC)
ABOUT = {"shop_id": 954889, "shop_domain": DOMAIN}
PERSON = {"id": 191167, "email": "John@Example.com", "phone": "+4722000000"}
ASKED = {"customer": PERSON, "orders_requested": [299938, "280263"], "data_request": {"id": 9999}}
FORGET = {"customer": PERSON, "orders_to_redact": [820982911946154508]}
AT = "2026-11-22T10:00:00+01:00"


@pytest.fixture
def bodies(order: Build, customer: Build, product: Build, refund: Build) -> dict[str, Any]:
    """One body of each shape, by the topics it may come under."""
    return {
        "orders/create orders/updated orders/paid orders/cancelled orders/fulfilled "
        "orders/partially_fulfilled": order(),
        "orders/edited": {"order_edit": {"order_id": 1}},
        "refunds/create": refund(),
        "customers/create customers/update customers/enable customers/disable": customer(),
        "customers/merge": {
            "admin_graphql_api_customer_kept_id": GID,
            "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/2",
            "status": "completed",
        },
        "customer.tags_added customer.tags_removed": {
            "customerId": GID,
            "tags": [],
            "occurredAt": AT,
        },
        "customers_email_marketing_consent/update": {
            "customer_id": ID,
            "email_address": "a@b.no",
            "email_marketing_consent": {"state": "redacted"},
        },
        "customers_marketing_consent/update": {
            "id": ID,
            "phone": "+4722000000",
            "sms_marketing_consent": {"state": "redacted"},
        },
        "products/create products/update": product(),
        "inventory_levels/connect inventory_levels/update inventory_levels/disconnect": {
            "inventory_item_id": 1,
            "location_id": 2,
        },
        "inventory_items/create inventory_items/update": {"id": 1, "sku": "", "tracked": True},
        "orders/delete products/delete": {"id": 1},
        "customers/delete": {"id": ID, "tax_exemptions": [], "admin_graphql_api_id": GID},
        "customers/data_request": ABOUT | ASKED,
        "customers/redact": ABOUT | FORGET,
        "shop/redact": ABOUT,
        "checkouts/create checkouts/update": {
            "token": "c0ffee00c0ffee",
            "line_items": [],
            "currency": "NOK",
            "subtotal_price": "0.00",
            "total_price": "0.00",
            "created_at": AT,
            "email": "a@b.no",
        },
        "checkouts/delete": {
            "id": 1,
            "presentment_currency": "NOK",
            "buyer_accepts_sms_marketing": False,
            "sms_marketing_phone": None,
        },
        "discounts/create discounts/update": {
            "admin_graphql_api_id": "gid://shopify/DiscountCodeNode/1",
            "title": "Ull",
            "status": "ACTIVE",
            "created_at": AT,
            "updated_at": AT,
        },
        "discounts/delete": {"admin_graphql_api_id": "gid://shopify/DiscountCodeNode/1"},
        "app/uninstalled": {
            "id": 1,
            "name": "Yarn",
            "domain": "yarn.example",
            "myshopify_domain": DOMAIN,
        },
    }


def test_every_topic_is_there(bodies: dict[str, Any]) -> None:
    """The bodies of these tests cover every topic that is read."""
    assert TOPICS == {topic for topics in bodies for topic in topics.split()}


def test_every_body_under_every_topic(understand: Read, bodies: dict[str, Any]) -> None:
    """Row 54: a body replayed under another topic states, deletes and forgets nothing."""
    counts = {"own": 0, "refused": 0}
    for topics, body in bodies.items():
        for topic in TOPICS:
            understanding = understand(topic, body)
            if topic in topics.split():
                assert isinstance(understanding, Understood | Ignored), topic
                counts["own"] += 1
            else:
                assert isinstance(understanding, Quarantined), (topic, topics)
                assert "topic_mismatch" == understanding.reason
                counts["refused"] += 1
    assert {"own": len(TOPICS), "refused": len(TOPICS) * (len(bodies) - 1)} == counts


def test_old_account_is_no_permission(reason: Why, customer: Build) -> None:
    """An old account's body has all keys of a permission, and is none."""
    body = customer(tags="", sms_marketing_consent={"state": "subscribed"}, customer_id=1)
    body |= {"email_address": "", "email_marketing_consent": {"state": "redacted"}}
    assert "topic_mismatch" == reason("customers_marketing_consent/update", body)
    assert "topic_mismatch" == reason("customers_email_marketing_consent/update", body)


@pytest.mark.parametrize(
    ("topic", "body", "kind", "gone"),
    [
        ("orders/delete", {"id": 22}, Kind.ORDER, "22"),
        ("products/delete", {"id": "22"}, Kind.PRODUCT, "22"),
        (
            "customers/delete",
            {"id": ID, "tax_exemptions": [], "admin_graphql_api_id": GID},
            Kind.CUSTOMER,
            str(ID),
        ),
    ],
)
def test_deletions_are_only_wishes(
    understand: Read, topic: str, body: Any, kind: Kind, gone: str
) -> None:
    """A deletion is never believed unseen: the shop is to be asked, and nothing is deleted yet."""
    wish = Wish(kind=kind, id=gone, expected_gone=True)
    assert Understood(wishes=(wish,)) == understand(topic, body)


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("orders/delete", {"id": 1, "name": "x"}),
        ("products/delete", {}),
        ("products/delete", {"ID": 1}),
        ("customers/delete", {"id": 1}),
        ("customers/delete", {"id": 1, "tax_exemptions": [], "email": "a@b.no"}),
    ],
)
def test_row_54_deletions_of_another_shape(reason: Why, topic: str, body: Any) -> None:
    """Row 54: a deletion brings its documented keys and nothing else."""
    assert "topic_mismatch" == reason(topic, body)


def test_deletion_of_another_kind(reason: Why) -> None:
    """An account's deletion names an account."""
    body = {"id": 1, "tax_exemptions": [], "admin_graphql_api_id": "gid://shopify/Order/1"}
    assert "id" == reason("customers/delete", body)


UNUSED = [
    ("carts/create", "a cart of nobody: the checkout names its buyer"),
    ("carts/update", "a cart of nobody: the checkout names its buyer"),
    ("customers/purchasing_summary", "sums are worked out from the orders"),
    ("customers_whats_app_marketing_consent/update", "WhatsApp permissions are not kept"),
    ("bulk_operations/finish", "bulk operations are looked after where they were started"),
    ("inventory_items/delete", "products/update says the same"),
    ("draft_orders/create", "topic not used: draft_orders/create"),
    ("fulfillments/update", "topic not used: fulfillments/update"),
    ("", "topic not used: unreadable"),
    ("x" * 200, "topic not used: unreadable"),
    ("eva@example.org", "topic not used: unreadable"),
]


@pytest.mark.parametrize(("topic", "why"), UNUSED)
def test_row_36_topics_not_used(understand: Read, topic: str, why: str) -> None:
    """Row 36: other topics are ignored with the reason, whatever their body is."""
    for body in ({"id": 15}, {}, b"not json", b""):
        assert Ignored(reason=why) == understand(topic, body)


def test_uninstalled(understand: Read, reason: Why) -> None:
    """The app is gone from this shop; that another shop took it out is none of its concern."""
    body = {"id": 1, "name": "Yarn", "domain": "yarn.example", "myshopify_domain": DOMAIN}
    expected = Ignored(reason="the app was uninstalled: this shop sends nothing until it is back")
    assert expected == understand("app/uninstalled", body)
    other = body | {"myshopify_domain": "other.myshopify.com"}
    assert "other_shop" == reason("app/uninstalled", other)


def test_data_request(understand: Read) -> None:
    """A person wants to see what is held: a fact with all that names them, due in 30 days."""
    expected = DataRequest(
        shop="yarn",
        request_id="9999",
        due_at=DUE,
        customer_id="191167",
        email="john@example.com",
        phone="+4722000000",
        orders=("299938", "280263"),
    )
    assert Understood(facts=(expected,)) == understand("customers/data_request", ABOUT | ASKED)


def test_redaction(understand: Read) -> None:
    """A person is to be forgotten, with the orders named; ids beyond 2**53 stay exact."""
    expected = Redaction(
        shop="yarn",
        due_at=DUE,
        whole_shop=False,
        customer_id="191167",
        email="john@example.com",
        phone="+4722000000",
        orders=("820982911946154508",),
    )
    assert Understood(facts=(expected,)) == understand("customers/redact", ABOUT | FORGET)


def test_redaction_of_an_address(understand: Read) -> None:
    """Row 56: somebody without an account is named by the address; a bad phone is left out."""
    body = ABOUT | {
        "customer": {"email": "a@b.no", "phone": "555-625-1199"},
        "orders_to_redact": None,
    }
    expected = Redaction(shop="yarn", due_at=DUE, whole_shop=False, email="a@b.no")
    assert Understood(facts=(expected,)) == understand("customers/redact", body)


def test_shop_redaction(understand: Read) -> None:
    """48 hours after the app was taken out, everybody of the shop is to be forgotten."""
    expected = Redaction(shop="yarn", due_at=DUE, whole_shop=True)
    assert Understood(facts=(expected,)) == understand("shop/redact", ABOUT)


DEMANDS = {
    "customers/data_request": ABOUT | ASKED,
    "customers/redact": ABOUT | FORGET,
    "shop/redact": ABOUT,
}


@pytest.mark.parametrize("topic", DEMANDS)
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"shop_domain": "other.myshopify.com"}, "other_shop"),
        ({"shop_domain": "{shop}.myshopify.com"}, "other_shop"),
        ({"shop_domain": ""}, "other_shop"),
        ({"shop_domain": None}, "topic_mismatch"),
        ({"shop_domain": ["x"]}, "topic_mismatch"),
        ({"note": "one key more"}, "topic_mismatch"),
        ({"shop_domain": ...}, "topic_mismatch"),
        ({"shop_id": ...}, "topic_mismatch"),
    ],
)
def test_row_55_demands_of_another_shop(
    reason: Why, topic: str, change: dict[str, Any], expected: str
) -> None:
    """Row 55: without the shop's own domain, or in another shape, nobody is forgotten."""
    body = {key: value for key, value in (DEMANDS[topic] | change).items() if value is not ...}
    assert expected == reason(topic, body)


@pytest.mark.parametrize("topic", ["customers/data_request", "customers/redact"])
@pytest.mark.parametrize(
    ("person", "expected"),
    [
        (None, "topic_mismatch"),
        ([], "topic_mismatch"),
        ({}, "id"),
        ({"id": None, "email": ""}, "id"),
        ({"id": -1, "email": "a@b.no"}, "id"),
        ({"id": "x", "email": "a@b.no"}, "id"),
    ],
)
def test_demands_about_nobody(reason: Why, topic: str, person: Any, expected: str) -> None:
    """Whoever is not named cannot be found: a person has to look."""
    assert expected == reason(topic, DEMANDS[topic] | {"customer": person})


def test_demands_with_odd_ids(reason: Why) -> None:
    """An order or a request that cannot be named is not guessed."""
    body = ABOUT | FORGET | {"orders_to_redact": [1, "x"]}
    assert "id" == reason("customers/redact", body)
    assert "id" == reason("customers/data_request", ABOUT | ASKED | {"data_request": {}})


@pytest.mark.parametrize("name", ["X-Shopify-Shop-Domain", "x-shopify-shop-domain"])
def test_delivery_of_another_shop(understand: Read, order: Build, name: str) -> None:
    """One app's secret signs for every shop: a delivery that names another one states nothing."""
    understanding = understand("orders/create", order(), {name: "other.myshopify.com"})
    assert isinstance(understanding, Quarantined)
    assert "other_shop" == understanding.reason
    mine = understand("orders/create", order(), {name: " Yarn-And-More.myshopify.com"})
    assert isinstance(mine, Understood)
    assert 1 == len(mine.facts)


def test_row_38_another_version(understand: Read, order: Build) -> None:
    """Row 38: a body of another API version is read, and flagged for the doctor."""
    older = understand("orders/create", order(), {"X-Shopify-API-Version": "2025-07"})
    assert isinstance(older, Understood)
    assert ("other_api_version",) == older.flags
    assert 1 == len(older.facts)
    same = understand("orders/create", order(), {"X-Shopify-API-Version": "2026-10"})
    assert isinstance(same, Understood)
    assert () == same.flags


def test_topic_in_capitals(understand: Read, order: Build) -> None:
    """Letter case and white space around a topic are no matter."""
    understanding = understand(" Orders/Create ", order())
    assert isinstance(understanding, Understood)
    assert [Order] == [type(fact) for fact in understanding.facts]


def test_own_kinds_only(understand: Read, bodies: dict[str, Any]) -> None:
    """Under its own topic a body states its own kind, and never that something is deleted."""
    kinds: set[type] = set()
    for topics, body in bodies.items():
        for topic in topics.split():
            understanding = understand(topic, body)
            if isinstance(understanding, Understood):
                kinds |= {type(fact) for fact in understanding.facts}
    assert {Order, Customer, Product, Cart, Evidence, DataRequest, Redaction} == kinds
    assert Deleted not in kinds


def test_door() -> None:
    """How Shopify knocks: what is signed, what tells deliveries apart, and who must be named."""
    door = door_of("Yarn-And-More.myshopify.com")
    assert isinstance(door, Door)
    assert ("X-Shopify-Hmac-Sha256", "X-Shopify-Topic", "X-Shopify-Webhook-Id") == (
        door.signature_header,
        door.topic_header,
        door.delivery_header,
    )
    assert ("X-Shopify-Shop-Domain", DOMAIN, None) == (door.origin_header, door.origin, door.ping)
    kept = {"X-Shopify-Triggered-At", "X-Shopify-Event-Id", "X-Shopify-API-Version"}
    assert kept | {"X-Shopify-Shop-Domain", "X-Shopify-Name"} == set(door.kept_headers)
