"""What every test of erasure may ask for: a house, with this key or another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.keys import Keyring
from connector.store.connect import Store
from tests.erasure.place import SECRET, Place


@pytest.fixture
def open_place(store_url: str, tmp_path: Path) -> Iterator[Callable[..., Place]]:
    """Open a house with these keys; again and again on the same store."""
    opened: list[Store] = []

    def open_with(*secrets: str, url: str = store_url, **more: Any) -> Place:
        store = Store.open(url, Keyring.of(secrets), **more)
        opened.append(store)
        return Place(store, tmp_path)

    yield open_with
    for store in opened:
        store.close()


@pytest.fixture
def place(open_place: Callable[..., Place]) -> Place:
    """A house with a secret key, on each of the two engines."""
    return open_place(SECRET)
