"""The nouns: what a shop can tell us and what a destination can hold, each a frozen value.

Conventions: ids are text (exact beyond 2**53), moments are aware datetimes in UTC, money is an
integer of minor units beside its ISO 4217 code, and an unknown value is ``None``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""What JSON can hold: objects, arrays, text, numbers, booleans, null."""


# --- What arrives ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One webhook at the door, its signature already proven; `Delivery` once it is written down.

    ``key`` is a digest: two arrivals with one key are one delivery that was sent twice.
    ``body_sha256`` spares a second digest where the first is at hand.
    """

    shop: str
    topic: str
    key: bytes
    received_at: datetime
    headers: Mapping[str, str]
    body: bytes
    body_sha256: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One webhook as it came: a claim, written down before it is understood."""

    id: int
    shop: str
    topic: str
    received_at: datetime
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """Which of two statements about one thing is newer: the shop's own time, then a digest.

    ``tie`` is 63 bits of the body's SHA-256, so that two different bodies of one moment are
    ordered the same way in whatever order they arrive.
    """

    at: datetime
    tie: int = 0


# --- Facts: the one vocabulary every shop is translated into ------------------------------------


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
class Line:
    """One line of an order; ``total`` in minor units after discounts, without tax.

    ``discount`` is what was taken off to come to that.
    """

    id: str
    product_id: str | None
    variant_id: str | None
    sku: str
    name: str
    quantity: int
    total: int
    discount: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money given back; ``amount`` in minor units, positive."""

    id: str
    amount: int
    reason: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order. ``total`` is what was charged, tax included; refunds are beside it, not in it.

    ``carts`` are the shop's own names of the cart it came of, ``fulfilled`` says that all of it was
    sent, ``landing_url`` is the page by which the buyer came to the shop.
    """

    shop: str
    id: str
    version: Version
    number: str
    status: str
    currency: str
    total: int
    placed_at: datetime
    tax: int = 0
    shipping: int = 0
    discount: int = 0
    paid_at: datetime | None = None
    customer_id: str | None = None
    email: str | None = None
    phone: str | None = None
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    countries: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    refunds: tuple[Refund, ...] = ()
    fulfilled: bool = False
    cancelled_at: datetime | None = None
    landing_url: str | None = None
    carts: tuple[str, ...] = ()
    meta: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """A basket that somebody began to buy and has not ordered yet.

    ``url`` leads back to it. ``other_name`` is one by which an order may say, too, that it came of
    this cart.
    """

    shop: str
    id: str
    version: Version
    currency: str
    total: int
    created_at: datetime
    url: str | None = None
    customer_id: str | None = None
    email: str | None = None
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    other_name: str | None = None
    lines: tuple[Line, ...] = ()


class Worth(StrEnum):
    """In what a promotion's ``amount`` is counted."""

    PERCENTAGE = "percentage"
    FIXED = "fixed"


class Bearing(StrEnum):
    """What a promotion takes its amount off."""

    TOTAL = "total"
    PER_ITEM = "per_item"
    SHIPPING = "shipping"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A code that makes a purchase cheaper, for everybody who has it.

    ``amount`` in hundredths: of a percent for `Worth.PERCENTAGE` (1250 is 12.5 %); for
    `Worth.FIXED` in minor units of ``currency``.
    """

    shop: str
    id: str
    version: Version
    code: str
    worth: Worth
    amount: int
    bearing: Bearing
    currency: str | None = None
    title: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    usage_count: int = 0
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What can be put in a basket. A simple product has one, with the product's own id."""

    shop: str
    id: str
    product_id: str
    version: Version
    sku: str = ""
    title: str = ""
    status: str = ""
    currency: str | None = None
    price: int | None = None
    regular_price: int | None = None
    sale_price: int | None = None
    sale_from: datetime | None = None
    sale_to: datetime | None = None
    stock_status: str | None = None
    stock_quantity: int | None = None
    image_url: str | None = None
    url: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product as shown in the shop. ``variants`` may be empty when the shop sends them apart.

    ``all_variants`` says that there are no others: one known of this product and not among them
    was deleted.
    """

    shop: str
    id: str
    version: Version
    title: str
    status: str
    type: str = ""
    description: str = ""
    url: str | None = None
    image_url: str | None = None
    vendor: str = ""
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    all_variants: bool = False
    meta: Mapping[str, Json] = field(default_factory=dict)


class Kind(StrEnum):
    """The kinds of thing a shop can be asked for; all but the last two can also be deleted."""

    CUSTOMER = "customer"
    ORDER = "order"
    PRODUCT = "product"
    VARIANT = "variant"
    CART = "cart"
    PROMOTION = "promotion"
    INVENTORY_ITEM = "inventory_item"
    """What a stock belongs to: only ever asked for, the answer is about its variant."""
    CONTACT = "contact"
    """A contact of a destination: only ever asked for, the answer is about a permission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """A thing is gone (or in the trash) since ``version.at``."""

    shop: str
    kind: Kind
    id: str
    version: Version


class Purpose(StrEnum):
    """What a permission is for. None is ever inherited from another."""

    EMAIL = "email"
    SMS = "sms"
    ADS = "ads"


class Claim(StrEnum):
    """What one piece of evidence says about a permission."""

    GRANT_CONFIRMED = "grant2"  # a double opt-in, confirmed by the person
    GRANT = "grant1"  # the person acted, once: a ticked box, a form
    GRANT_STATE = "grantS"  # a platform says "subscribed" with a valid date; who acted is unknown
    GRANT_UNDATED = "grantU"  # "subscribed" without a believable date
    PENDING = "pending"  # asked, not confirmed
    SOFT = "soft"  # bought, opt-out offered: soft opt-in where the law has it
    NEUTRAL = "neutral"  # nothing said
    WITHDRAW = "withdraw"
    ERASE = "erase"
    UNDELIVERABLE = "undeliverable"  # the address bounces: no statement about consent


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One statement about one permission of one contact point. Never changed, never removed.

    ``source`` is the name of the shop or destination that said it. ``at`` is when the person acted
    by that source's clock (``None`` when the source gave no believable time); ``received_at`` is
    when the delivery that carried it reached us, the same at every replay.
    """

    contact: str
    purpose: Purpose
    claim: Claim
    source: str
    received_at: datetime
    at: datetime | None = None
    method: str = ""
    reference: str = ""
    wording: str | None = None
    wording_sha256: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressChange:
    """A destination was told that a contact goes by another address now.

    Nothing given moves along; what was taken back at one of them is taken back at both.
    """

    source: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRequest:
    """A person asks through the shop what is held about them; the admin is owed a file of it.

    ``orders`` are the ids of the orders asked about. It is overdue after ``due_at``.
    """

    shop: str
    request_id: str
    due_at: datetime
    customer_id: str | None = None
    email: str | None = None
    phone: str | None = None
    orders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """The shop demands that a person be forgotten, or with ``whole_shop`` everybody it told of.

    It does not say since when: it is about everything received up to it. Overdue after ``due_at``.
    """

    shop: str
    due_at: datetime
    whole_shop: bool
    customer_id: str | None = None
    email: str | None = None
    phone: str | None = None
    orders: tuple[str, ...] = ()


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


# --- What an adapter makes of a delivery -----------------------------------------------------


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


# --- What we know of a person -----------------------------------------------------------------


class ConsentState(StrEnum):
    """What the evidence for one purpose and contact point adds up to."""

    GRANTED_CONFIRMED = "granted_confirmed"
    GRANTED = "granted"
    GRANTED_UNDATED = "granted_undated"
    SOFT_OPTIN = "soft_optin"
    PENDING = "pending"
    UNPROVEN = "unproven"
    UNKNOWN = "unknown"
    WITHDRAWN = "withdrawn"
    SUPPRESSED = "suppressed"


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


# --- What a destination holds ---------------------------------------------------------------


class Permission(StrEnum):
    """What a destination may do with a contact, already decided from the consent."""

    SEND = "send"  # may be mailed: subscribe when new
    CONFIRM = "confirm"  # a first-hand grant that still needs the person's confirmation
    SILENT = "silent"  # hold without permission to mail: transactional
    WITHDRAWN = "withdrawn"  # must not be mailed: unsubscribe wherever held


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What one destination should hold, or holds, about one person or one thing.

    ``fields`` are destination field names with JSON values, ``tags`` only ours, ``tables`` rows
    by table name for destinations that keep tables. A thing that is for sale is nobody: its key is
    ``shop/variant``, it has no ``email``, and ``permission`` is ``None``. What was sold and what
    could be has the keys of `mappings.sales`. ``doubts`` are those of the ``tags`` that a
    destination was sent, or should have let go, and never answered for.
    """

    key: str
    email: str | None
    permission: Permission | None
    fields: Mapping[str, Json] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    tables: Mapping[str, tuple[Mapping[str, Json], ...]] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The step from what a destination last acknowledged to what it should hold.

    ``before`` is ``None`` for what it never acknowledged, ``after`` is ``None`` for what it should
    no longer hold. ``granted_at`` is the newest first-hand grant behind a person's permission.
    ``removed_at`` is when it took our removal, of what it held before and does not since.
    ``erased``: the person is to be forgotten for good, whatever it holds of them (``after`` is
    ``None``; ``before`` too, where it may hold somebody whom it never acknowledged).
    ``revision`` is the same when a step is tried again, and another when it is taken anew.
    """

    key: str
    before: Record | None
    after: Record | None
    granted_at: datetime | None = None
    removed_at: datetime | None = None
    erased: bool = False
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The destination took the change. ``evidence`` is what its answer told about permissions."""

    evidence: tuple[Evidence, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """The destination refuses this record for good: a person must look. ``evidence`` as above."""

    reason: str
    mend: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """This record was not taken this time; ``retry_after`` in seconds when the answer named one.

    ``sent``: or it was, but whether it is taken will be known only later.
    """

    reason: str
    retry_after: float | None = None
    sent: bool = False


Outcome: TypeAlias = Settled | Parked | Postponed


class Lane(IntEnum):
    """The order in which due records are sent: permission taken away goes before all else."""

    WITHDRAWAL = 0
    NORMAL = 1
    RESTING = 2  # what rests on other records of the destination: an order on its products
