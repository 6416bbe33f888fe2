"""Which books the stand-in shop keeps: orders, customers, goods, and who wants to be told."""

from __future__ import annotations

from adapters.town.books import Books, Columns
from adapters.woocommerce.sandbox_payloads import php_json

_COLUMNS: Columns = {
    "orders": {
        "status": str,
        "was": str,
        "customer_id": int,
        "email": str,
        "total": int,
        "refunded": int,
        "opted_in": int,
        "stock_taken": int,
    },
    "refunds": {"order_id": int, "amount": int},
    "customers": {"role": str, "email": str, "withdrawn": int},
    "addresses": {"customer_id": int, "email": str},
    "products": {"parent_id": int, "type": str, "status": str, "was": str, "sku": str},
    "coupons": {"status": str, "was": str, "code": str},
    "webhooks": {"status": str, "topic": str, "secret": str, "failures": int, "ping_due": int},
}
_INDEXES = {"products": "parent_id", "addresses": "email", "refunds": "order_id"}


def open_books(path: str | None = None) -> Books:
    """The books, in a file when there is a ``path``. Orders, goods and coupons share a series."""
    return Books(_COLUMNS, php_json, path=path, indexes=_INDEXES)
