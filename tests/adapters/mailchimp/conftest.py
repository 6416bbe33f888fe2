"""A stand-in Mailchimp for each test; with the corpus, every body sent to it is checked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from adapters.mailchimp.destination import MailchimpDestination
from adapters.mailchimp.sandbox import Sandbox
from tests.adapters.mailchimp.people import SHAPE


@pytest.fixture
def mc() -> Iterator[Sandbox]:
    """An empty audience. What was sent to it must be what Mailchimp's description allows."""
    with Sandbox() as sandbox:
        yield sandbox
        check_bodies(sandbox)


@pytest.fixture
def unready(mc: Sandbox) -> MailchimpDestination:
    """A destination that did not look at its audience yet."""
    return MailchimpDestination("newsletter", mc.audience, mc.api_key, base_url=mc.url, timeout=5)


@pytest.fixture
def destination(mc: Sandbox, unready: MailchimpDestination) -> MailchimpDestination:
    """A prepared destination; the calls of preparing are not counted."""
    assert [] == list(unready.prepare(SHAPE))
    mc.calls.clear()
    return unready


def check_bodies(sandbox: Sandbox) -> None:
    """With the corpus at hand, hold every body sent against the platform's own description."""
    if corpus := os.environ.get("CONNECTOR_CORPUS"):
        known = schemas(Path(corpus))
        for endpoint, body in sandbox.bodies:
            Draft202012Validator(known[endpoint]).validate(body)


@cache
def schemas(corpus: Path) -> dict[str, Any]:
    """The schema of every body that Mailchimp takes, by endpoint."""
    path = corpus / "specs/mailchimp/mailchimp-request-bodies.strict.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found
