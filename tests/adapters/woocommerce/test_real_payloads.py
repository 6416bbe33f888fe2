"""Real payloads of real shops: each has an outcome that a person judged from its content."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.woocommerce.client import WooCommerceClient
from adapters.woocommerce.shop import WooCommerceShop
from adapters.woocommerce.verdicts import Missing
from connector.errors import LaneDown
from connector.model import (
    Customer,
    Deleted,
    Delivery,
    Fact,
    Ignored,
    Kind,
    Order,
    Product,
    Promotion,
    Quarantined,
    Understanding,
    Understood,
    Variant,
    Wish,
)
from connector.ports import ShopFacts
from connector.strict_json import Sound, examine

pytestmark = pytest.mark.corpus
Read = Callable[[str, Any], Understanding]

# What a shop would send it under, and what must come of it: the thing it states, why it is
# ignored (-) or why it is quarantined (!).
JUDGED = """
anchorsoap-order-created-stripe-meta        order.created     order 897
brcc-order-completed-events-meta            order.updated     order 14489
wcandroid-order-2787-pending                order.created     !date
wcandroid-order-created-empty               order.created     -draft
wcandroid-order-updated-simple              order.updated     -draft
wcandroid-rest-orders-20                    order.updated     !shape
wcdocs-coupon-created-v3                    coupon.created    promotion 719
wcdocs-customer-created-v3                  customer.created  customer 25
wcdocs-customer-legacy                      customer.created  !legacy_api
wcdocs-customer-updated-v3                  customer.updated  customer 25
wcdocs-delete-message-legacy                order.deleted     !topic_mismatch
wcdocs-error-invalid-param                  order.updated     !rest_error
wcdocs-error-legacy-1                       order.updated     !legacy_api
wcdocs-error-legacy-3                       order.updated     !legacy_api
wcdocs-error-legacy-5                       product.updated   !legacy_api
wcdocs-error-legacy-index                   customer.updated  !legacy_api
wcdocs-order-created-v2                     order.created     order 727
wcdocs-order-created-v3                     order.created     order 727
wcdocs-order-legacy-v3                      order.created     !legacy_api
wcdocs-product-created-simple-v3            product.created   product 794
wcdocs-product-created-variable-v1          product.created   !legacy_api
wcdocs-product-created-variable-v3          product.created   product 799
wcdocs-product-legacy-variable              product.created   !legacy_api
wcdocs-rest-categories-v3                   product.updated   !shape
wcdocs-rest-customers-batch-v3              customer.updated  !topic_mismatch
wcdocs-rest-customers-list-v3               customer.updated  !shape
wcdocs-rest-orders-legacy-list              order.updated     !legacy_api
wcdocs-rest-orders-list-v1                  order.updated     !shape
wcdocs-rest-refunds-legacy                  order.updated     !legacy_api
wcdocs-rest-refunds-list-v3                 order.updated     !shape
wcdocs-rest-variations-list-v3              product.updated   !shape
wcdocs-rest-webhooks-list                   order.updated     !shape
wcdocs-review-deleted-v3                    product.deleted   !topic_mismatch
wcdocs-variation-created-v3                 product.created   !topic_mismatch
wcfluxc-error-invalid-param                 order.updated     !topic_mismatch
wcfluxc-lineitems                           order.updated     !shape
wcfluxc-missing-data-key                    order.updated     !topic_mismatch
wcfluxc-order                               order.updated     order 88
wcfluxc-product-boolean-variants            product.updated   product 19
wcfluxc-product-incorrect-addons            product.updated   !topic_mismatch
wcfluxc-rest-orders-list                    order.updated     !shape
wcfluxc-rest-reports-products               product.updated   !shape
wcfluxc-rest-variations                     product.updated   !shape
wcios-error-no-route                        order.updated     !topic_mismatch
wcios-error-rest-forbidden                  order.updated     !no_rights
wcios-error-timeout                         order.updated     !topic_mismatch
wcios-meta-data-types                       order.updated     !topic_mismatch
wcios-order-addons                          order.updated     order 159
wcios-order-aed-symbol                      order.updated     order 963
wcios-order-attribution-meta                order.updated     order 459
wcios-order-broken-empty                    order.updated     -draft
wcios-order-composite                       order.updated     order 421
wcios-order-deleted-refunds-notjson         order.updated     !not_json
wcios-order-fully-refunded                  order.updated     order 609
wcios-order-line-attributes-old             order.updated     order 154
wcios-order-processing                      order.updated     order 963
wcios-order-subscription-renewal            order.created     order 526
wcios-order-with-charge                     order.updated     order 211
wcios-product-bundle-notjson                product.updated   !not_json
wcios-product-composite                     product.updated   product 419
wcios-product-created-notjson               product.created   !not_json
wcios-product-external                      product.updated   product 282
wcios-product-id-only                       product.updated   !topic_mismatch
wcios-product-malformed-variations-notjson  product.updated   !not_json
wcios-product-subscription-sync             product.updated   product 198
wcios-product-updated                       product.updated   product 282
wcios-rest-analytics-customers-2            customer.updated  !shape
wcios-rest-coupons-list                     order.updated     !shape
wcios-rest-empty-list                       product.updated   !shape
wcios-rest-order-notes                      order.updated     !shape
wcios-rest-order-statuses                   order.updated     !shape
wcios-rest-orders-broken-list               order.updated     !shape
wcios-rest-orders-list-large                order.updated     !shape
wcios-rest-products-batch-notjson           product.updated   !not_json
wcios-rest-products-total                   product.updated   !shape
wcios-rest-refunds-order-560                order.updated     !shape
wcios-rest-sku-search                       product.updated   !shape
wcios-rest-tax                              order.updated     !topic_mismatch
wcios-rest-taxes                            order.updated     !shape
wcios-rest-variations-manage-stock          product.updated   !shape
wcios-rest-variations-sale-empty            product.updated   !shape
wcios-variation                             product.updated   !topic_mismatch
wcios-variation-alternative-types           product.updated   !topic_mismatch
wcios-variation-as-product                  product.updated   variant 295
wcios-variation-subscription-incomplete     product.updated   variant 204
"""
CASES = [line.split(maxsplit=2) for line in JUDGED.strip().splitlines()]

# One scripted day of a real shop, delivery by delivery; ? is a wish to look whether it is gone.
DAY = """
18 customer 2     19 customer 2     20 customer 3     21 customer 3     22 customer 4
23 customer 4     24 customer 2     25 customer 2     26 customer 5     27 customer 5
28 customer 5     29 -staff         30 product 10     31 product 10     32 product 11
33 product 11     34 variant 12     35 variant 12     36 variant 13     37 variant 13
38 variant 13     39 product 10     40 product 14     41 product 14     42 product 14
43 promotion 15         44 promotion 15         45 order 16       46 order 16       47 product 10
48 order 17       49 order 17       50 order 18       51 order 18       52 order 17
53 product 10     54 order 17       55 -topic         56 order 17       57 order 16
58 product 10     59 order 16       60 order 17       61 ?order 18      62 ?order 18
63 order 18       64 ?promotion 14         65 ?product 14    66 product 14     67 product 14
68 -object         69 product 14     70 ?promotion 12         71 ?product 12    72 ?promotion 11
73 ?product 11    74 ?promotion 15         75 ?product 15    76 promotion 15         77 -object
78 ?customer 3    79 ?customer 4    80 order 22       81 order 22       82 product 10
83 order 23       84 customer 7     85 customer 7     86 order 23       87 product 10
88 product 24     89 product 24     90 variant 25     91 variant 25     92 variant 26
93 variant 26     94 promotion 27         95 order 28       96 order 28       97 product 10
98 customer 2     99 product 10     100 order 28
"""
_NAMES = {
    Order: "order",
    Customer: "customer",
    Product: "product",
    Variant: "variant",
    Promotion: "promotion",
}


def _day() -> dict[int, str]:
    words = DAY.split()
    judged: dict[int, str] = {}
    while words:
        number, verdict = int(words.pop(0)), words.pop(0)
        judged[number] = verdict if verdict.startswith("-") else f"{verdict} {words.pop(0)}"
    return judged


def _deliveries(corpus: Path) -> Iterator[tuple[int, str, bytes]]:
    folder = corpus / "fixtures" / "woocommerce-observed" / "deliveries"
    for body in sorted(folder.glob("*.body")):
        number, _, topic = body.stem.partition("_")
        if topic != "ping":
            yield int(number), topic, body.read_bytes()


def _facts(understanding: Understanding) -> tuple[Fact, ...]:
    assert isinstance(understanding, Understood)
    return understanding.facts


def _said(understanding: Understanding) -> str:
    match understanding:
        case Understood(facts=(fact,)) if not isinstance(fact, Deleted):
            return f"{_NAMES[type(fact)]} {fact.id}"  # type: ignore[union-attr, index]
        case Understood(facts=(), wishes=(Wish(kind=kind, id=gone, expected_gone=True),)):
            return f"?{kind} {gone}"
        case Ignored(reason=reason):
            return f"-{reason}"
        case Quarantined(reason=reason):
            return f"!{reason}"
        case _:
            return str(understanding)


def test_every_file_is_judged(corpus: Path) -> None:
    """No payload of the folder is left out of the table, and none is made up."""
    files = {path.stem for path in (corpus / "fixtures" / "woocommerce").iterdir()}
    assert {name for name, _, _ in CASES} == files


@pytest.mark.parametrize(("name", "topic", "expected"), CASES, ids=[name for name, *_ in CASES])
def test_payload(corpus: Path, understand: Read, name: str, topic: str, expected: str) -> None:
    """A payload means what the table says, under the topic it would come with."""
    body = (corpus / "fixtures" / "woocommerce" / f"{name}.json").read_bytes()
    assert expected == _said(understand(topic, body))


def test_a_day_of_a_shop(corpus: Path, understand: Read) -> None:
    """Each of a real shop's deliveries means what the action that caused it did."""
    judged = _day()
    said = {number: _said(understand(topic, body)) for number, topic, body in _deliveries(corpus)}
    assert judged.keys() == said.keys()
    for number, expected in judged.items():
        assert said[number].startswith(expected), number


def test_numbers_of_the_day(corpus: Path, understand: Read) -> None:
    """Totals, taxes and refunds of that day, to the cent."""
    orders = {
        number: fact
        for number, topic, body in _deliveries(corpus)
        if topic in {"order.created", "order.updated"}
        for fact in _facts(understand(topic, body))
        if isinstance(fact, Order)
    }
    paid = orders[45]
    assert (34044, 6809, 790, 3735, "EUR") == (
        paid.total,
        paid.tax,
        paid.shipping,
        paid.discount,
        paid.currency,
    )
    assert [] == [refund.amount for refund in paid.refunds]
    assert [5457, 1000] == [refund.amount for refund in orders[59].refunds]
    assert [6238] == [refund.amount for refund in orders[60].refunds]
    assert 6238 == orders[60].total
    guest = orders[48]
    assert ("lukasz.zolc@example.org", None, ("PL",)) == (
        guest.email,
        guest.customer_id,
        guest.countries,
    )
    assert "1" == orders[81].meta["_wc_other/mycorp/newsletter-opt-in"]
    consent = {"email": True, "sms": False, "at": "2026-11-23T03:00:00+01:00"}
    assert consent == paid.meta["_marketing_consent"]
    assert datetime(2026, 11, 23, 3, 10, 39, tzinfo=UTC) == paid.placed_at
    assert (None, "") == (orders[50].email, orders[50].first_name)


def test_names_of_the_day(corpus: Path, understand: Read) -> None:
    """A name with every awkward letter arrives as its bearer wrote it."""
    bodies = {number: (topic, body) for number, topic, body in _deliveries(corpus)}
    (awkward,) = _facts(understand(*bodies[22]))
    assert isinstance(awkward, Customer)
    assert ("Zoë 🎉", 'O\'Brien "Q" & Söhne', "o'brien+shop@example.org") == (
        awkward.first_name,
        awkward.last_name,
        awkward.email,
    )


def test_trash_and_restore_of_the_day(corpus: Path, understand: Read) -> None:
    """Two deletions of that day are the same bytes; the restore is newer than what was before."""
    bodies = {number: (topic, body) for number, topic, body in _deliveries(corpus)}
    assert bodies[61] == bodies[62]
    (before,) = _facts(understand(*bodies[51]))
    (after,) = _facts(understand(*bodies[63]))
    assert isinstance(before, Order)
    assert isinstance(after, Order)
    assert before.version < after.version


def test_every_body_under_every_topic(corpus: Path, understand: Read) -> None:
    """All bodies under all topics: nothing is deleted, and nothing is taken for another kind."""
    deliveries = list(_deliveries(corpus))
    bodies = {body for _, _, body in deliveries} | {
        path.read_bytes() for path in (corpus / "fixtures" / "woocommerce").iterdir()
    }
    topics = {topic for _, topic, _ in deliveries} | {topic for _, topic, _ in CASES}
    own = {
        "order": Order,
        "customer": Customer,
        "product": Product | Variant,
        "coupon": Promotion,
    }
    outcomes = 0
    for body in bodies:
        examined = examine(body)
        thin = isinstance(examined, Sound) and examined.value.keys() == {"id"}
        for topic in topics:
            understanding = understand(topic, body)
            outcomes += 1
            if isinstance(understanding, Understood):
                resource, _, event = topic.partition(".")
                assert all(isinstance(fact, own[resource]) for fact in understanding.facts)
                wished = any(wish.expected_gone for wish in understanding.wishes)
                assert wished == (thin and event == "deleted")
                assert not (wished and understanding.facts)
    assert len(bodies) * len(topics) == outcomes


def test_rest_answers(corpus: Path, understand: Read) -> None:
    """Lists as the API pages them: every order, customer and variation in them is understood."""
    folder = corpus / "fixtures" / "woocommerce-observed" / "rest"
    for name, topic in (("orders", "order.updated"), ("customers", "customer.updated")):
        things = json.loads((folder / f"{name}.body").read_bytes())
        assert things
        for thing in things:
            (fact,) = _facts(understand(topic, thing))
            assert str(thing["id"]) == fact.id  # type: ignore[union-attr]


REFUSALS = [
    ("order_404", Kind.ORDER, None),
    ("customer_deleted_404", Kind.CUSTOMER, None),
    ("product_404", Kind.PRODUCT, None),
    ("no_route_404", Kind.ORDER, "Permalinks"),
    ("orders_http_basic_401", Kind.ORDER, "X-Forwarded-Proto"),
    ("orders_wrongsecret_401", Kind.ORDER, "consumer key"),
    ("orders_badkey_401", Kind.ORDER, "consumer key"),
]


@pytest.mark.parametrize(("name", "kind", "mend"), REFUSALS, ids=[name for name, *_ in REFUSALS])
def test_recorded_refusals(corpus: Path, name: str, kind: Kind, mend: str | None) -> None:
    """The shop's recorded refusals: three mean that a thing is gone, the rest that we are."""
    folder = corpus / "fixtures" / "woocommerce-observed" / "rest"
    told = json.loads((folder / f"{name}.json").read_bytes())
    answer = httpx.Response(told["status"], content=(folder / f"{name}.body").read_bytes())
    client = WooCommerceClient(
        "https://wool.example", "ck", "cs", transport=httpx.MockTransport(lambda _: answer)
    )
    if mend is None:
        assert Missing() == client.thing(kind, "14")
        return
    with pytest.raises(LaneDown, match=mend):
        client.thing(kind, "14")


def test_recorded_variations_and_zone(corpus: Path, understand: Read) -> None:
    """The shop's own list of variations gives the facts its webhooks gave; its root, its zone."""
    folder = corpus / "fixtures" / "woocommerce-observed" / "rest"
    bodies = {number: (topic, body) for number, topic, body in _deliveries(corpus)}
    told = {fact.id: fact for n in (91, 93) for fact in _facts(understand(*bodies[n]))}
    files = {
        "/wp-json/wc/v3/products/24": bodies[89][1].replace(
            b'"variations":[]', b'"variations":[1]'
        ),
        "/wp-json/wc/v3/products/24/variations": (folder / "variations.body").read_bytes(),
        "/wp-json/": (folder / "wp_json_root.body").read_bytes(),
    }
    transport = httpx.MockTransport(lambda r: httpx.Response(200, content=files[r.url.path]))
    shop = WooCommerceShop("wool", "https://wool.example", "ck", "cs", "NOK", transport=transport)
    delivery = Delivery(
        id=1,
        shop="wool",
        topic="product.updated",
        received_at=datetime(2026, 11, 23, 12, 0, tzinfo=UTC),
        body=bodies[89][1],
    )
    (asked,) = _facts(shop.look_up(Wish(kind=Kind.PRODUCT, id="24"), delivery))
    assert isinstance(asked, Product)
    found = {variant.id: variant for variant in asked.variants}
    assert {"25", "26"} == found.keys()
    for variant_id, variant in found.items():
        assert replace(variant, version=told[variant_id].version) == told[variant_id]
        assert variant.version.at == told[variant_id].version.at
    assert ShopFacts(timezone="Europe/Oslo", currency="NOK") == shop.describe()


def test_trashed_products(corpus: Path, understand: Read) -> None:
    """A product the API shows with the status trash is gone, since it was changed to it."""
    folder = corpus / "fixtures" / "woocommerce-observed" / "rest"
    (trashed,) = json.loads((folder / "products_status_trash.body").read_bytes())
    gone = _facts(understand("product.updated", trashed))
    assert all(isinstance(fact, Deleted) for fact in gone)
    assert {(Kind.PRODUCT, "11"), (Kind.VARIANT, "11")} == {
        (fact.kind, fact.id) for fact in gone if isinstance(fact, Deleted)
    }
