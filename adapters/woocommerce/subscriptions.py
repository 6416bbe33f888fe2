"""The shop's webhooks: one for each topic, at an address of its own, with a secret of its own.

https://woocommerce.github.io/woocommerce-rest-api-docs/#webhooks. A secret is never shown again, so
that one is right is only known of those that we set ourselves (`Letterbox.trusted`). Setting it
anew harms nobody: what is signed from then on is signed with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapters.woocommerce.client import WooCommerceClient
from connector.errors import TryLater
from connector.ports import Flaw, FlawKind, Letterbox, Subscription

TOPICS = (
    *("order.created", "order.updated", "order.deleted", "order.restored"),
    *("customer.created", "customer.updated", "customer.deleted"),
    *("product.created", "product.updated", "product.deleted", "product.restored"),
    *("coupon.created", "coupon.updated", "coupon.deleted", "coupon.restored"),
)
"""The topics that are understood: https://woocommerce.com/document/webhooks/."""
ACTIVE = "active"


def every(client: WooCommerceClient) -> list[Subscription]:
    """Every webhook of the shop. Raises `TryLater` or `LaneDown`."""
    return [_read(body) for body in client.webhooks()]


def register(client: WooCommerceClient, letterbox: Letterbox) -> Iterator[Subscription]:
    """See `connector.ports.Subscribing.register_webhooks`; each step is done when it is given."""
    ours = [hook for hook in every(client) if letterbox.is_ours(hook.address)]
    for topic in TOPICS:
        if topic in letterbox.left:
            continue
        there = sorted(
            (hook for hook in ours if hook.topic == topic),
            key=lambda hook: (len(wrongs(hook, letterbox)), len(hook.id), hook.id),
        )
        if not there:
            yield _make(client, letterbox, topic)
            continue
        yield _mend(client, letterbox, there[0])
        for spare in there[1:]:
            client.remove_webhook(spare.id)
            yield replace(spare, done="removed: a second one for the topic")


def flaws(client: WooCommerceClient, letterbox: Letterbox) -> Iterator[Flaw]:
    """What `register` would mend. A webhook at fault in several ways is named once for each."""
    ours = [hook for hook in every(client) if letterbox.is_ours(hook.address)]
    for topic in TOPICS:
        there = [hook for hook in ours if hook.topic == topic]
        if not there:
            yield Flaw(topic=topic, kind=FlawKind.MISSING, what="there is no webhook")
        if len(there) > 1:
            yield Flaw(topic=topic, kind=FlawKind.TWICE, what=f"there are {len(there)} webhooks")
        for hook in there:
            for fault in wrongs(hook, letterbox):
                kind, what = _FLAWS[fault]
                yield Flaw(topic=topic, kind=kind, what=what.format(status=hook.status))


def wrongs(hook: Subscription, letterbox: Letterbox) -> Sequence[str]:
    """What is not right with a webhook of ours, in a word or two each."""
    faults = {
        "address": hook.address != letterbox.address(hook.topic),
        "secret": hook.id not in letterbox.trusted,
        "switched off": hook.status != ACTIVE,
    }
    return [fault for fault, is_so in faults.items() if is_so]


_FLAWS: Mapping[str, tuple[FlawKind, str]] = {
    "address": (FlawKind.ADDRESS, "the address is not the topic's own"),
    "secret": (FlawKind.SECRET, "nobody here set its secret"),
    "switched off": (FlawKind.OFF, "the webhook is {status}"),
}


def _make(client: WooCommerceClient, letterbox: Letterbox, topic: str) -> Subscription:
    wanted = {
        "name": f"connector: {topic}",
        "topic": topic,
        "delivery_url": letterbox.address(topic),
        "secret": letterbox.secret(topic),
        "status": ACTIVE,
    }
    return replace(_read(client.make_webhook(wanted)), done="created")


def _mend(client: WooCommerceClient, letterbox: Letterbox, hook: Subscription) -> Subscription:
    faults = wrongs(hook, letterbox)
    if not faults:
        return replace(hook, done="left as it is")
    address = letterbox.address(hook.topic)
    wanted = {"secret": letterbox.secret(hook.topic), "status": ACTIVE}
    # Naming the address makes the shop call it: only where it changes.
    moved = {"delivery_url": address} if hook.address != address else {}
    changed = client.change_webhook(hook.id, wanted | moved)
    return replace(_read(changed), done=f"mended: {', '.join(faults)}")


def _read(body: Mapping[str, Any]) -> Subscription:
    match body:
        case {
            "id": int(number),
            "topic": str(topic),
            "status": str(status),
            "delivery_url": str(to),
        }:
            return Subscription(id=str(number), topic=topic, status=status, address=to)
        case _:
            raise TryLater("the shop shows a webhook without id, topic, status or address")
