"""Items and changes for the tests of this folder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from connector.model import Change, Record
from tests.contract.catalogs import CatalogContract

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def item(number: int = 1, **fields: Any) -> Record:
    """A whole item; a field given as ``None`` is left out."""
    return CatalogContract().item(number, fields)


def step(before: Record | None, after: Record | None) -> Change:
    """The step from one to the other."""
    key = (after or before or item()).key
    return Change(key=key, before=before, after=after)


def steps(*items: Record) -> list[Change]:
    """The steps that bring new items."""
    return [step(None, each) for each in items]
