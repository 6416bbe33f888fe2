"""Where each shop is to deliver, and which of its webhooks are known to carry the right secret."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime

from connector.errors import ConfigurationFault
from connector.ports import Letterbox, ShopAdapter, Subscription
from connector.settings import Settings
from connector.store import lanes
from connector.store.connect import Store
from webhooks.signatures import topic_secret


def letterbox(settings: Settings, shop: ShopAdapter, store: Store | None) -> Letterbox:
    """The letterbox of a shop. Raises `ConfigurationFault` without a public address."""
    if settings.public_url is None:
        raise ConfigurationFault(
            "public_url is not set: the address under which the shops reach this connector, such "
            "as https://hooks.example.org"
        )
    plain = settings.shops[shop.name].seals[0].get_secret_value()

    def secret(topic: str) -> str:
        return topic_secret(plain, topic) if shop.door.secret_a_topic else plain

    kept = _kept(store, shop.name) if store else {}
    return Letterbox(
        root=f"{settings.public_url}/webhooks/{shop.name}",
        secret=secret,
        trusted=frozenset(
            number
            for number, known in kept.items()
            if hmac.compare_digest(_mark(secret(known["topic"]), number), known["mark"])
        ),
    )


def remember(
    store: Store,
    shop: str,
    box: Letterbox,
    hooks: Sequence[Subscription],
    *,
    now: datetime,
) -> None:
    """Keep which webhooks carry the secret that was just set: a digest of it, never itself."""
    known = {
        hook.id: {"topic": hook.topic, "mark": _mark(box.secret(hook.topic), hook.id)}
        for hook in hooks
        if not hook.done.startswith("removed")
    }
    with store.write() as conn:
        lanes.put(conn, f"webhooks:{shop}", known, now=now)


def _kept(store: Store, shop: str) -> dict[str, dict[str, str]]:
    with store.read() as conn:
        return lanes.get(conn, f"webhooks:{shop}") or {}


def _mark(secret: str, number: str) -> str:
    return hmac.new(secret.encode(), f"webhook {number}".encode(), "sha256").hexdigest()[:32]
