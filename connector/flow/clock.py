"""What changes merely because time passes: segments flip when due, and forgotten carts go."""

from __future__ import annotations

from datetime import datetime, timedelta

from connector.store import baskets, changes, erasure, standings
from connector.store.connect import Store

CARTS_KEPT = timedelta(days=30)
"""How long a cart is kept that nobody touches: after that no shop reminds of it."""
_AT_ONCE = 500


def drain(store: Store, *, now: datetime) -> int:
    """Mark everybody whose segments change by now. Gives how many. Raises `StoreUnavailable`.

    Carts that were left alone for `CARTS_KEPT` are forgotten, here and wherever they are held.
    """
    with store.read() as conn:
        flipping = changes.any_flipping(conn, now=now)
        old = baskets.carts_before(conn, now - CARTS_KEPT, limit=_AT_ONCE)
    if not flipping and not old:
        return 0
    with store.write() as conn:
        old = baskets.carts_before(conn, now - CARTS_KEPT, limit=_AT_ONCE)  # one may be new again
        if old:
            baskets.forget_carts(conn, old)
            standings.mark_wherever_held(conn, erasure.keys_of_sales(carts=old), now=now)
        return len(old) + (changes.mark_flipping(conn, now=now) if flipping else 0)
