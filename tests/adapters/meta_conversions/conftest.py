"""A stand-in pixel and a destination that tells it of purchases."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from adapters.meta_conversions.destination import MetaConversionsDestination
from adapters.meta_conversions.sandbox import Sandbox
from tests.contract.pushing import NOW


@pytest.fixture
def meta() -> Iterator[Sandbox]:
    """A pixel that was told of nothing."""
    with Sandbox(clock=lambda: NOW) as opened:
        yield opened


@pytest.fixture
def connect(meta: Sandbox) -> Callable[..., MetaConversionsDestination]:
    """Make a destination for the pixel; ``timeout`` is short, so that a hang is soon over."""

    def make(timeout: float = 5.0) -> MetaConversionsDestination:
        return MetaConversionsDestination(
            "sales", meta.pixel_id, meta.access_token, base_url=meta.url, timeout=timeout
        )

    return make


@pytest.fixture
def sales(connect: Callable[..., MetaConversionsDestination]) -> MetaConversionsDestination:
    """A destination for the pixel."""
    return connect()
