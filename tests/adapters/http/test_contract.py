"""The HTTP destination keeps the promises of every destination."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from adapters.http.destination import HttpDestination
from adapters.http.sandbox import Sandbox
from tests.contract.destinations import RemoteDestinationContract
from tests.contract.pushing import Make, Misbehave

_FAULTS = {
    "rate_limited": "429",
    "server_error": "500",
    "bad_credentials": "401",
    "answer_is_not_json": "HTML",
}


class TestHttp(RemoteDestinationContract):
    """The contract over the stand-in, which refuses one address by name."""

    @pytest.fixture
    def make(self, connect: Callable[..., HttpDestination], crm: Sandbox) -> Make:
        """The destination, and what the stand-in holds."""
        crm.refuse(self.bad_email)

        def peek(email: str) -> Mapping[str, Any] | None:
            held = crm.records().get(email)
            return held and {**held, "mailable": held["permission"] == "send"}

        return lambda: (connect(), peek)

    @pytest.fixture
    def misbehave(self, crm: Sandbox) -> Misbehave:
        """Spoil the stand-in's next answer."""
        return lambda fault: crm.misbehave(_FAULTS[fault])
