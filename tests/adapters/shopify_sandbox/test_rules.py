"""The rules of the Admin API: who may subscribe and ask for what, what it costs and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.shopify.sandbox import Sandbox
from adapters.shopify.sandbox_graphql import part_of

Ask = Callable[..., Any]
Buy = Callable[..., Any]

CUSTOMER = """query C($id: ID!) { customer(id: $id) {
  firstName defaultEmailAddress { emailAddress } defaultAddress { countryCodeV2 } } }"""
SUBSCRIBE = """mutation($topic: WebhookSubscriptionTopic!, $w: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $w) {
    webhookSubscription { id topic uri includeFields name apiVersion { handle } }
    userErrors { field message } } }"""
LIST = """query($topics: [WebhookSubscriptionTopic!], $uri: String) {
  webhookSubscriptionsCount { count }
  webhookSubscriptions(first: 50, topics: $topics, uri: $uri) { nodes { id topic uri } } }"""


def test_subscribing(ask: Ask, shop: Sandbox, receiver: Any) -> None:
    """Subscriptions are made, listed, moved and given up, and deliveries follow them."""
    wanted = {"uri": receiver.url, "includeFields": ["id"], "name": "people"}
    made = ask(SUBSCRIBE, topic="CUSTOMERS_CREATE", w=wanted)["data"]["webhookSubscriptionCreate"]
    name = made["webhookSubscription"].pop("id")
    assert made == {
        "webhookSubscription": {
            "topic": "CUSTOMERS_CREATE",
            "uri": receiver.url,
            "includeFields": ["id"],
            "name": "people",
            "apiVersion": {"handle": "2026-10"},
        },
        "userErrors": [],
    }
    listed = ask(LIST, topics=["CUSTOMERS_CREATE"], uri=receiver.url)["data"]
    assert listed["webhookSubscriptions"]["nodes"] == [
        {"id": name, "topic": "CUSTOMERS_CREATE", "uri": receiver.url}
    ]
    assert ask(LIST, topics=["ORDERS_CREATE"])["data"]["webhookSubscriptions"]["nodes"] == []
    change = """mutation($id: ID!, $w: WebhookSubscriptionInput!) {
      webhookSubscriptionUpdate(id: $id, webhookSubscription: $w) {
        webhookSubscription { uri includeFields } userErrors { message } } }"""
    moved = {"uri": receiver.url + "/2", "includeFields": []}
    told = ask(change, id=name, w=moved)["data"]["webhookSubscriptionUpdate"]
    assert told == {"webhookSubscription": moved, "userErrors": []}
    shop.customers.create({"email": "a@b.example"})
    assert shop.deliver() == 1
    drop = """mutation($id: ID!) { webhookSubscriptionDelete(id: $id) {
      deletedWebhookSubscriptionId userErrors { field message } } }"""
    assert ask(drop, id=name)["data"]["webhookSubscriptionDelete"] == {
        "deletedWebhookSubscriptionId": name,
        "userErrors": [],
    }
    again = ask(drop, id=name)["data"]["webhookSubscriptionDelete"]
    assert again["userErrors"] == [
        {"field": ["id"], "message": "Webhook subscription does not exist"}
    ]
    shop.customers.create({"email": "b@b.example"})
    assert shop.deliver() == 0


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("", "Address can't be blank"),
        ("http://shop.example/hook", "Address protocol http:// is not supported"),
        ("ftp://shop.example/hook", "Address protocol http:// is not supported"),
    ],
)
def test_a_bad_address(ask: Ask, shop: Sandbox, uri: str, message: str) -> None:
    """An address must be https (on this machine http may do): else a user error, nothing made."""
    answer = ask(SUBSCRIBE, topic="ORDERS_CREATE", w={"uri": uri})["data"]
    assert answer["webhookSubscriptionCreate"] == {
        "webhookSubscription": None,
        "userErrors": [{"field": ["webhookSubscription", "uri"], "message": message}],
    }
    assert shop.subscriptions.made() == []


def test_not_twice(ask: Ask, shop: Sandbox) -> None:
    """One topic is told to one address once."""
    wanted = {"uri": "https://us.example/hook"}
    ask(SUBSCRIBE, topic="ORDERS_CREATE", w=wanted)
    answer = ask(SUBSCRIBE, topic="ORDERS_CREATE", w=wanted)["data"]["webhookSubscriptionCreate"]
    told = "Address for this topic has already been taken"
    assert [error["message"] for error in answer["userErrors"]] == [told]
    assert len(shop.subscriptions.made()) == 1


@pytest.fixture
def narrow(clock: Any) -> Iterator[Sandbox]:
    """A shop where our app may see products only."""
    scopes = frozenset({"read_products"})
    with Sandbox(auto=False, clock=clock, scopes=scopes) as opened:
        yield opened


def post(shop: Sandbox, query: str, **variables: Any) -> Any:
    response = httpx.post(
        f"{shop.base_url}/admin/api/2026-10/graphql.json",
        json={"query": query, "variables": variables},
        headers={"X-Shopify-Access-Token": shop.token},
        trust_env=False,
    )
    return response.json()


def test_without_the_scope(narrow: Sandbox) -> None:
    """Without a scope the field is null, and an error names the scope; the rest is answered."""
    answer = post(narrow, "{ customers(first: 1) { nodes { id } } }")
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"] == {
        "code": "ACCESS_DENIED",
        "documentation": "https://shopify.dev/api/usage/access-scopes",
        "requiredAccess": "`read_customers` access scope.",
    }
    both = post(narrow, '{ shop { name } customer(id: "gid://shopify/Customer/1") { id } }')
    assert both["data"] == {"shop": {"name": "Ull og Pinner"}, "customer": None}
    assert both["errors"][0]["path"] == ["customer"]
    assert "`read_customers`" in both["errors"][0]["message"]
    refused = post(narrow, SUBSCRIBE, topic="CUSTOMERS_MERGE", w={"uri": "https://us.example/"})
    errors = refused["data"]["webhookSubscriptionCreate"]["userErrors"]
    assert [error["field"] for error in errors] == [["topic"]]
    assert narrow.subscriptions.made() == []


def test_peoples_data_withheld(ask: Ask, shop: Sandbox, buy: Buy, receiver: Any) -> None:
    """Without approval, who it was is null in answers and in webhooks, and no error says so."""
    shop.register(receiver.url, ["orders/create", "customers/create"])
    shop.misbehave(hides=True)
    number = buy(accepts_marketing=True)["customer"]["id"]
    answer = ask(CUSTOMER, id=f"gid://shopify/Customer/{number}")
    assert "errors" not in answer
    told = answer["data"]["customer"]
    assert told["firstName"] is told["defaultEmailAddress"] is told["defaultAddress"] is None
    shop.deliver()
    for arrival in receiver.arrivals:
        assert b"kari" not in arrival.body.lower()
        assert arrival.value["email"] is None
    assert receiver.of("orders/create")[0].value["customer"]["first_name"] is None
    assert receiver.of("orders/create")[0].value["total_price"] == "30.00"


@pytest.mark.parametrize(
    "query",
    [
        "{ shop { nonsense } }",
        "{ shop { name }",
        "query A { shop { name } } query B { shop { id } }",
    ],
)
def test_nonsense(ask: Ask, shop: Sandbox, query: str) -> None:
    """A query that is none is refused with status 200 and costs nothing."""
    answer = ask(query)
    assert "data" not in answer
    assert answer["errors"]
    assert shop.bucket.status()["currentlyAvailable"] == 1000


def test_points(ask: Ask, shop: Sandbox, buy: Buy, clock: Any) -> None:
    """An object costs 1, a connection 2 and its nodes, a mutation 10; what is not used returns."""
    assert ask("{ shop { name } }")["extensions"]["cost"] == {
        "requestedQueryCost": 1,
        "actualQueryCost": 1,
        "throttleStatus": {
            "maximumAvailable": 1000,
            "currentlyAvailable": 999,
            "restoreRate": 50,
        },
    }
    clock.pass_by(seconds=1)
    assert shop.bucket.status()["currentlyAvailable"] == 1000
    buy()
    query = "query($n: Int = 9) { orders(first: $n) { edges { node { id customer { id } } } } }"
    cost = ask(query)["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (2 + 9 * 2, 2 + 2)
    assert cost["throttleStatus"]["currentlyAvailable"] == 996
    made = ask(SUBSCRIBE, topic="ORDERS_CREATE", w={"uri": "https://us.example/"})
    assert made["extensions"]["cost"]["requestedQueryCost"] >= 10


def test_no_points_left(ask: Ask, shop: Sandbox, clock: Any) -> None:
    """Throttled: status 200, an error, no data; after a while the same query is answered."""
    query = "{ customers(first: 240) { nodes { id defaultEmailAddress { emailAddress } } } }"
    shop.bucket.empty()
    answer = ask(query)
    assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert answer["errors"][0]["message"] == "Throttled"
    assert "data" not in answer
    assert answer["extensions"]["cost"]["actualQueryCost"] is None
    clock.pass_by(seconds=answer["extensions"]["cost"]["requestedQueryCost"] / 50)
    assert ask(query)["data"] == {"customers": {"nodes": []}}
    clock.pass_by(hours=1)
    shop.misbehave(answers="throttled")
    assert ask(query)["errors"][0]["message"] == "Throttled"


def test_too_dear(ask: Ask, shop: Sandbox) -> None:
    """No single query may cost more than 1000 points."""
    query = "{ customers(first: 250) { nodes { orders(first: 10) { nodes { id } } } } }"
    assert ask(query)["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert shop.bucket.status()["currentlyAvailable"] == 1000


@pytest.fixture
def admin(corpus: Path) -> Path:
    """The whole Admin API's schema."""
    return corpus / "specs/shopify/admin_2026-10.json.gz"


@pytest.mark.corpus
def test_every_word_is_shopifys(admin: Path) -> None:
    """Each type, field and argument that the stand-in answers is the Admin API's, of its type."""
    assert part_of(admin) == []


@pytest.mark.corpus
def test_held_against_the_whole_api(admin: Path, clock: Any) -> None:
    """With the whole schema at hand, a deprecated field is refused, and one it does not have."""
    with Sandbox(auto=False, clock=clock, admin_schema=admin) as shop:
        old = post(shop, '{ customer(id: "gid://shopify/Customer/1") { email } }')
        assert "deprecated" in old["errors"][0]["message"]
        none = post(shop, "{ shop { nonsense } }")
        assert "nonsense" in none["errors"][0]["message"]
        assert post(shop, "{ shop { name } }")["data"] == {"shop": {"name": "Ull og Pinner"}}
        assert shop.bucket.status()["currentlyAvailable"] == 999


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["customer", "order", "product", "inventory_item", "shop"])
def test_our_own_queries(name: str, admin: Path, clock: Any) -> None:
    """The connector's own queries are valid in the whole API and answered here without an error."""
    folder = Path(__file__).parents[3] / "adapters/shopify/queries"
    query = (folder / f"{name}.graphql").read_text("utf-8")
    with Sandbox(auto=False, clock=clock, admin_schema=admin) as shop:
        shop.products.create({"title": "Ull", "price": "5", "image": "https://cdn.example/u.png"})
        variant = shop.books.rows("variants")[0]
        order = shop.orders.check_out(
            {"email": "a@b.example", "line_items": [{"variant_id": variant["id"]}]}
        )
        numbers = {
            "customer": ("Customer", order["customer"]["id"]),
            "order": ("Order", order["id"]),
            "product": ("Product", variant["product_id"]),
            "inventory_item": ("InventoryItem", variant["item_id"]),
        }
        kind, number = numbers.get(name, ("", 0))
        named = {"id": f"gid://shopify/{kind}/{number}"} if kind else {}
        answer = post(shop, query, **named)
        assert "errors" not in answer
        assert None not in answer["data"].values()
        assert json.dumps(named.get("id", shop.domain)) in json.dumps(answer)
