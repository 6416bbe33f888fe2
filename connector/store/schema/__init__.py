"""The tables: one text for SQLite and PostgreSQL; ``docs/architecture.md`` draws them.

Moments are whole microseconds since 1970 UTC (`Moment`), so both engines order and subtract them
alike; JSON is text; every business key is text.
"""

from connector.store.schema.arrived import deliveries
from connector.store.schema.columns import JsonText, Moment, metadata
from connector.store.schema.goods import assortments, popularity, products, promotions, variants
from connector.store.schema.orders import carts, order_lines, ordered_carts, orders, refunds
from connector.store.schema.outbox import records
from connector.store.schema.people import contact_points, customer_addresses, customers
from connector.store.schema.permissions import evidence, requests, suppressions
from connector.store.schema.segments import dirty, memberships, moves, profile_values, profiles
from connector.store.schema.upkeep import cursors, errands

__all__ = [
    "JsonText",
    "Moment",
    "assortments",
    "carts",
    "contact_points",
    "cursors",
    "customer_addresses",
    "customers",
    "deliveries",
    "dirty",
    "errands",
    "evidence",
    "memberships",
    "metadata",
    "moves",
    "order_lines",
    "ordered_carts",
    "orders",
    "popularity",
    "products",
    "profile_values",
    "profiles",
    "promotions",
    "records",
    "refunds",
    "requests",
    "suppressions",
    "variants",
]
