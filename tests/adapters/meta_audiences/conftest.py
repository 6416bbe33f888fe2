"""A stand-in ad account and a destination that keeps its audiences."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from adapters.meta_audiences.destination import MetaAudiencesDestination
from adapters.meta_audiences.sandbox import Sandbox


@pytest.fixture
def meta() -> Iterator[Sandbox]:
    """An ad account without audiences."""
    with Sandbox() as opened:
        yield opened


@pytest.fixture
def connect(meta: Sandbox) -> Callable[..., MetaAudiencesDestination]:
    """Make a destination for the ad account; ``timeout`` is short, so that a hang is soon over."""

    def make(timeout: float = 5.0) -> MetaAudiencesDestination:
        return MetaAudiencesDestination(
            "lookalikes", meta.ad_account, meta.access_token, base_url=meta.url, timeout=timeout
        )

    return make


@pytest.fixture
def lookalikes(connect: Callable[..., MetaAudiencesDestination]) -> MetaAudiencesDestination:
    """A destination for the ad account."""
    return connect()
