"""Which shop a shop is: pinned at the first meeting, and nothing that another one says is used.

A staging copy has the shop's orders and another address, a swapped key another shop's. What is
delivered under the name meanwhile is kept and waits; nothing is read of its past; a destination
that has no other shop is sent withdrawals only. All of it goes on when the shop is the known one
again, or when a person accepts the new one. A shop that does not answer is believed as it was.
Of a believed one, what a copy of it delivers beside it is set aside: `connector.flow.strays`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

from connector import moments
from connector.errors import LaneDown, TryLater
from connector.flow.strays import Discerning
from connector.model import Delivery, Kind, Understanding, Understood, Wish
from connector.ports import Fingerprint, Fingerprinted, FirstOrder, ShopAdapter, Situated
from connector.store import lanes
from connector.store.connect import Store

log = structlog.get_logger()

_EVERY = timedelta(hours=1)
_SOON = timedelta(minutes=1)  # one that is halted, did not answer, or seems to be elsewhere


class Watch:
    """Asks the shops of a house who they are, and knows which are not believed now."""

    def __init__(self, store: Store, shops: Mapping[str, ShopAdapter]) -> None:
        self._store = store
        self._shops = {
            name: shop for name, shop in shops.items() if isinstance(shop, Fingerprinted)
        }
        self._at_work = threading.Lock()
        self._asked: dict[str, datetime] = {}
        self._soon: set[str] = set()
        self._known: dict[str, Fingerprint] = {}
        self.halted: Mapping[str, LaneDown] = {}
        """Why a shop is not believed, by its name."""

    def look(self, *, now: datetime) -> int:
        """Ask those whose time has come. Gives 0, as a lane does that waits then.

        Raises `StoreUnavailable`.
        """
        if self._at_work.acquire(blocking=False):
            try:
                if not self._asked:  # any of them may be slow to answer
                    self._recall(self._shops)
                for name, shop in self._shops.items():
                    if self._is_due(name, now):
                        self._ask(name, shop, now)
            finally:
                self._at_work.release()
        return 0

    def speakers(self) -> dict[str, Discerning | Halted]:
        """Who listens in the place of the shops that are known, and of those not believed."""
        return {
            **{
                name: Discerning(shop=shop, known=known, ask_again=partial(self._known_now, name))
                for name, known in self._known.items()
                if isinstance(shop := self._shops[name], Situated)
            },
            **{name: Halted(trouble) for name, trouble in self.halted.items()},
        }

    def stops(self, shops: Collection[str]) -> LaneDown | None:
        """Why nothing is sent of these shops, if none of them is believed."""
        troubles = [self.halted[name] for name in sorted(shops) if name in self.halted]
        return troubles[0] if troubles and len(troubles) == len(shops) else None

    def _is_due(self, name: str, now: datetime) -> bool:
        """A clock that was set back must not stop the asking."""
        asked = self._asked.get(name)
        pause = _SOON if name in self._soon else _EVERY
        return asked is None or not timedelta(0) <= now - asked < pause

    def _recall(self, names: Collection[str]) -> None:
        """See in the store which shops are known: another command may have accepted one."""
        with self._store.read() as conn:
            found = {name: pinned(conn, name) for name in names}
        self._known = self._known | {name: pin for name, pin in found.items() if pin is not None}

    def _known_now(self, name: str) -> Fingerprint:
        """Which shop is known, for a delivery that says it came from another: so it is asked."""
        self._soon.add(name)
        self._recall([name])
        return self._known[name]

    def _ask(self, name: str, shop: Fingerprinted, now: datetime) -> None:
        trouble, answered = meet(self._store, name, shop, now=now)
        self._asked[name] = now
        (self._soon.discard if answered and trouble is None else self._soon.add)(name)
        self._recall([name])
        before = self.halted.get(name)
        if trouble is not None and before is None:
            log.warning("shop halted", shop=name, reason=trouble.reason, mend=trouble.mend)
        others = {other: why for other, why in self.halted.items() if other != name}
        self.halted = others | ({name: trouble} if trouble is not None else {})


@dataclass(frozen=True, slots=True)
class Halted:
    """Listens for a shop that is not believed: whatever it delivers waits, with the reason."""

    trouble: LaneDown

    def understand(self, delivery: Delivery) -> Understanding:
        """Nothing is understood before somebody is asked."""
        del delivery
        return Understood(wishes=(Wish(kind=Kind.ORDER, id="0"),))

    def look_up(self, wish: Wish, delivery: Delivery) -> Understanding:
        """Nobody is asked. Raises `LaneDown`."""
        del wish, delivery
        raise self.trouble


def meet(
    store: Store, name: str, shop: Fingerprinted, *, now: datetime
) -> tuple[LaneDown | None, bool]:
    """Ask a shop who it is: why it is not believed, if so, and whether it answered at all.

    At the first meeting it is pinned. Raises `StoreUnavailable`.
    """
    try:
        told = shop.fingerprint()
    except (TryLater, LaneDown):
        with store.read() as conn:
            return halted(conn, name), False
    with store.read() as conn:
        known, before = pinned(conn, name), halted(conn, name)
    wrong = tuple(differences(known, told)) if known else ()
    trouble = _trouble(name, wrong) if wrong else None
    pin = known if known and wrong else told
    if pin != known or _words(trouble) != _words(before):
        with store.write() as conn:
            _keep(conn, name, pin, trouble, now=now)
    return trouble, True


def accept(store: Store, name: str, told: Fingerprint, *, now: datetime) -> None:
    """From now on this is the right one.

    What was remembered of its currency and time zone is asked anew at the next start.
    """
    with store.write() as conn:
        _keep(conn, name, told, None, now=now)
        lanes.put(conn, f"shop:{name}", None, now=now)


def pinned(conn: Connection, name: str) -> Fingerprint | None:
    """The shop as it was at the first meeting, or as accepted since."""
    kept = lanes.get(conn, _cursor(name))
    if kept is None:
        return None
    first = kept["first_order"]
    at = moments.parse_utc(first["at"]) if first else None
    return Fingerprint(
        identity=kept["identity"],
        currency=kept["currency"],
        url=kept["url"],
        first_order=FirstOrder(id=first["id"], at=at) if first else None,
    )


def halted(conn: Connection, name: str) -> LaneDown | None:
    """Why the shop was not believed when it was asked last, if so."""
    kept = lanes.get(conn, _cursor(name))
    why = kept and kept["halted"]
    return LaneDown(why["reason"], mend=why["mend"]) if why else None


def differences(known: Fingerprint, told: Fingerprint) -> Iterator[str]:
    """In what the shop that answers is another one, in words.

    The first order may be another one: old ones are cleared away, or come back from the trash. But
    one number has one date, and a greater number a later date: else it is another shop's count.
    """
    if known.identity != told.identity:
        yield f"it was {known.identity} and is {told.identity}"
    elif known.url != told.url:
        yield f"its address was {known.url} and is {told.url}"
    if known.currency != told.currency:
        yield f"its currency was {known.currency} and is {told.currency}"
    before, first = known.first_order, told.first_order
    if before and first and not _are_of_one_count(before, first):
        yield f"its first order was {_shown(before)} and is {_shown(first)}"


def _are_of_one_count(one: FirstOrder, other: FirstOrder) -> bool:
    """Whether two orders can be of the same shop, by their numbers and dates."""
    numbered = one.id.isdecimal() and other.id.isdecimal()
    if not numbered or one.at is None or other.at is None:
        return True  # nothing to contradict
    by_number = (int(one.id) > int(other.id)) - (int(one.id) < int(other.id))
    by_date = (one.at > other.at) - (one.at < other.at)
    return by_number == by_date or (by_date == 0 and by_number != 0)


def _shown(order: FirstOrder) -> str:
    return f"{order.id} of {order.at:%Y-%m-%d %H:%M}" if order.at else order.id


def _trouble(name: str, wrong: Collection[str]) -> LaneDown:
    return LaneDown(
        f"shop {name}: another shop answers than the one known ({'; '.join(wrong)}); what it "
        "delivers is kept, and waits",
        mend="Whoever runs the connector: put the address and the key of the known shop back; or, "
        f"if the change is meant, confirm it with `connector doctor --accept {name}`.",
    )


def _keep(
    conn: Connection, name: str, pin: Fingerprint, trouble: LaneDown | None, *, now: datetime
) -> None:
    first = pin.first_order
    kept: dict[str, Any] = {
        "identity": pin.identity,
        "currency": pin.currency,
        "url": pin.url,
        "first_order": first
        and {**asdict(first), "at": moments.to_text(first.at) if first.at else None},
        "halted": trouble and {"reason": trouble.reason, "mend": trouble.mend},
    }
    lanes.put(conn, _cursor(name), kept, now=now)


def _words(trouble: LaneDown | None) -> tuple[str, str] | None:
    return (trouble.reason, trouble.mend) if trouble else None


def _cursor(name: str) -> str:
    return f"shop-account:{name}"
