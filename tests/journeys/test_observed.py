"""A real shop's day and every real payload at hand, over HTTP through the whole connector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select

from adapters.mailchimp.sandbox import Sandbox as Audience
from adapters.woocommerce.sandbox import Sandbox as Shop
from connector.money import to_minor
from connector.store.schema import customers, deliveries, orders, products, refunds, variants
from tests.journeys import recorded
from tests.journeys.premises import Clock, Premises, Tenant, post, signed
from tests.journeys.recorded import RecordedShop, by_id, read_answer, read_deliveries, read_secret

pytestmark = pytest.mark.corpus

# What of the day is not used, and why. Everything else must have been applied or be unchanged.
OF_THE_DAY = """
29 ignored staff account
55 ignored topic not used: action.woocommerce_order_status_completed
68 ignored object gone before delivery
77 ignored object gone before delivery
"""
# The same of the collected payloads: REST lists, errors, old APIs, things that are no JSON.
OF_THE_COLLECTION = """
ignored draft
  wcandroid-order-created-empty wcandroid-order-updated-simple wcios-order-broken-empty
quarantined date
  wcandroid-order-2787-pending
quarantined legacy_api
  wcdocs-customer-legacy wcdocs-error-legacy-1 wcdocs-error-legacy-3 wcdocs-error-legacy-5
  wcdocs-error-legacy-index wcdocs-order-legacy-v3 wcdocs-product-created-variable-v1
  wcdocs-product-legacy-variable wcdocs-rest-orders-legacy-list wcdocs-rest-refunds-legacy
quarantined no_rights
  wcios-error-rest-forbidden
quarantined not_json
  wcios-order-deleted-refunds-notjson wcios-product-bundle-notjson wcios-product-created-notjson
  wcios-product-malformed-variations-notjson wcios-rest-products-batch-notjson
quarantined rest_error
  wcdocs-error-invalid-param
quarantined shape
  wcios-rest-coupons-list
  wcandroid-rest-orders-20 wcdocs-rest-categories-v3 wcdocs-rest-customers-list-v3
  wcdocs-rest-orders-list-v1 wcdocs-rest-refunds-list-v3 wcdocs-rest-variations-list-v3
  wcdocs-rest-webhooks-list wcfluxc-lineitems wcfluxc-rest-orders-list
  wcfluxc-rest-reports-products wcfluxc-rest-variations wcios-rest-analytics-customers-2
  wcios-rest-empty-list wcios-rest-order-notes wcios-rest-order-statuses
  wcios-rest-orders-broken-list wcios-rest-orders-list-large wcios-rest-products-total
  wcios-rest-refunds-order-560 wcios-rest-sku-search wcios-rest-taxes
  wcios-rest-variations-manage-stock wcios-rest-variations-sale-empty
quarantined topic_mismatch
  wcdocs-delete-message-legacy wcdocs-rest-customers-batch-v3 wcdocs-review-deleted-v3
  wcdocs-variation-created-v3 wcfluxc-error-invalid-param wcfluxc-missing-data-key
  wcfluxc-product-incorrect-addons wcios-error-no-route wcios-error-timeout
  wcios-meta-data-types wcios-product-id-only wcios-rest-tax wcios-variation
  wcios-variation-alternative-types
"""
DELETIONS = {"wcdocs-delete-message-legacy": "order", "wcdocs-review-deleted-v3": "product"}
FALSE_ALARM = b'{"id":10}'  # what a page in the trash looks like: product 10 is alive


@pytest.fixture(scope="module")
def day(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The whole day and the whole collection, delivered to the real receiver and worked off."""
    clock = Clock(recorded.NOON)
    secret = read_secret(corpus)
    with RecordedShop(corpus) as shop, Shop(auto=False) as other, Audience(clock=clock) as audience:
        premises = Premises(
            folder=tmp_path_factory.mktemp("observed"),
            shops={
                "wool": Tenant(url=shop.base_url, webhook_secret=secret, settings=ZONE),
                "mixed": Tenant(url=other.base_url),
            },
            audience=audience,
            mapping=recorded.MAPPING,
            store_url="sqlite:///connector.db",
            clock=clock,
        )
        with premises.receiver():
            answers = [
                (told, post(f"{premises.hook}/wool", told.headers, told.body))
                for told in read_deliveries(corpus)
            ]
            alarm = signed("product.deleted", FALSE_ALARM, secret)
            alarmed = post(f"{premises.hook}/wool", alarm, FALSE_ALARM)
            collected = {
                path.stem: post(f"{premises.hook}/mixed", headers, body)
                for path in sorted((corpus / "fixtures/woocommerce").iterdir())
                for body in [path.read_bytes()]
                for headers in [signed(_topic(path.stem), body, url=other.base_url)]
            }
        premises.work()
        yield {
            "premises": premises,
            "answers": answers,
            "alarmed": alarmed,
            "collected": collected,
        }
        premises.close()


ZONE = "timezone: Europe/Oslo"


def _topic(stem: str) -> str:
    if stem in DELETIONS:
        return f"{DELETIONS[stem]}.deleted"
    kinds = {"customer": "customer", "coupon": "coupon", "variation": "product"}
    kinds |= {"product": "product", "categories": "product", "sku": "product"}
    kind = next((kinds[word] for word in kinds if word in stem), "order")
    return f"{kind}.{'created' if 'created' in stem else 'updated'}"


def _by_reason(table: str) -> dict[str, str]:
    """Each name in the indented lines with the unindented line above it."""
    found, reason = {}, ""
    for line in table.strip().splitlines():
        if line.startswith(" "):
            found.update(dict.fromkeys(line.split(), reason))
        else:
            reason = line
    return found


def _fates(day: dict[str, Any], shop: str) -> list[tuple[str, str, str]]:
    with day["premises"].store.read() as conn:
        rows = conn.execute(
            select(deliveries.c.topic, deliveries.c.status, deliveries.c.reason)
            .where(deliveries.c.shop == shop)
            .order_by(deliveries.c.id)
        )
        return [(topic, status, reason or "") for topic, status, reason in rows]


def _rows(day: dict[str, Any], table: Table, key: str) -> dict[str, Any]:
    """The rows of the observed shop that are not deleted, by id."""
    with day["premises"].store.read() as conn:
        rows = conn.execute(select(table).where(table.c.shop == "wool", ~table.c.deleted))
        return {row[key]: dict(row) for row in rows.mappings()}


def test_every_delivery_was_answered_200_and_pings_left_nothing(day: dict[str, Any]) -> None:
    """Exactly 200: a shop pings again after anything else, and gives up after seven failures."""
    assert {200: 100} == Counter(status for _, status in day["answers"])
    assert 17 == sum(told.is_ping for told, _ in day["answers"])
    told = [told.topic for told, _ in day["answers"] if not told.is_ping]
    assert [*told, "product.deleted"] == [topic for topic, _, _ in _fates(day, "wool")]
    assert (200, {200: 85}) == (day["alarmed"], Counter(day["collected"].values()))


def test_every_delivery_of_the_day_came_to_its_end(day: dict[str, Any]) -> None:
    """What is not used says why; nothing waits, nothing is in quarantine."""
    stored = [told for told, _ in day["answers"] if not told.is_ping]
    found = {
        told.number: f"{status} {reason}"
        for told, (_, status, reason) in zip(stored, _fates(day, "wool")[:-1], strict=True)
        if status not in ("applied", "unchanged")
    }
    lines = OF_THE_DAY.strip().splitlines()
    assert {int(n): why for n, _, why in (line.partition(" ") for line in lines)} == found
    assert ("product.deleted", "unchanged", "") == _fates(day, "wool")[-1]


def test_every_collected_payload_came_to_the_end_it_deserves(day: dict[str, Any]) -> None:
    """Lists, errors, old APIs and broken JSON go into quarantine with a reason; all else counts."""
    found = {
        stem: f"{status} {reason}"
        for stem, (_, status, reason) in zip(day["collected"], _fates(day, "mixed"), strict=True)
        if status not in ("applied", "unchanged")
    }
    assert _by_reason(OF_THE_COLLECTION) == found


def test_the_books_balance(day: dict[str, Any]) -> None:
    """Every delivery is in one column, every record settled."""
    books = day["premises"].books()
    shop, newsletter = books["shops"]["wool"], books["destinations"]["newsletter"]
    assert books["balanced"]
    assert (84, 4, 0, 0) == tuple(
        shop[part] for part in ("received", "ignored", "waiting", "quarantined")
    )
    assert 80 == shop["applied"] + shop["unchanged"]
    assert newsletter["records"] == newsletter["settled"]


def test_the_accounts_are_those_of_the_shop(day: dict[str, Any], corpus: Path) -> None:
    """No staff, no deleted account; names without the HTML that WooCommerce puts in them."""
    truth = dict(by_id(read_answer(corpus, "customers")))
    held = _rows(day, customers, "customer_id")
    assert {"2", "5", "7"} == truth.keys() == held.keys()
    assert {
        number: (c["email"], c["first_name"], c["last_name"]) for number, c in truth.items()
    } == {
        number: (row["email"], row["first_name"], row["last_name"]) for number, row in held.items()
    }


def test_the_orders_are_those_of_the_shop_to_the_cent(day: dict[str, Any], corpus: Path) -> None:
    """Status, total, tax, owner and refunds of each; the deleted order is gone."""
    truth = dict(by_id(read_answer(corpus, "orders")))
    held = _rows(day, orders, "order_id")
    assert {"16", "17", "22", "23", "28"} == truth.keys() == held.keys()
    for number, order in truth.items():
        row = held[number]
        assert (
            order["status"],
            _cents(order["total"]),
            _cents(order["total_tax"]),
            str(order["customer_id"] or "") or None,
            order["billing"]["email"].lower(),
        ) == tuple(row[name] for name in ("status", "total", "tax", "customer_id", "email"))
    with day["premises"].store.read() as conn:
        given = conn.execute(
            select(refunds.c.order_id, refunds.c.refund_id, refunds.c.amount).where(
                refunds.c.shop == "wool"
            )
        ).all()
    told = {
        (number, str(refund["id"]), -_cents(refund["total"]))
        for number, order in truth.items()
        for refund in order["refunds"]
    }
    # The shop undid refund 20 afterwards, of which WooCommerce 11.0 tells nobody.
    assert told | {("16", "20", 5457)} == {tuple(row) for row in given}
    assert {"16": 6457, "17": 6238, "22": 0, "23": 0, "28": 6238} == {
        number: row["refunded"] for number, row in held.items()
    }


def test_the_goods_are_those_of_the_shop(day: dict[str, Any], corpus: Path) -> None:
    """Neither a coupon's nor a page's "product.deleted" takes a product away; real ones do."""
    truth = dict(by_id(read_answer(corpus, "products")))
    assert {"10", "24"} == truth.keys() == _rows(day, products, "product_id").keys()
    sold = {"10": truth["10"]} | dict(by_id(read_answer(corpus, "variations")))
    held = _rows(day, variants, "variant_id")
    # Variation 13 was deleted for good, of which WooCommerce tells nobody.
    assert {*sold, "13"} == held.keys()
    assert {
        number: (thing["sku"], _cents(thing["price"]), thing["stock_quantity"])
        for number, thing in sold.items()
    } == {
        number: (held[number]["sku"], held[number]["price"], held[number]["stock_quantity"])
        for number in sold
    }


def test_mailchimp_holds_whom_it_may_with_what_the_shop_knows(day: dict[str, Any]) -> None:
    """Three ticked the box; the fourth did too and said no in her account later."""
    guest = {"FNAME": "Gjest", "LNAME": "Ærlig", "ORDERS": 1, "SPENT": 72.26}
    full = ["Both", "First-time buyer", "Spender"]
    expected: dict[str, tuple[dict[str, Any], list[str]]] = {
        "gjest@example.org": (guest, full),
        "nykunde@example.org": (guest, full),
        "lukasz.zolc@example.org": (
            {"FNAME": "Łukasz", "LNAME": "Żółć", "ORDERS": 1, "SPENT": 0},
            ["First-time buyer"],
        ),
    }
    assert {
        email: {
            "status": "subscribed",
            "fields": {**values, "LASTORDER": "2026-11-23"},
            "tags": tags,
        }
        for email, (values, tags) in expected.items()
    } == day["premises"].mailable()


def _cents(amount: str) -> int:
    minor = to_minor(amount, "EUR")
    assert minor is not None
    return minor
