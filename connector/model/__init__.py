"""The nouns: what a shop can tell us and what a destination can hold, each a frozen value.

Conventions: ids are text (exact beyond 2**53), moments are aware datetimes in UTC, money is an
integer of minor units beside its ISO 4217 code, and an unknown value is ``None``.
"""

from connector.model.arrivals import Arrival, Delivery
from connector.model.demands import DataRequest, Redaction
from connector.model.goods import Bearing, Product, Promotion, Variant, Worth
from connector.model.orders import Cart, Line, Order, Refund
from connector.model.people import Customer, Profile
from connector.model.permissions import (
    AddressChange,
    Claim,
    ConsentState,
    Evidence,
    Permission,
    Purpose,
)
from connector.model.records import Change, Lane, Outcome, Parked, Postponed, Record, Settled
from connector.model.statements import Deleted, Json, Kind, Version
from connector.model.understanding import (
    Fact,
    Ignored,
    Quarantined,
    Understanding,
    Understood,
    Wish,
)

__all__ = [
    "AddressChange",
    "Arrival",
    "Bearing",
    "Cart",
    "Change",
    "Claim",
    "ConsentState",
    "Customer",
    "DataRequest",
    "Deleted",
    "Delivery",
    "Evidence",
    "Fact",
    "Ignored",
    "Json",
    "Kind",
    "Lane",
    "Line",
    "Order",
    "Outcome",
    "Parked",
    "Permission",
    "Postponed",
    "Product",
    "Profile",
    "Promotion",
    "Purpose",
    "Quarantined",
    "Record",
    "Redaction",
    "Refund",
    "Settled",
    "Understanding",
    "Understood",
    "Variant",
    "Version",
    "Wish",
    "Worth",
]
