"""A door on an SQLite store, knocked at in this process."""

from __future__ import annotations

import base64
import hmac
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from benchmarks.load import SECRET, SHOP, TOPIC
from connector.store.connect import Store
from connector.store.inbox import Inbox
from tests.faults.door import open_door


@dataclass
class Doorway:
    """The application, its store, and what was said yes to."""

    path: Path
    store: Store = field(init=False)
    inbox: Inbox = field(init=False)
    app: Flask = field(init=False)
    acknowledged: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.store = Store.open(f"sqlite:///{self.path}")
        self.inbox = Inbox(self.store)
        self.app = open_door(self.store, self.inbox)

    def post(self, body: bytes) -> TestResponse:
        """Deliver a body, rightly signed."""
        seal = base64.b64encode(hmac.digest(SECRET, body, "sha256")).decode()
        headers = {
            "X-WC-Webhook-Signature": seal,
            "X-WC-Webhook-Topic": TOPIC,
            "X-WC-Webhook-Delivery-ID": "d1",
        }
        reply = self.app.test_client().post(f"/webhooks/{SHOP}", data=body, headers=headers)
        if reply.status_code == 200:
            self.acknowledged.add(body)
        return reply

    def held(self) -> set[bytes]:
        """The bodies in the store, read past the program; the file must be sound."""
        with closing(sqlite3.connect(self.path)) as conn:
            assert [("ok",)] == conn.execute("PRAGMA quick_check").fetchall()
            return {body for (body,) in conn.execute("SELECT body FROM deliveries")}

    def close(self) -> None:
        """Let go of the store."""
        self.inbox.close()
        self.store.close()


@pytest.fixture
def doorway(tmp_path: Path) -> Iterator[Doorway]:
    """An open door on an empty store."""
    opened = Doorway(tmp_path / "connector.db")
    yield opened
    opened.close()
