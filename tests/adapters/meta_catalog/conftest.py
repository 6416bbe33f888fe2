"""A stand-in catalog and a destination that writes to it without waiting between looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from adapters.meta_catalog.destination import MetaCatalogDestination
from adapters.meta_catalog.sandbox import Sandbox


@pytest.fixture
def meta() -> Iterator[Sandbox]:
    """An empty catalog."""
    with Sandbox() as opened:
        yield opened


@pytest.fixture
def connect(meta: Sandbox) -> Callable[..., MetaCatalogDestination]:
    """Make a destination for the catalog; ``timeout`` is short, so that a hang is soon over."""

    def make(timeout: float = 5.0) -> MetaCatalogDestination:
        return MetaCatalogDestination(
            "catalog",
            meta.catalog_id,
            meta.access_token,
            base_url=meta.url,
            timeout=timeout,
            sleep=lambda _: None,
        )

    return make


@pytest.fixture
def catalog(connect: Callable[..., MetaCatalogDestination]) -> MetaCatalogDestination:
    """A destination for the catalog."""
    return connect()
