"""The Meta conversions keep what every destination of conversions promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from adapters.meta_conversions.destination import MetaConversionsDestination
from adapters.meta_conversions.sandbox import Sandbox
from tests.contract.conversions import ConversionContract
from tests.contract.pushing import Make, Misbehave

_FAULTS = {
    "rate_limited": "busy for 3 minutes",
    "server_error": "500",
    "bad_credentials": "error 190",
    "answer_is_not_json": "HTML",
}


class TestMetaConversions(ConversionContract):
    @pytest.fixture
    def make(self, meta: Sandbox, connect: Callable[..., MetaConversionsDestination]) -> Make:
        def peek(order_id: str) -> Mapping[str, Any] | None:
            event = meta.purchases().get(order_id)
            if event is None:
                return None
            goods = event["custom_data"]
            return {
                "value": goods["value"],
                "currency": goods["currency"],
                "items": goods["content_ids"],
                "known": event["user_data"],
            }

        return lambda: (connect(), peek)

    @pytest.fixture
    def misbehave(self, meta: Sandbox) -> Misbehave:
        return lambda fault: meta.misbehave(_FAULTS[fault])
