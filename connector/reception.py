"""The receiver put together: a door for each shop, a back door for each destination with one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from connector import health, log_lines
from connector.guests import BACK_DOORS, DOORS
from connector.store.inbox import Inbox
from connector.wiring import clock_of, configure, draw_up_books, open_store
from webhooks import signatures
from webhooks.app import Threshold, create_app
from webhooks.back_door import BackEntrance
from webhooks.health import Health
from webhooks.status import Counters, render_metrics

CONFIG = "CONNECTOR_CONFIG"
MAPPING = "CONNECTOR_MAPPING_FILE"


def receiver_app() -> Any:
    """The receiver as a WSGI application; the environment names the configuration."""
    configured = configure(Path(os.environ[CONFIG]), os.environ.get(MAPPING))
    log_lines.speak_in_lines()
    settings = configured.settings
    store = open_store(settings)
    inbox = Inbox(store)
    counters = Counters()
    now = clock_of(settings)

    def healthy() -> Health:
        return health.of_store(store, now())

    def metrics() -> bytes:
        return render_metrics(
            draw_up_books(configured, store),
            counters,
            accepted=inbox.accepted,
            duplicates=inbox.duplicates,
        )

    return create_app(
        thresholds={
            name: Threshold(
                shop=name,
                door=DOORS[shop.platform](shop),
                secrets=signatures.spellings(s.get_secret_value() for s in shop.seals),
            )
            for name, shop in settings.shops.items()
        },
        back_entrances={
            name: BackEntrance(
                destination=name,
                door=BACK_DOORS[section.platform],
                token=section.webhook_token.get_secret_value().encode(),
                secrets=tuple(each.get_secret_value().encode() for each in section.webhook_secret),
            )
            for name, section in settings.destinations.items()
            if section.platform in BACK_DOORS and section.webhook_token
        },
        accept=inbox.accept,
        accept_soon=inbox.accept_soon,
        health=healthy,
        metrics=metrics,
        clock=now,
        counters=counters,
        limit=settings.body_limit,
    )
