"""Looks at the versions in which a shop's webhooks come: another than expected may mean other."""

from __future__ import annotations

from collections.abc import Iterator

from connector.ports import OPERATOR, Finding
from connector.ports.versions import OTHER_VERSION, Versioned
from connector.store import flagged
from connector.store.connect import Store


def examine(name: str, shop: Versioned, store: Store) -> Iterator[Finding]:
    """A warning for each version whose newest deliveries of a topic came in it."""
    with store.read() as conn:
        others = flagged.newest_flagged(conn, name, OTHER_VERSION)
    topics: dict[str, list[str]] = {}
    for delivery in others:
        topics.setdefault(shop.version_of(delivery) or "none", []).append(delivery.topic)
    for version, those in sorted(topics.items()):
        yield Finding(
            what=f"webhooks come in version {version} of its API; {shop.written_for} is expected "
            f"({', '.join(sorted(those))})",
            cause="They are read all the same, but a field may be called otherwise in another "
            "version, or be missing, without a word.",
            mend=f"Set the webhooks' API version to {shop.written_for} in the app's settings; or, "
            "if the connector was written for the other one too (see docs/shopify.md), name it as "
            "api_version in connector.yaml.",
            who=OPERATOR,
        )
