"""The receiver with its real health, on the store that the environment names."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from flask import Flask

from benchmarks.door import DOOR
from benchmarks.load import SECRET, SHOP
from connector import health
from connector.store.connect import Store
from connector.store.inbox import Inbox
from webhooks.app import Threshold, create_app


def open_door(store: Store, inbox: Inbox) -> Flask:
    """The application as wired, without a configuration."""
    return create_app(
        thresholds={SHOP: Threshold(shop=SHOP, door=DOOR, secrets=(SECRET,))},
        accept=inbox.accept,
        accept_soon=inbox.accept_soon,
        health=lambda: health.of_store(store, datetime.now(UTC)),
        metrics=lambda: b"",
        clock=lambda: datetime.now(UTC),
    )


def app() -> Flask:
    """For a server process of its own."""
    store = Store.open(os.environ["CONNECTOR_STORE"])
    return open_door(store, Inbox(store))
