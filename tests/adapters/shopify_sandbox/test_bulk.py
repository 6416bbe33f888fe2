"""The stand-in's bulk operations behave as Shopify's pages say, and fail when they are told to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from adapters.shopify.bulk import query_for
from adapters.shopify.bulk_lines import Thing, in_groups
from adapters.shopify.sandbox import SCOPES, Sandbox
from adapters.shopify.sandbox_bulk import Course
from adapters.shopify.sandbox_flood import Flood

Ask = Callable[..., Any]
RUN = """mutation($text: String!, $grouped: Boolean!) {
  bulkOperationRunQuery(query: $text, groupObjects: $grouped) {
    bulkOperation { id status url } userErrors { code message } } }"""
LOOK = """query($id: ID!) { bulkOperation(id: $id) {
  status errorCode url fileSize objectCount rootObjectCount createdAt completedAt } }"""
LIST = '{ bulkOperations(first: 10, query: "operation_type:query") { nodes { id status query } } }'
ORDERS = "{ orders { edges { node { id name lineItems { edges { node { id sku } } } } } } }"


def run(ask: Ask, query: str = ORDERS, *, grouped: bool = True) -> Any:
    return ask(RUN, text=query, grouped=grouped)["data"]["bulkOperationRunQuery"]


def look(ask: Ask, name: str) -> Any:
    return ask(LOOK, id=name)["data"]["bulkOperation"]


def done(ask: Ask, query: str = ORDERS, *, grouped: bool = True) -> Any:
    return look(ask, run(ask, query, grouped=grouped)["bulkOperation"]["id"])


def lines(operation: Any) -> list[Any]:
    answer = httpx.get(operation["url"], trust_env=False)
    assert answer.status_code == 200
    assert operation["fileSize"] == str(len(answer.content))
    return [json.loads(text) for text in answer.content.splitlines()]


def test_one_line_for_each_object(ask: Ask, buy: Callable[..., Any]) -> None:
    """An order's line shows what was asked of it; its items follow, and name it."""
    orders = [buy("a@epost.example"), buy("b@epost.example")]
    operation = done(ask)
    told = lines(operation)
    assert [{"id": order["admin_graphql_api_id"], "name": order["name"]} for order in orders] == [
        each for each in told if "__parentId" not in each
    ]
    assert [
        {"id": f"gid://shopify/LineItem/{order['line_items'][0]['id']}", "sku": "YA-1"}
        | {"__parentId": order["admin_graphql_api_id"]}
        for order in orders
    ] == [each for each in told if "__parentId" in each]
    assert ("COMPLETED", "4", "2") == (
        operation["status"],
        operation["objectCount"],
        operation["rootObjectCount"],
    )


def test_ungrouped_children_stand_anywhere(ask: Ask, buy: Callable[..., Any]) -> None:
    """The same lines; a child behind its parent, but not next to it."""
    for number in range(12):
        buy(f"k{number}@epost.example")
    grouped, scattered = lines(done(ask)), lines(done(ask, grouped=False))

    def by_name(told: list[Any]) -> list[Any]:
        return sorted(told, key=lambda each: each["id"])

    assert by_name(grouped) == by_name(scattered)
    assert grouped != scattered
    names = [each["id"] for each in scattered]
    assert all(
        names.index(each["__parentId"]) < place
        for place, each in enumerate(scattered)
        if "__parentId" in each
    )


def test_filtered(ask: Ask, shop: Sandbox, clock: Any) -> None:
    """Only what the search in the query finds."""
    shop.customers.create({"email": "a@epost.example"}, now=clock.now)
    clock.pass_by(hours=1)
    late = shop.customers.create({"email": "b@epost.example"}, now=clock.now)
    query = (
        "{ customers(query: \"updated_at:>='2026-11-23T13:00:00Z'\") { edges { node { id } } } }"
    )
    assert [late["rest"]["admin_graphql_api_id"]] == [
        each["id"] for each in lines(done(ask, query))
    ]


def test_nothing_to_tell(ask: Ask) -> None:
    """Without anything there is no file."""
    operation = done(ask)
    assert ("COMPLETED", None, "0") == (
        operation["status"],
        operation["url"],
        operation["objectCount"],
    )


@pytest.mark.parametrize(
    "query",
    [
        "{ shop { name } }",
        "{ orders { edges { node { nothing } } } }",
        "query($x: String) { orders(query: $x) { edges { node { id } } } }",
        "{ orders { edges { node { id } } } customers { edges { node { id } } } }",
        "{ orders { edges { node { ...A } } } } fragment A on Order { id }",
        "{ customers { edges { node { orders { edges { node { lineItems { edges { node {"
        " variant { media { edges { node { id } } } } } } } } } } } } } }",
        "not GraphQL",
    ],
    ids=["no list", "unknown", "variables", "two roots", "a fragment", "too deep", "nonsense"],
)
def test_queries_that_are_not_taken(ask: Ask, query: str) -> None:
    """Shopify's rules for bulk queries hold."""
    told = run(ask, query)
    assert told["bulkOperation"] is None
    assert ["INVALID"] == [error["code"] for error in told["userErrors"]]


def test_at_work_for_a_while(ask: Ask, shop: Sandbox, buy: Callable[..., Any]) -> None:
    """Created, running at so many looks, then done; listed the newest last or first."""
    buy()
    shop.bulk.course = Course(looks=2)
    begun = run(ask)["bulkOperation"]
    assert ("CREATED", None) == (begun["status"], begun["url"])
    stages = [look(ask, begun["id"])["status"] for _ in range(4)]
    assert ["RUNNING", "RUNNING", "COMPLETED", "COMPLETED"] == stages
    (listed,) = ask(LIST)["data"]["bulkOperations"]["nodes"]
    assert {"id": begun["id"], "status": "COMPLETED", "query": ORDERS} == listed


def test_five_at_once(ask: Ask, shop: Sandbox) -> None:
    """The sixth is refused until one is done."""
    shop.bulk.course = Course(looks=1)
    begun = [run(ask)["bulkOperation"]["id"] for _ in range(5)]
    assert ["LIMIT_REACHED"] == [error["code"] for error in run(ask)["userErrors"]]
    look(ask, begun[0])
    look(ask, begun[0])
    assert run(ask)["bulkOperation"] is not None


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ("FAILED", "TIMEOUT"),
        ("FAILED", "INTERNAL_SERVER_ERROR"),
        ("FAILED", "ACCESS_DENIED"),
        ("CANCELED", None),
        ("EXPIRED", None),
    ],
)
def test_ends_badly_on_request(ask: Ask, shop: Sandbox, ends: str, code: str | None) -> None:
    """Each bad end can be planned, and shows no file."""
    shop.bulk.course = Course(ends=ends, code=code)
    operation = done(ask)
    assert (ends, code, None) == (operation["status"], operation["errorCode"], operation["url"])


def test_denied_without_the_scope() -> None:
    """A query about what our app may not see fails, without saying which scope it is."""
    with Sandbox(auto=False, scopes=SCOPES - {"read_orders"}) as shop:
        made = shop.bulk.fields["bulkOperationRunQuery"](None, query=ORDERS, groupObjects=True)
        told = shop.bulk.fields["bulkOperation"](None, id=made["bulkOperation"]["id"])
    assert ("FAILED", "ACCESS_DENIED") == (told["status"], told["errorCode"])


def test_seven_days(ask: Ask, buy: Callable[..., Any], clock: Any) -> None:
    """The link leads to the file for seven days, and knows no token."""
    buy()
    operation = done(ask)
    clock.pass_by(days=6, hours=23)
    assert 2 == len(lines(operation))
    clock.pass_by(hours=1)
    answer = httpx.get(operation["url"], trust_env=False)
    assert (400, True) == (answer.status_code, "ExpiredToken" in answer.text)


def test_from_a_byte_on(ask: Ask, shop: Sandbox, buy: Callable[..., Any]) -> None:
    """A download may begin in the middle, unless that was switched off; or break off."""
    buy()
    url = done(ask)["url"]
    whole = httpx.get(url, trust_env=False).content
    ranged = httpx.get(url, headers={"Range": "bytes=10-"}, trust_env=False)
    assert (206, whole[10:]) == (ranged.status_code, ranged.content)
    beyond = httpx.get(url, headers={"Range": f"bytes={len(whole)}-"}, trust_env=False)
    assert 416 == beyond.status_code
    shop.bulk.files.ranges = False
    ranged = httpx.get(url, headers={"Range": "bytes=10-"}, trust_env=False)
    assert (200, whole) == (ranged.status_code, ranged.content)
    shop.bulk.files.torn.append(20)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(url, trust_env=False)
    assert whole == httpx.get(url, trust_env=False).content


# --- A past of any length ---------------------------------------------------------------------


@pytest.mark.parametrize("many", ["orders", "customers", "products"])
def test_flood_is_like_the_real_thing(
    ask: Ask, shop: Sandbox, buy: Callable[..., Any], many: str
) -> None:
    """Made-up lines have the fields of those from the books, in the same order."""
    made = buy()
    shop.customers.consent(made["customer"]["id"], "subscribed")
    query = query_for(f"bulk_{many}", None)
    real = lines(done(ask, query))
    shop.bulk.flood = Flood(orders=30)
    flood = lines(done(ask, query))
    keys = {each["id"].split("/")[3]: list(each) for each in real if "Media" not in each["id"]}
    assert keys == {each["id"].split("/")[3]: list(each) for each in flood}


@pytest.mark.parametrize("many", ["orders", "customers", "products"])
def test_flood_is_the_same_at_every_reading(many: str) -> None:
    """Its size is known beforehand, and from any byte on it is the rest of the same file."""
    flood = Flood(orders=1234)
    size, objects, roots, read = flood.file_for(f"{{ {many} }}")
    whole = b"".join(read(0))
    assert size == len(whole)
    assert objects == whole.count(b"\n")
    assert roots == whole.count(b"\n") - whole.count(b"__parentId")
    for start in (0, 1, 5000, size // 2, size - 1):
        assert whole[start:] == b"".join(read(start))
    assert {"orders": 1234, "customers": 123, "products": 1000}[many] == roots


def test_flood_is_joined() -> None:
    """Three lines for each order, under it."""
    _, _, _, read = Flood(orders=50).file_for("{ orders }")
    text = b"".join(read(0))
    placed = [(0, each) for each in text.splitlines()]
    things = [each for each in in_groups(placed, "Order") if isinstance(each, Thing)]
    assert [3] * 50 == [len(each.children) for each in things]
