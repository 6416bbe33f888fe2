"""What an adapter makes of a delivery: facts, wishes, nothing, or a question to a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from connector.model.demands import DataRequest, Redaction
from connector.model.goods import Product, Promotion, Variant
from connector.model.orders import Cart, Order
from connector.model.people import Customer
from connector.model.permissions import AddressChange, Evidence
from connector.model.statements import Deleted, Kind

Fact: TypeAlias = (
    Customer
    | Order
    | Product
    | Variant
    | Cart
    | Promotion
    | Deleted
    | Evidence
    | AddressChange
    | DataRequest
    | Redaction
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Something a payload lacks: the shop is asked for it before anything is believed."""

    kind: Kind
    id: str
    parent_id: str | None = None
    """The product a variant hangs on, when the payload told."""
    expected_gone: bool = False
    """The delivery says this thing was deleted: a 404 confirms it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """The facts in a delivery, what is still to be asked, and what was odd but bearable."""

    facts: tuple[Fact, ...] = ()
    wishes: tuple[Wish, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Understood and deliberately not used, with the reason."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """Not understood: kept as it came, for a person.

    ``reason`` is a short code, ``detail`` says what was found where (never with personal data),
    ``mend`` who does what about it. ``alarm``: it is more than one thing not understood, such as
    what a person demands by law, and is told apart from all else in quarantine.
    """

    reason: str
    detail: str = ""
    mend: str = ""
    alarm: bool = False


Understanding: TypeAlias = Understood | Ignored | Quarantined
