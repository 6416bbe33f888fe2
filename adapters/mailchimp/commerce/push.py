"""One push of sales: goods before what was sold, few things by call and many by batch.

Mailchimp works on a batch after it has taken it, in any order. So what needs a product waits until
the product is taken. A batch that is not finished within the push is kept, and asked about when
records are pushed again; nothing newer is sent of a record meanwhile. A process that starts anew
has forgotten its batches and sends again, which does no harm, since everything goes by our ids.
Only one thing could: an old batch, run late, that writes yesterday's order over today's. So at its
start it lists what the account has open, and changes nothing that was held before until that is
done, an hour at most: batches have no name by which to know one's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from adapters.mailchimp.client import Door
from adapters.mailchimp.commerce import batches, goods
from adapters.mailchimp.commerce.archive import Shelves
from adapters.mailchimp.commerce.desk import Desk
from adapters.mailchimp.commerce.jobs import Job, Plan, job, plan
from adapters.mailchimp.commerce.sending import Sending
from adapters.mailchimp.commerce.shelf import Shelf, pair_of
from adapters.mailchimp.commerce.stores import Stores
from connector.model import Change, Json, Outcome, Parked, Postponed, Settled

_STRANGERS_FOR = timedelta(hours=1)
_LOOK_AGAIN = 15.0
_STAND_IN = "stand-in/"
_NO_STORE_NEEDED = Shelf()
_UNFINISHED = "Mailchimp has not finished with it yet"
_WAITS = Postponed(reason="its products are not taken yet", retry_after=_LOOK_AGAIN)
_HELD = Postponed(
    reason="older batches in the account are not finished, and could be ours", retry_after=30.0
)


class Push:
    """The changes of one push on their way; see `run`."""

    def __init__(
        self,
        door: Door,
        archives: Shelves,
        stores: Stores,
        desk: Desk,
        sleep: Callable[[float], None],
        now: datetime,
    ) -> None:
        self._stores = stores
        self._desk = desk
        self._sending = Sending(door, archives, desk, sleep, now)
        self._outcomes: dict[str, Outcome] = {}

    def run(self, changes: Sequence[Change]) -> Mapping[str, Outcome]:
        """One outcome for every key. Raises `TryLater` when nothing was heard, or `LaneDown`."""
        self._sending.run(self._sending.look())
        plans = [each for each in map(self._plan, changes) if each is not None]
        self._sending.run([self._job(each) for each in plans if not each.lines])
        sold = [each for each in plans if each.lines]
        self._bring_stand_ins(sold)
        self._sending.run([self._job(each) for each in self._with_products(sold)])
        if self._sending.found_no_store:
            self._stores.require()
        return self._whole(changes)

    def _whole(self, changes: Sequence[Change]) -> Mapping[str, Outcome]:
        trouble = self._sending.trouble
        whole = {}
        for change in changes:
            outcome = self._outcomes.get(change.key) or self._desk.fetch(change)
            if outcome is None and change.key in self._desk.at:
                same = self._desk.at[change.key].after == change.after
                outcome = Postponed(reason=_UNFINISHED, retry_after=_LOOK_AGAIN, sent=same)
            if outcome is None:
                outcome = Postponed(
                    reason=trouble.reason if trouble else "not its turn yet",
                    retry_after=trouble.retry_after if trouble else None,
                )
            whole[change.key] = outcome
        for key in [key for key in self._desk.told if key.startswith(_STAND_IN)]:
            del self._desk.told[key]
        if trouble is not None and not self._sending.heard:
            raise trouble
        return whole

    def _plan(self, change: Change) -> Plan | None:
        """What a change asks for; ``None`` when its outcome is known, or must be waited for."""
        if change.key in self._desk.at:
            return None
        told = self._desk.fetch(change)
        if told is not None and not isinstance(told, Postponed):
            self._outcomes[change.key] = told
            return None
        if self._desk.strangers and (change.before is not None or change.erased):
            self._outcomes[change.key] = _HELD
            return None
        planned = plan(change, self._stores)
        if isinstance(planned, Plan):
            return planned
        self._outcomes[change.key] = planned
        return None

    def _job(self, each: Plan) -> Job:
        return job(each, self._shelf(each) if each.needs_shelf else _NO_STORE_NEEDED)

    def _shelf(self, each: Plan) -> Shelf:
        named = [product for product, _ in map(pair_of, each.lines)] or [each.id]
        self._stores.complete(each.facts, named)
        return self._stores.shelf(each.facts)

    # --- products before what was sold --------------------------------------------------------

    def _bring_stand_ins(self, plans: Iterable[Plan]) -> None:
        """Make the products that orders name and that are neither there nor on their way."""
        coming = set(self._desk.products())
        missing: dict[tuple[str, str], dict[str, Mapping[str, Json]]] = {}
        whose: dict[str, Plan] = {}
        for each in plans:
            shelf = self._shelf(each)
            for line in each.lines:
                product, variant = pair_of(line)
                at = (each.facts.shop, product)
                if not shelf.has((product, variant)) and at not in coming:
                    missing.setdefault(at, {}).setdefault(variant, line)
                    whose[each.facts.shop] = each
        made = []
        for (shop, product), lines in missing.items():
            each = whose[shop]
            steps = goods.write_stand_in(each.facts.id, self._shelf(each), product, lines)
            one = Job(key=_key(shop, product), after=None, steps=steps, product=(shop, product))
            one.start()
            made.append(one)
        self._sending.run(made)

    def _with_products(self, plans: Iterable[Plan]) -> Iterator[Plan]:
        """Those whose products are there; another sale waits, or shares the verdict on one."""
        coming = set(self._desk.products())
        for each in plans:
            shelf = self._shelf(each)
            lacking = [pair for pair in map(pair_of, each.lines) if not shelf.has(pair)]
            if lacking:
                product = (each.facts.shop, lacking[0][0])
                self._outcomes[each.change.key] = self._verdict(product, coming)
            else:
                yield each

    def _verdict(self, product: tuple[str, str], coming: set[tuple[str, str]]) -> Outcome:
        _, told = self._desk.told.get(_key(*product), (None, None))
        if product in coming or told is None or isinstance(told, Settled):
            return _WAITS
        if isinstance(told, Parked):
            return Parked(reason=f"product {product[1]}: {told.reason}", mend=told.mend)
        return told


def look_around(door: Door, desk: Desk, now: datetime) -> None:
    """Find the batches that a former life of this process may have left open."""
    if desk.strangers is None:
        desk.strangers = batches.unfinished(door) - desk.open.keys()
        desk.strangers_since = now
    elif desk.strangers:
        since = desk.strangers_since = desk.strangers_since or now
        over = not timedelta(0) <= now - since < _STRANGERS_FOR
        desk.strangers &= set() if over else batches.unfinished(door)


def _key(shop: str, product: str) -> str:
    return f"{_STAND_IN}{shop}/{product}"
