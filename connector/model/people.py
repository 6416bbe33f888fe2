"""People: an account in a shop, and one person with what all their orders add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connector.model.statements import Json, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer account in a shop. ``meta`` holds the shop's own extra fields by their key."""

    shop: str
    id: str
    version: Version
    email: str | None = None
    phone: str | None = None
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    country: str | None = None
    language: str | None = None
    created_at: datetime | None = None
    tags: tuple[str, ...] = ()
    meta: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One person, known by a contact point, with what all their orders add up to.

    ``person`` is the normal form of the e-mail address, or ``shop:customer:id`` and
    ``shop:order:id`` for those who gave none. Amounts are minor units of ``currency``.
    """

    person: str
    email: str | None = None
    phone: str | None = None
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    country: str | None = None
    language: str | None = None
    shops: tuple[str, ...] = ()
    currency: str | None = None
    number_of_orders: int = 0
    amount_spent: int = 0
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    added_at: datetime | None = None
    countries: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
