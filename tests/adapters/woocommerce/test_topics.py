"""Which topic means what, and that no body is believed under another's topic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connector.model import (
    Customer,
    Deleted,
    Ignored,
    Kind,
    Order,
    Product,
    Quarantined,
    Understanding,
    Understood,
    Wish,
)

Build = Callable[..., dict[str, Any]]
Read = Callable[[str, Any], Understanding]
Why = Callable[[str, Any], str]

TOPICS = [
    f"{resource}.{event}"
    for resource in ("order", "customer", "product", "coupon")
    for event in ("created", "updated", "deleted", "restored")
    if (resource, event) != ("customer", "restored")
] + ["product.published", "action.woocommerce_order_status_completed", "subscription.created"]


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("order.deleted", Kind.ORDER),
        ("customer.deleted", Kind.CUSTOMER),
        ("product.deleted", Kind.PRODUCT),
        ("coupon.deleted", Kind.PROMOTION),
    ],
)
def test_deletions_are_only_wishes(understand: Read, topic: str, kind: Kind) -> None:
    """A deletion is never believed unseen: the shop is to be asked, and nothing is deleted yet."""
    expected = Understood(wishes=(Wish(kind=kind, id="22", expected_gone=True),))
    assert expected == understand(topic, {"id": 22})
    assert expected == understand(topic, {"id": "22"})


@pytest.mark.parametrize(
    "topic",
    [
        "action.woocommerce_order_status_completed",
        "subscription.created",
        "order",
    ],
)
def test_row_36_topics_not_used(understand: Read, topic: str) -> None:
    """Row 36: other topics are ignored by name, whatever their body is."""
    for body in ({"id": 15}, {}, b"not json", b""):
        assert Ignored(reason=f"topic not used: {topic}") == understand(topic, body)


@pytest.mark.parametrize("topic", ["", "x" * 200, "order.\x00", "eva@example.org"])
def test_unreadable_topics_are_not_repeated(understand: Read, topic: str) -> None:
    """A header may hold anything: what is no topic is not written into a reason."""
    assert Ignored(reason="topic not used: unreadable") == understand(topic, {"id": 1})


@pytest.mark.parametrize("deleted", ["order", "customer", "product", "coupon"])
@pytest.mark.parametrize(
    "body", [{"id": 1, "name": "x"}, {}, {"ID": 1}, {"id": 1, "deleted": True}]
)
def test_row_54_deletions_of_another_shape(reason: Why, deleted: str, body: dict[str, Any]) -> None:
    """Row 54: a deletion brings an id and nothing else."""
    assert "topic_mismatch" == reason(f"{deleted}.deleted", body)


def test_every_body_under_every_topic(
    understand: Read, order: Build, customer: Build, product: Build
) -> None:
    """The topic is not signed: a body replayed under another topic states and deletes nothing."""
    own = {"order": order(), "customer": customer(), "product": product()}
    types = {"order": Order, "customer": Customer, "product": Product}
    for name, body in own.items():
        for topic in TOPICS:
            resource, _, event = topic.partition(".")
            understanding = understand(topic, body)
            if resource == name and event != "deleted":
                assert isinstance(understanding, Understood), topic
                assert [types[name]] == [type(fact) for fact in understanding.facts], topic
                assert () == understanding.wishes
            elif resource in {*own, "coupon"}:
                assert isinstance(understanding, Quarantined), topic
                assert "topic_mismatch" == understanding.reason
            else:
                assert isinstance(understanding, Ignored), topic


def test_thin_body_under_every_topic(understand: Read) -> None:
    """An id alone deletes nothing under any topic, and states nothing under the others."""
    for topic in TOPICS:
        understanding = understand(topic, {"id": 22})
        if isinstance(understanding, Understood):
            assert topic in {
                f"{kind}.deleted" for kind in ("order", "customer", "product", "coupon")
            }
            assert () == understanding.facts
            assert all(wish.expected_gone for wish in understanding.wishes)


def test_gone_before_delivery(understand: Read) -> None:
    """The payload is built when it is sent: a thing gone by then is a signed error without id."""
    for topic, code in (
        ("order.created", "woocommerce_rest_shop_order_invalid_id"),
        ("customer.updated", "wc_user_invalid_id"),
        ("product.restored", "woocommerce_rest_product_invalid_id"),
    ):
        body = {"code": code, "message": "Invalid ID.", "data": {"status": 404}}
        assert Ignored(reason="object gone before delivery") == understand(topic, body)


@pytest.mark.parametrize("status", [401, 403])
def test_owner_lost_rights(understand: Read, status: int) -> None:
    """The webhook's owner may no longer read orders: a person must make it again."""
    body = {
        "code": "woocommerce_rest_cannot_view",
        "message": "Sorry, you cannot view this resource.",
        "data": {"status": status},
    }
    understanding = understand("order.updated", body)
    assert isinstance(understanding, Quarantined)
    assert "no_rights" == understanding.reason
    assert "administrator" in understanding.mend


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("rest_no_route", {"status": 404}),
        ("woocommerce_rest_shop_order_invalid_id", {"status": 500}),
        ("evil_invalid_id", {"status": 404}),
        ("x", {}),
        ("Eva <eva@example.org>", {"status": [401]}),
    ],
)
def test_other_errors(understand: Read, code: str, data: dict[str, Any]) -> None:
    """Any other error needs a look; only its code is repeated, and only if it looks like one."""
    understanding = understand("order.updated", {"code": code, "message": "Eva", "data": data})
    assert isinstance(understanding, Quarantined)
    assert "rest_error" == understanding.reason
    assert "Eva" not in understanding.detail


def test_error_is_no_deletion(reason: Why) -> None:
    """An error under a deletion's topic has no id and deletes nothing."""
    body = {"code": "wc_user_invalid_id", "message": "", "data": {"status": 404}}
    assert "topic_mismatch" == reason("customer.deleted", body)


@pytest.mark.parametrize("wrapper", ["order", "orders", "customer", "product", "errors"])
def test_legacy_wrappers(understand: Read, wrapper: str, order: Build) -> None:
    """The legacy API wraps its bodies: the mend names the webhook's own setting."""
    understanding = understand("order.created", {wrapper: order()})
    assert isinstance(understanding, Quarantined)
    assert "legacy_api" == understanding.reason
    assert "WP REST API Integration v3" in understanding.mend


@pytest.mark.parametrize("topic", ["order.created", "customer.created", "product.created"])
def test_row_47_local_dates_only(
    reason: Why, topic: str, order: Build, customer: Build, product: Build
) -> None:
    """Row 47: REST v1 writes local dates only, which nothing here is decided by."""
    body = {"order": order, "customer": customer, "product": product}[topic.partition(".")[0]]()
    del body["date_created_gmt"], body["date_modified_gmt"]
    body["date_created"] = body["date_modified"] = "2026-11-23T11:00:00"
    assert "legacy_api" == reason(topic, body)


def test_delivery_of_deletion_keeps_flags(understand: Read) -> None:
    """What was forgiven in a thin body is told as well."""
    understanding = understand("order.deleted", b'\xef\xbb\xbf{"id":22}')
    assert isinstance(understanding, Understood)
    assert ("bom",) == understanding.flags
    assert not any(isinstance(fact, Deleted) for fact in understanding.facts)
