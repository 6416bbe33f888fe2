"""The Admin API: real queries over what the shop keeps, one by one and in pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from adapters.shopify.sandbox import SCOPES, Sandbox

Ask = Callable[..., Any]
Buy = Callable[..., Any]

CUSTOMER = """query C($id: ID!) { customer(id: $id) {
  id legacyResourceId firstName displayName tags state numberOfOrders
  amountSpent { amount currencyCode }
  defaultEmailAddress { emailAddress marketingState marketingOptInLevel marketingUpdatedAt }
  defaultPhoneNumber { phoneNumber smsMarketingConsent { state optInLevel updatedAt } }
  defaultAddress { countryCodeV2 }
  metafields(first: 5) { nodes { namespace key value } }
} }"""
ORDER = """query O($id: ID!) { order(id: $id) {
  id name test displayFinancialStatus customerAcceptsMarketing taxesIncluded
  customer { id }
  totalPriceSet { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
  totalRefundedSet { shopMoney { amount } }
  lineItems(first: 10) { nodes { id name quantity currentQuantity variant { id sku }
    discountAllocations { allocatedAmountSet { shopMoney { amount } } } } }
  refunds { id note totalRefundedSet { shopMoney { amount } }
    refundLineItems(first: 5) { nodes { quantity restockType lineItem { id } } } }
} }"""
VARIANTS = """query P($id: ID!, $first: Int = 2, $after: String) { product(id: $id) {
  title variantsCount { count }
  variants(first: $first, after: $after) {
    nodes { id title price compareAtPrice inventoryQuantity inventoryItem { tracked } }
    pageInfo { hasNextPage endCursor } } } }"""


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def test_a_customer(ask: Ask, shop: Sandbox, buy: Buy) -> None:
    """What webhooks leave out, GraphQL tells: tags, permissions and their moments, metafields."""
    buy(accepts_marketing=True)
    number = shop.books.rows("customers")[0]["id"]
    field = {"namespace": "loyalty", "key": "level", "value": "gold"}
    changed = {"tags": ["vip", "knits"], "phone": "+4790000000", "metafields": [field]}
    shop.customers.change(number, changed)
    shop.customers.sms_consent(number, "not_subscribed", level=None, dated=False)
    assert ask(CUSTOMER, id=gid("Customer", number))["data"]["customer"] == {
        "id": gid("Customer", number),
        "legacyResourceId": str(number),
        "firstName": "Kari",
        "displayName": "Kari Ødegård",
        "tags": ["vip", "knits"],
        "state": "DISABLED",
        "numberOfOrders": "1",
        "amountSpent": {"amount": "30.00", "currencyCode": "EUR"},
        "defaultEmailAddress": {
            "emailAddress": "kari@epost.example",
            "marketingState": "SUBSCRIBED",
            "marketingOptInLevel": "SINGLE_OPT_IN",
            "marketingUpdatedAt": "2026-11-23T12:00:00Z",
        },
        "defaultPhoneNumber": {
            "phoneNumber": "+4790000000",
            "smsMarketingConsent": {
                "state": "NEVER_SUBSCRIBED",
                "optInLevel": None,
                "updatedAt": None,
            },
        },
        "defaultAddress": {"countryCodeV2": "NO"},
        "metafields": {"nodes": [field]},
    }


def test_an_order(ask: Ask, shop: Sandbox, buy: Buy) -> None:
    """An order with its lines, its discounts and its refunds, in both currencies."""
    order = buy(
        discount={"code": "TI", "percent": 10}, presentment={"currency": "NOK", "rate": "11.5"}
    )
    line = order["line_items"][0]["id"]
    refund = shop.orders.refund(order["id"], lines={line: 1}, note="Feil farge")
    told = ask(ORDER, id=gid("Order", order["id"]))["data"]["order"]
    assert told["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    assert told["customer"] == {"id": gid("Customer", order["customer"]["id"])}
    assert told["totalPriceSet"] == {
        "shopMoney": {"amount": "27.50", "currencyCode": "EUR"},
        "presentmentMoney": {"amount": "316.25", "currencyCode": "NOK"},
    }
    assert told["totalRefundedSet"] == {"shopMoney": {"amount": "11.25"}}
    assert told["lineItems"]["nodes"] == [
        {
            "id": gid("LineItem", line),
            "name": "Tjukk ull - Rød",
            "quantity": 2,
            "currentQuantity": 1,
            "variant": {
                "id": gid("ProductVariant", order["line_items"][0]["variant_id"]),
                "sku": "YA-1",
            },
            "discountAllocations": [{"allocatedAmountSet": {"shopMoney": {"amount": "2.50"}}}],
        }
    ]
    lines = [
        {"quantity": 1, "restockType": "NO_RESTOCK", "lineItem": {"id": gid("LineItem", line)}}
    ]
    assert told["refunds"] == [
        {
            "id": gid("Refund", refund["id"]),
            "note": "Feil farge",
            "totalRefundedSet": {"shopMoney": {"amount": "11.25"}},
            "refundLineItems": {"nodes": lines},
        }
    ]


def test_what_is_gone_is_null(ask: Ask, shop: Sandbox, buy: Buy) -> None:
    """A thing that is not there is null, without an error; so is a deleted product in an order."""
    order = buy()
    product = order["line_items"][0]["product_id"]
    shop.products.delete(product)
    told = ask(ORDER, id=gid("Order", order["id"]))["data"]["order"]
    assert told["lineItems"]["nodes"][0]["variant"] is None
    answer = ask("query($id: ID!) { product(id: $id) { id } }", id=gid("Product", product))
    assert answer["data"] == {"product": None}
    assert "errors" not in answer
    wrong = ask("query($id: ID!) { product(id: $id) { id } }", id=gid("Order", order["id"]))
    assert wrong["errors"][0]["message"] == f"Invalid id: {gid('Order', order['id'])}"


def test_variants_in_pages(ask: Ask, shop: Sandbox) -> None:
    """Variants come in pages, every one once, and tell whether they are counted."""
    shades = [{"value": f"Farge {n}", "price": "9", "quantity": n or None} for n in range(5)]
    made = shop.products.create({"title": "Fargekart", "variants": shades})
    name, after, seen = gid("Product", made["id"]), None, []
    for _ in range(3):
        product = ask(VARIANTS, id=name, after=after)["data"]["product"]
        seen += product["variants"]["nodes"]
        after = product["variants"]["pageInfo"]["endCursor"]
    assert product["variants"]["pageInfo"]["hasNextPage"] is False
    assert product["variantsCount"] == {"count": 5}
    assert [each["title"] for each in seen] == [f"Farge {n}" for n in range(5)]
    assert [each["inventoryItem"]["tracked"] for each in seen] == [False, *[True] * 4]
    item = made["rest"]["variants"][3]["inventory_item_id"]
    query = """query($id: ID!) { inventoryItem(id: $id) {
      tracked variants(first: 1) { nodes { title product { title } } } } }"""
    told = ask(query, id=gid("InventoryItem", item))["data"]["inventoryItem"]
    node = {"title": "Farge 3", "product": {"title": "Fargekart"}}
    assert told == {"tracked": True, "variants": {"nodes": [node]}}


def test_lists_in_pages(ask: Ask, shop: Sandbox, buy: Buy, clock: Any) -> None:
    """Lists can be searched by time and turned by cursor; nothing is missed or seen twice."""
    for number in range(7):
        buy(f"p{number}@b.example")
        clock.pass_by(seconds=number % 2)
    query = """query($q: String, $after: String, $back: Boolean) {
      orders(first: 3, sortKey: UPDATED_AT, query: $q, after: $after, reverse: $back) {
        edges { cursor node { email updatedAt } } pageInfo { hasNextPage endCursor } } }"""
    for back in (False, True):
        seen, after, more = [], None, True
        while more:
            page = ask(query, after=after, back=back)["data"]["orders"]
            seen += [edge["node"]["email"] for edge in page["edges"]]
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        whole = [f"p{n}@b.example" for n in range(7)]
        assert seen == (whole[::-1] if back else whole)
    late = ask(query, q="updated_at:>='2026-11-23T12:00:02Z'")["data"]["orders"]["edges"]
    assert [edge["node"]["email"] for edge in late] == [
        "p4@b.example",
        "p5@b.example",
        "p6@b.example",
    ]
    answer = ask(query, q="tag:vip")
    assert answer["data"] is None
    assert answer["errors"][0]["message"] == "the stand-in does not search by tag"


@pytest.mark.parametrize("given", ["", "(first: 0)", "(first: 251)", '(first: 1, after: "x")'])
def test_no_list_without_a_size(ask: Ask, given: str) -> None:
    """A list needs a size between 1 and 250, and a cursor that is one."""
    answer = ask(f"{{ customers{given} {{ nodes {{ id }} }} }}")
    assert answer["data"] is None
    assert len(answer["errors"]) == 1


def test_the_shop(ask: Ask, shop: Sandbox) -> None:
    """The shop says where and in which money it sells, and what our app may do."""
    query = """{ shop { name myshopifyDomain ianaTimezone currencyCode plan { shopifyPlus } }
      currentAppInstallation { accessScopes { handle } } }"""
    data = ask(query)["data"]
    assert data["shop"] == {
        "name": "Ull og Pinner",
        "myshopifyDomain": shop.domain,
        "ianaTimezone": "Europe/Oslo",
        "currencyCode": "EUR",
        "plan": {"shopifyPlus": False},
    }
    assert {s["handle"] for s in data["currentAppInstallation"]["accessScopes"]} == SCOPES


def test_an_old_version_falls_forward(shop: Sandbox) -> None:
    """Whatever version is asked for, the answer says which one it is of; nonsense is not found."""
    for version, status in (("2024-01", 200), ("2026-10", 200), ("2026-13", 404), ("x", 404)):
        response = httpx.post(
            f"{shop.base_url}/admin/api/{version}/graphql.json",
            json={"query": "{ shop { name } }"},
            headers={"X-Shopify-Access-Token": shop.token},
            trust_env=False,
        )
        assert response.status_code == status
        assert response.headers["X-Shopify-API-Version"] == "2026-10"


def test_time_is_the_shops(ask: Ask, shop: Sandbox, clock: Any) -> None:
    """Moments in answers are in UTC, whatever the shop's own time is."""
    number = shop.customers.create({"email": "a@b.example"})["id"]
    clock.pass_by(days=200)
    shop.customers.change(number, {"note": "sommer"})
    query = "query($id: ID!) { customer(id: $id) { createdAt updatedAt } }"
    told = ask(query, id=gid("Customer", number))["data"]["customer"]
    later = clock.now
    assert told == {"createdAt": "2026-11-23T12:00:00Z", "updatedAt": f"{later:%Y-%m-%dT%H:%M:%SZ}"}
    assert shop.customers.get(number)["rest"]["updated_at"].endswith("+02:00")
