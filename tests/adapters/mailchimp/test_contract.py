"""Mailchimp keeps the promises of every destination."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from adapters.mailchimp.destination import MailchimpDestination
from adapters.mailchimp.sandbox import Sandbox
from tests.contract.destinations import RemoteDestinationContract
from tests.contract.pushing import Make, Misbehave

_FAULTS = {
    "rate_limited": "429",
    "server_error": "500",
    "bad_credentials": "401",
    "answer_is_not_json": "HTML",
}


class TestMailchimp(RemoteDestinationContract):
    """The contract over the stand-in."""

    @pytest.fixture
    def make(self, unready: MailchimpDestination, mc: Sandbox) -> Make:
        """The destination, and what the stand-in holds that is not archived."""

        def peek(email: str) -> Mapping[str, Any] | None:
            held = mc.members().get(email)
            if held is None or held["status"] == "archived":
                return None
            return {**held, "mailable": held["status"] == "subscribed"}

        return lambda: (unready, peek)

    @pytest.fixture
    def misbehave(self, mc: Sandbox) -> Misbehave:
        """Spoil the stand-in's next answer."""
        return lambda fault: mc.misbehave(_FAULTS[fault])
