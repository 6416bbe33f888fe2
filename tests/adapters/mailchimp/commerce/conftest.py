"""A stand-in with a store for each test; with the corpus, every body sent to it is checked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from adapters.mailchimp.commerce.destination import MailchimpSales
from adapters.mailchimp.sandbox import Sandbox
from tests.adapters.mailchimp.commerce.wares import NOW, SHAPE, make
from tests.adapters.mailchimp.conftest import schemas


@pytest.fixture
def mc() -> Iterator[Sandbox]:
    """An empty account. What was sent to it must be what Mailchimp's description allows.

    And whatever a test does: nobody's permission is claimed by what they bought.
    """
    with Sandbox(clock=lambda: NOW) as sandbox:
        yield sandbox
        assert [] == sandbox.sales.opt_ins
        if corpus := os.environ.get("CONNECTOR_CORPUS"):
            known = schemas(Path(corpus))
            for endpoint, body in sandbox.sales.bodies:
                Draft202012Validator(known[endpoint]).validate(body)


@pytest.fixture
def sales(mc: Sandbox) -> MailchimpSales:
    """A prepared destination; the calls of preparing are not counted."""
    made = make(mc)
    assert [] == list(made.prepare(SHAPE))
    mc.calls.clear()
    return made


@pytest.fixture
def by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything goes by batch, however little it is."""
    monkeypatch.setattr("adapters.mailchimp.commerce.sending.MOST_BY_CALL", 0)
