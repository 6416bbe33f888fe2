"""The Meta audiences keep what every destination of audiences promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from adapters.meta_audiences.destination import MetaAudiencesDestination
from adapters.meta_audiences.sandbox import Sandbox
from adapters.meta_audiences.words import COLUMNS
from connector.match_keys import digest, email
from tests.contract.audiences import AudienceContract
from tests.contract.pushing import Make, Misbehave

_FAULTS = {
    "rate_limited": "busy for 3 minutes",
    "server_error": "500",
    "bad_credentials": "error 190",
    "answer_is_not_json": "HTML",
}
_NAMES = {column: name for name, column in COLUMNS.items()} | {"LOOKALIKE_VALUE": "value"}


class TestMetaAudiences(AudienceContract):
    @pytest.fixture
    def make(self, meta: Sandbox, connect: Callable[..., MetaAudiencesDestination]) -> Make:
        def peek(address: str) -> Mapping[str, Any]:
            return {
                audience: {_NAMES[column]: told for column, told in row.items()}
                for audience, row in meta.inside(digest(email, address)).items()
            }

        return lambda: (connect(), peek)

    @pytest.fixture
    def misbehave(self, meta: Sandbox) -> Misbehave:
        return lambda fault: meta.misbehave(_FAULTS[fault])
