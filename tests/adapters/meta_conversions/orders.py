"""Orders and changes for the tests of this folder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from connector.model import Change, Record
from tests.contract.conversions import ConversionContract

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def order(number: int = 1, customer: dict[str, Any] | None = None, **fields: Any) -> Record:
    """A paid order of an hour ago."""
    return ConversionContract().order(number, customer=customer, **fields)


def steps(*orders: Record) -> list[Change]:
    """The steps that bring new orders."""
    return [Change(key=each.key, before=None, after=each) for each in orders]
