"""A change as work to do: which steps it takes, and which products it needs before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from adapters.mailchimp.commerce import goods, promotions, sale_steps, sales
from adapters.mailchimp.commerce.operations import Operation, Reply, Steps, path
from adapters.mailchimp.commerce.shelf import Shelf, pair_of
from adapters.mailchimp.commerce.stores import Stores
from connector.identity import normal_email
from connector.model import Change, Outcome, Parked, Permission, Record, Settled
from connector.ports import StoreFacts

MALFORMED = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What is raised for a record that is not as it should be."""
_NO_ADDRESS = "not held: Mailchimp keeps orders by the buyer's e-mail address"
_NO_REMINDER = "not held: nobody who may be mailed could be reminded of it"
_PLURALS = {"order": "orders", "cart": "carts"}


@dataclass(slots=True, kw_only=True)
class Job:
    """Work on its way. ``asks`` are the operations that are next; none when it is done.

    ``product`` is what it brings to the shelf, ``begun`` whether Mailchimp may have taken a part.
    """

    key: str
    after: Record | None
    steps: Steps
    product: tuple[str, str] | None = None
    asks: Sequence[Operation] = ()
    outcome: Outcome | None = None
    begun: bool = False

    def start(self) -> None:
        """Find the first operations. What cannot be written down is parked, and harms no other."""
        try:
            self.asks = next(self.steps)
        except StopIteration as done:
            self._finish(done.value)
        except MALFORMED as fault:
            self._finish(malformed(fault))

    def hear(self, replies: Sequence[Reply]) -> None:
        """Go on with the replies to ``asks``."""
        self.begun = True
        try:
            self.asks = self.steps.send(replies)
        except StopIteration as done:
            self._finish(done.value)
        except MALFORMED as fault:
            self._finish(malformed(fault))

    def _finish(self, outcome: Outcome) -> None:
        self.asks, self.outcome = (), outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A change understood: whose shop, what kind of thing, its id there, and the store for it."""

    change: Change
    kind: str
    facts: StoreFacts
    id: str
    lines: Sequence[dict[str, object]] = field(default=())

    @property
    def is_sale(self) -> bool:
        """Must the products it names be there first."""
        return self.kind in _PLURALS

    @property
    def needs_shelf(self) -> bool:
        """Must it be known what the store has of products."""
        return self.kind == "product" or bool(self.lines)


def plan(change: Change, stores: Stores) -> Plan | Outcome:
    """Understand a change, or say at once what becomes of it."""
    kind, _, rest = change.key.partition("/")
    shop, _, thing = rest.partition("/")
    facts = stores.of(shop)
    if kind not in ("product", "promotion", *_PLURALS) or not thing:
        return Parked(reason="unknown_kind", mend="Report it, with the version of the connector.")
    if facts is None:
        return Parked(
            reason="no_store",
            mend=f"No store of this destination stands for the shop {shop}. Add the shop to the "
            "destination, or remove its records.",
        )
    lines: list[dict[str, object]] = []
    if kind in _PLURALS and change.after is not None:
        try:
            if not _is_unwanted(kind, change.after):
                lines = [dict(each) for each in sales.lines_of(kind, change.after.fields)]
                for each in lines:
                    path(facts.id, *pair_of(each))
        except MALFORMED as fault:
            return malformed(fault)
    return Plan(change=change, kind=kind, facts=facts, id=thing, lines=lines)


def job(each: Plan, shelf: Shelf) -> Job:
    """The work that a change is."""
    product = (each.facts.shop, each.id) if each.kind == "product" else None
    made = Job(
        key=each.change.key,
        after=each.change.after,
        steps=_steps(each, shelf),
        product=product,
    )
    made.start()
    return made


def malformed(fault: Exception) -> Parked:
    """What is said of a record that is not as it should be; its values are not quoted."""
    return Parked(
        reason=f"malformed record ({type(fault).__name__})",
        mend="Report it, with the version of the connector.",
    )


def _steps(each: Plan, shelf: Shelf) -> Steps:
    change, store = each.change, each.facts.id
    if each.kind == "product":
        if change.after is None:
            return (yield from goods.retire_product(store, shelf, each.id))
        return (yield from goods.write_product(store, shelf, change.after.fields))
    if each.kind == "promotion":
        if change.after is None:
            return (yield from promotions.remove_promotion(store, each.id))
        fields = change.after.fields
        return (yield from promotions.write_promotion(store, each.facts.domain, fields))
    return (yield from _of_sale(each, shelf))


def _of_sale(each: Plan, shelf: Shelf) -> Steps:
    change, store, plural = each.change, each.facts.id, _PLURALS[each.kind]
    if change.erased:
        return (yield from sale_steps.forget_sale(store, plural, each.id, _customers(each)))
    if change.after is None:
        return (yield from sale_steps.remove_sale(store, plural, each.id))
    sale = None
    if not _is_unwanted(each.kind, change.after):
        build = sales.order if each.kind == "order" else sales.cart
        sale = build(store, change.after.fields)
    if sale is not None:
        told = None if change.before is None else sales.told(change.before.fields)
        return (yield from sale_steps.write_sale(store, shelf, sale, told=told))
    if change.before is not None:
        outcome = yield from sale_steps.remove_sale(store, plural, each.id)
        if not isinstance(outcome, Settled):
            return outcome
    return Settled(note=_NO_ADDRESS if each.kind == "order" else _NO_REMINDER)


def _is_unwanted(kind: str, record: Record) -> bool:
    """A cart is held for nothing but a reminder: so only of who may be mailed."""
    customer = record.fields.get("customer") or {}
    if normal_email(customer.get("email")) is None:
        return True
    return kind == "cart" and record.permission is not Permission.SEND


def _customers(each: Plan) -> list[str]:
    """The customers that we know to have written with a sale."""
    found = []
    for record in (each.change.before, each.change.after):
        customer = (record.fields.get("customer") if record is not None else None) or {}
        email = normal_email(customer.get("email"))
        if email is not None:
            found.append(sales.customer_id(each.facts.id, email))
    return found
