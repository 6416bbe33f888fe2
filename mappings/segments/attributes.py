"""What a segment can ask about a customer: every attribute and function, and where it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeAlias

from sqlalchemy import Column

from connector.store.schema import profiles
from mappings.segments.syntax import Operator
from mappings.segments.values import Day, Fraction, Instant, Literal, Offset, Text, Truth, Whole


class Kind(Enum):
    """The type of an attribute or parameter: it decides operators and values."""

    DATE = auto()
    WHOLE = auto()
    NUMBER = auto()
    TEXT = auto()
    WORD = auto()  # one of the listed words, in capitals
    TEXTS = auto()  # a list of texts, compared without regard to case
    CODES = auto()  # a list of codes such as NO or US-NY
    IDS = auto()  # a list of ids
    ANY = auto()  # defined by the shop, known to it alone


_EQUAL = frozenset({Operator.EQ, Operator.NE})
_ORDER = _EQUAL | {Operator.GT, Operator.GE, Operator.LT, Operator.LE, Operator.BETWEEN}
_LIST = frozenset({Operator.CONTAINS, Operator.NOT_CONTAINS})
_NULL = frozenset({Operator.IS_NULL, Operator.IS_NOT_NULL})
_ONE_OF = frozenset({Operator.EQ, Operator.IN, Operator.NOT_IN})

OPERATORS: dict[Kind, frozenset[Operator]] = {
    Kind.DATE: _ORDER | _NULL,
    Kind.WHOLE: _ORDER | _NULL,
    Kind.NUMBER: _ORDER | _NULL,
    Kind.TEXT: _EQUAL | _NULL,
    Kind.WORD: _EQUAL | _NULL,
    Kind.TEXTS: _LIST | _NULL,
    Kind.CODES: _LIST | _NULL,
    Kind.IDS: _LIST | _EQUAL | _NULL,
    Kind.ANY: _ORDER | _LIST | _NULL,
}
"""The operators an attribute takes, by its kind."""

PARAMETER_OPERATORS: dict[Kind, frozenset[Operator]] = {
    Kind.DATE: _ORDER,
    Kind.WHOLE: _ORDER,
    Kind.NUMBER: _ORDER,
    Kind.TEXT: frozenset({Operator.EQ}),
    Kind.IDS: _ONE_OF,
}
"""The operators a function's parameter takes, by its kind."""

VALUES: dict[Kind, tuple[tuple[type[Literal], ...], str]] = {
    Kind.DATE: (
        (Day, Instant, Offset),
        "a date such as 2026-01-31, -30d, -6m, today or yesterday, without quotes",
    ),
    Kind.WHOLE: ((Whole,), "a whole number, without quotes"),
    Kind.NUMBER: ((Whole, Fraction), "a number, without quotes"),
    Kind.TEXT: ((Text,), "a text in single quotes"),
    Kind.WORD: ((Text,), "one of its words in single quotes"),
    Kind.TEXTS: ((Text,), "a text in single quotes"),
    Kind.CODES: ((Text,), "a code in single quotes"),
    Kind.IDS: ((Whole,), "an id: digits, without quotes"),
    Kind.ANY: (
        (Text, Whole, Fraction, Truth, Day, Instant, Offset),
        "a text, a number, a date, true or false",
    ),
}
"""The values that fit a kind, and the same in words."""


# --- Where an attribute is kept -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InColumn:
    """One value a person, in a column of ``profiles``.

    Dates are called the same in `connector.model.Profile`.
    """

    column: Column[Any]


@dataclass(frozen=True, slots=True)
class InValues:
    """A list (or, for a shop's own attribute, one text) in ``profile_values`` under ``name``."""

    name: str
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Later:
    """Part of the language, not yet kept."""


Source: TypeAlias = InColumn | InValues | Later


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute: how it is named, what it holds, where that is kept, what it means."""

    name: str
    kind: Kind
    source: Source
    meaning: str
    words: tuple[str, ...] = ()


def _column(name: str) -> InColumn:
    return InColumn(profiles.c[name])


_CONSENT = ("SUBSCRIBED", "UNSUBSCRIBED", "NOT_SUBSCRIBED", "PENDING", "REDACTED")
# The language reference and the Admin API spell this one differently; both are read.
_PAYING = ("ACTIVE", "SUBSCRIBED", "PAUSED", "CANCELLED", "CANCELED", "EXPIRED", "FAILED")
_RFM = (
    *("CHAMPIONS", "LOYAL", "ACTIVE", "NEW", "PROMISING", "NEEDS_ATTENTION", "ALMOST_LOST"),
    *("PREVIOUSLY_LOYAL", "AT_RISK", "DORMANT", "PROSPECTS"),
)

# name, kind, where it is kept, meaning, words. Names and words:
# https://shopify.dev/docs/api/shopifyql/segment-query-language-reference
# https://shopify.dev/docs/api/admin-graphql/latest/enums/CustomerEmailMarketingState
_TABLE: tuple[tuple[str, Kind, Source, str, tuple[str, ...]], ...] = (
    ("number_of_orders", Kind.WHOLE, _column("number_of_orders"), "orders that count", ()),
    ("amount_spent", Kind.NUMBER, _column("amount_spent"), "spent in the shop's currency", ()),
    ("first_order_date", Kind.DATE, _column("first_order_at"), "when first bought", ()),
    ("last_order_date", Kind.DATE, _column("last_order_at"), "when last bought", ()),
    ("customer_added_date", Kind.DATE, _column("added_at"), "when first known", ()),
    ("customer_countries", Kind.CODES, InValues("country"), "countries of all addresses", ()),
    ("customer_tags", Kind.TEXTS, InValues("tag", folded=True), "tags given in the shop", ()),
    ("customer_email_domain", Kind.TEXT, _column("email_domain"), "what follows the @", ()),
    ("customer_language", Kind.TEXT, _column("language"), "such as nb or en-US", ()),
    (
        "email_subscription_status",
        Kind.WORD,
        _column("email_subscription_status"),
        "consent to e-mail",
        (*_CONSENT, "INVALID"),
    ),
    ("abandoned_checkout_date", Kind.DATE, Later(), "last basket left behind", ()),
    ("companies", Kind.IDS, Later(), "companies bought for", ()),
    ("created_by_app_id", Kind.WHOLE, Later(), "app that added the customer", ()),
    (
        "customer_account_status",
        Kind.WORD,
        Later(),
        "state of the customer's account",
        ("DECLINED", "DISABLED", "ENABLED", "INVITED"),
    ),
    ("customer_cities", Kind.CODES, Later(), "such as US-CA-LosAngeles", ()),
    ("customer_regions", Kind.CODES, Later(), "such as US-CA", ()),
    ("predicted_spend_tier", Kind.WORD, Later(), "expected spend", ("HIGH", "MEDIUM", "LOW")),
    (
        "product_subscription_status",
        Kind.WORD,
        Later(),
        "state of a running subscription",
        (*_PAYING, "NEVER_SUBSCRIBED"),
    ),
    ("rfm_group", Kind.WORD, Later(), "by recency, frequency and amount", _RFM),
    ("sms_subscription_status", Kind.WORD, Later(), "consent to text messages", _CONSENT),
    ("spend_percentile", Kind.NUMBER, Later(), "ours: share of customers who spent less", ()),
)

ATTRIBUTES: dict[str, Attribute] = {
    name: Attribute(name=name, kind=kind, source=source, meaning=meaning, words=words)
    for name, kind, source, meaning, words in _TABLE
}
"""Every attribute of the language by its name."""

METAFIELDS = "metafields."
"""How the name of a shop's own field begins; only Shopify's definition knows its type."""

_DATED = {"date": Kind.DATE, "count": Kind.WHOLE}
_EMAIL = {"activity_id": Kind.IDS, **_DATED}
_VIEW = {"id": Kind.IDS, "tag": Kind.TEXT, **_DATED}

FUNCTIONS: dict[str, dict[str, Kind]] = {
    "products_purchased": {
        **_VIEW,
        "category": Kind.TEXT,
        "quantity": Kind.WHOLE,
        "sum_quantity": Kind.WHOLE,
    },
    "orders_placed": {
        "app_id": Kind.IDS,
        "location_id": Kind.IDS,
        "amount": Kind.NUMBER,
        "sum_amount": Kind.NUMBER,
        **_DATED,
    },
    **{
        f"shopify_email.{event}": _EMAIL
        for event in (
            *("bounced", "clicked", "delivered", "marked_as_spam", "opened", "unsubscribed"),
        )
    },
    **{
        f"{prefix}.{event}": _VIEW
        for prefix in ("storefront", "storefront_event")
        for event in ("product_viewed", "collection_viewed")
    },
    "store_credit_accounts": {
        "balance": Kind.NUMBER,
        "currency": Kind.TEXT,
        "next_expiry_date": Kind.DATE,
        "last_credit_date": Kind.DATE,
    },
    "customer_within_distance": {
        "coordinates": Kind.TEXT,
        "distance_km": Kind.NUMBER,
        "distance_mi": Kind.NUMBER,
    },
}
"""Every function by its name, with the kinds of its parameters."""

OTHER_NAMES: dict[str, str] = {
    "orders_count": "number_of_orders",
    "total_orders": "number_of_orders",
    "total_spent": "amount_spent",
    "days_since_last_order": "last_order_date",
    "last_abandoned_order_date": "abandoned_checkout_date",
    "created_at": "customer_added_date",
    "accepts_marketing": "email_subscription_status",
    "tags": "customer_tags",
    "tag": "customer_tags",
    "country": "customer_countries",
    "city": "customer_cities",
    "region": "customer_regions",
    "language": "customer_language",
    "email": "customer_email_domain",
}
"""Names of other APIs that people write here, and the attribute they most likely mean."""

IN_SEGMENT = "in_segment"
ANNIVERSARY = "anniversary"


def find(name: str) -> Attribute:
    """The attribute of that name; one that is not in the table is the shop's own, from its mapping.

    For names that `mappings.segments.parse` let through: it refuses the unknown.
    """
    if name in ATTRIBUTES:
        return ATTRIBUTES[name]
    if name.startswith(METAFIELDS):
        return Attribute(name=name, kind=Kind.ANY, source=Later(), meaning="a field of the shop")
    source = InValues(f"attribute.{name}")
    return Attribute(name=name, kind=Kind.TEXT, source=source, meaning="from the mapping")
