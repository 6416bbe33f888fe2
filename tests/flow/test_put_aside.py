"""What was read and not understood waits beside the deliveries, and is none of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from connector.model import Quarantined, Understanding
from connector.store import inbox, schema, watching
from tests.flow.lossy import Hearer, Town, reconciled

PLATFORMS = ("woocommerce", "shopify")
_READERS = {
    "woocommerce": ("adapters.woocommerce.records.understand_sound",
                    "adapters.woocommerce.records.understand_record"),
    "shopify": ("adapters.shopify.history.recall",),
}  # fmt: skip


def not_understood(*_: Any) -> Understanding:
    """As a version would say that does not know something yet."""
    return Quarantined(reason="odd", detail="an odd one", mend="Upgrade.")


def put_aside(town: Town) -> Hearer:
    """What happened lately was read, and nothing of it understood."""
    house = town.lossy
    town.live(timedelta(hours=1), 1)
    house.loses = 1.0
    town.skip(minutes=30)
    town.live(timedelta(minutes=30), 4)
    with pytest.MonkeyPatch.context() as patch:
        for name in _READERS[town.platform]:
            patch.setattr(name, not_understood)
        reconciled(house)
    return house


@pytest.mark.parametrize("platform", PLATFORMS)
def test_it_does_not_hide_that_a_shop_is_silent(
    platform: str, open_town: Callable[[str], Town]
) -> None:
    """When a shop last delivered is when a webhook came, also once it was read again."""
    town = open_town(platform)
    house = put_aside(town)
    for _ in range(2):
        with house.store.read() as conn:
            rows = conn.execute(
                select(schema.deliveries.c.received_at, schema.deliveries.c.headers)
            ).all()
            heard = max(row.received_at for row in rows if not row.headers)
            newest = max(row.received_at for row in rows)
            assert {"wool": heard} == inbox.last_received(conn)
            assert heard == watching.last_heard(conn, "wool")
        assert newest > heard + timedelta(minutes=30)
        with house.store.write() as conn:
            inbox.replay(conn)
        house.work()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_it_is_read_again_by_those_who_understand_it(
    platform: str, open_town: Callable[[str], Town]
) -> None:
    """After an upgrade its own body is enough: the shop need not be asked anew."""
    town = open_town(platform)
    house = put_aside(town)
    with house.store.read() as conn:
        waiting = inbox.quarantined(conn, limit=100)
    topics = {each.topic for each in waiting}
    if platform == "shopify":
        assert {"history/orders", "history/customers", "history/products"} >= topics
    assert [] != town.differences()
    house.transport.calls.clear()
    with house.store.write() as conn:
        for each in waiting:
            assert 1 == inbox.replay(conn, delivery=each.id)
    house.work()
    assert not [name for name in house.transport.calls if "page_" in name]
    with house.store.read() as conn:
        assert [] == inbox.quarantined(conn, limit=100)
    reconciled(town.whole)
    assert [] == [each for each in town.differences() if " orders " in each]


@pytest.mark.parametrize(
    ("topic", "body", "status"),
    [
        ("history/orders", b'{"id": 1}', "quarantined"),
        ("history/orders", b"[1, 2]", "quarantined"),
        ("history/orders", b'[{"id": "gid://shopify/Order/1"}, {}]', "quarantined"),
        ("history/orders", b"not JSON", "quarantined"),
        ("history/gifts", b"[{}, []]", "ignored"),
    ],
)
def test_no_webhook_is_taken_for_it(
    topic: str, body: bytes, status: str, open_town: Callable[[str], Town]
) -> None:
    """The topic is not signed: a body under it is believed only in its own shape."""
    house = open_town("shopify").lossy
    house.take(topic, body)
    before = house.state()
    house.work()
    with house.store.read() as conn:
        query = select(schema.deliveries.c.status).where(schema.deliveries.c.topic == topic)
        assert [status] == list(conn.scalars(query))
    assert before == house.state()
