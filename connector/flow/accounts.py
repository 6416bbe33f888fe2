"""Whose account a destination is: pinned at the first meeting, and nothing goes to another's."""

from __future__ import annotations

from datetime import datetime

from connector import clocks
from connector.errors import LaneDown
from connector.model import Lane
from connector.ports import DestinationAdapter, Introducing
from connector.store import lanes
from connector.store.connect import Store


def meet(
    store: Store,
    name: str,
    adapter: DestinationAdapter,
    *,
    now: datetime,
    wall: datetime | None,
) -> Lane | None:
    """Ask a destination whose it is, before anything is sent there.

    Gives the only lane that may be served while this machine's clock, ``wall``, is more than a day
    from the destination's; ``None`` for all of them. Raises `LaneDown` when the account is another
    than at the first meeting, `TryLater` when nobody answers.
    """
    if not isinstance(adapter, Introducing):
        return None
    introduction = adapter.introduce()
    known = pinned(store, name)
    if known is None:
        pin(store, name, introduction.account, now=now)
    elif known != introduction.account:
        raise LaneDown(
            f"destination {name}: its key opens another account than before",
            mend=f"Whoever runs the connector: put the former key back; or, if the change is "
            f"meant, confirm it with `connector doctor --accept {name}`.",
        )
    if wall is not None and clocks.is_far(introduction.at, wall):
        return Lane.WITHDRAWAL
    return None


def clock_is_wrong(name: str) -> LaneDown:
    """Why only withdrawals go to a destination."""
    return LaneDown(
        f"destination {name}: this machine's clock is more than a day from its; only withdrawals "
        "are sent",
        mend="Whoever runs the connector: set the clock, and keep it right with NTP "
        "(timedatectl set-ntp true).",
    )


def pinned(store: Store, name: str) -> str | None:
    """The account at the first meeting, or as confirmed since."""
    with store.read() as conn:
        kept = lanes.get(conn, f"account:{name}")
    return str(kept["account"]) if kept else None


def pin(store: Store, name: str, account: str, *, now: datetime) -> None:
    """From now on this account is the right one."""
    with store.write() as conn:
        lanes.put(conn, f"account:{name}", {"account": account}, now=now)
