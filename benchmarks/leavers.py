"""Ten thousand people whom a shop calls subscribed, of whom three thousand had left Mailchimp.

Half of them buy at a WooCommerce shop, half have an account at a Shopify shop. Those who left did
so before or after they said yes in the shop, by themselves or by an admin; and what the shop says
is their own act, a mere state, or has no date: `connector.consent` has what follows from each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import partial
from typing import TypeAlias

from adapters.mailchimp.sandbox import Sandbox as Audience
from adapters.shopify.sandbox import Sandbox as ShopifySandbox
from adapters.woocommerce.sandbox import Sandbox as WooCommerceSandbox
from adapters.woocommerce.sandbox_desk import OPT_IN, SUBSCRIPTION

_GRANTED = timedelta(days=200)
_BEFORE, _AFTER = timedelta(days=300), timedelta(days=50)
"""How long ago: the yes in the shop, and leaving Mailchimp before that or after it."""


class Yes(Enum):
    """How the shop says that somebody may be mailed."""

    TICKED = auto()  # WooCommerce: the box at the checkout, in an order
    NOTED = auto()  # WooCommerce: a field of the account, without a date
    SINGLE = auto()  # Shopify: a state with a date, perhaps an import's work
    CONFIRMED = auto()  # Shopify: confirmed by the person's own click
    UNDATED = auto()  # Shopify: a state without a date


Leaving: TypeAlias = Callable[[Audience, str, datetime], None]
Retell: TypeAlias = Callable[[], object]


def _archived(audience: Audience, email: str, at: datetime) -> None:
    audience.unsubscribe(email, at)
    audience.archive(email, at + timedelta(days=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """People of whom the same is true. ``ago`` is since when they are not in Mailchimp any more.

    ``may_be_asked``: their own yes is newer, so they get one mail that asks whether it counts.
    """

    name: str
    many: int
    yes: Yes
    leaves: Leaving | None = None
    ago: timedelta = _AFTER
    may_be_asked: bool = False


GROUPS: Sequence[Group] = (
    Group(name="buyer", many=3_500, yes=Yes.TICKED),
    Group(name="customer", many=3_500, yes=Yes.SINGLE),
    Group(name="left", many=1_000, yes=Yes.TICKED, leaves=Audience.unsubscribe),
    Group(name="struck", many=300, yes=Yes.TICKED, leaves=Audience.admin_unsubscribe),
    Group(name="noted", many=100, yes=Yes.NOTED, leaves=Audience.unsubscribe, ago=_BEFORE),
    Group(
        name="again", many=100, yes=Yes.TICKED, leaves=Audience.unsubscribe, ago=_BEFORE,
        may_be_asked=True,
    ),
    Group(name="gone", many=600, yes=Yes.SINGLE, leaves=Audience.unsubscribe),
    Group(name="imported", many=500, yes=Yes.SINGLE, leaves=Audience.unsubscribe, ago=_BEFORE),
    Group(name="undated", many=300, yes=Yes.UNDATED, leaves=Audience.unsubscribe, ago=_BEFORE),
    Group(
        name="confirmed", many=100, yes=Yes.CONFIRMED, leaves=Audience.unsubscribe, ago=_BEFORE,
        may_be_asked=True,
    ),
)  # fmt: skip
BESIDES: Sequence[Group] = (
    Group(name="bounced", many=100, yes=Yes.TICKED, leaves=Audience.clean),
    Group(name="bounced-before", many=100, yes=Yes.CONFIRMED, leaves=Audience.clean, ago=_BEFORE),
    Group(name="archived", many=100, yes=Yes.TICKED, leaves=_archived),
)
"""Beside the ten thousand: whose address bounced, and who was archived after they had left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """All of them, a share of each group. ``now`` is the moment of the first sync."""

    share: int
    now: datetime
    groups: Sequence[Group] = (*GROUPS, *BESIDES)

    def of(self, wanted: Callable[[Group], bool]) -> frozenset[str]:
        """The addresses of the people of some groups."""
        return frozenset(
            email for group in self.groups if wanted(group) for email in self._in(group)
        )

    @property
    def everybody(self) -> frozenset[str]:
        """All of them."""
        return self.of(lambda _: True)

    @property
    def stay(self) -> frozenset[str]:
        """Who never left."""
        return self.of(lambda group: group.leaves is None)

    @property
    def left(self) -> frozenset[str]:
        """Who left, and said nothing newer by an act of their own."""
        return self.of(lambda group: group.leaves is not None and not group.may_be_asked)

    @property
    def shown_as_left(self) -> frozenset[str]:
        """Those of them of whom an audience says so; of the archived it says only that."""
        return self.left - self.of(lambda group: group.leaves is _archived)

    @property
    def may_be_asked(self) -> frozenset[str]:
        """Who left, and said yes anew in the shop since."""
        return self.of(lambda group: group.may_be_asked)

    def leave(self, audience: Audience) -> None:
        """They signed up in Mailchimp long ago, and left."""
        for group in self.groups:
            if group.leaves is not None:
                for email in self._in(group):
                    audience.sign_up(email, self.now - _BEFORE - timedelta(days=90))
                    group.leaves(audience, email, self.now - group.ago)

    def say_yes(self, wool: WooCommerceSandbox, pins: ShopifySandbox) -> Sequence[Retell]:
        """They say yes in the shops; gives what has a shop tell that anew, dated as it was."""
        return [
            _tick(wool, email, self.at)
            if group.yes is Yes.TICKED
            else _note(wool, email, self.at)
            if group.yes is Yes.NOTED
            else _state(pins, email, self.at, group.yes)
            for group in self.groups
            for email in self._in(group)
        ]

    @property
    def at(self) -> datetime:
        """When they said yes."""
        return self.now - _GRANTED

    def _in(self, group: Group) -> Iterator[str]:
        return (f"{group.name}{number}@epost.example" for number in range(group.many // self.share))


def _tick(wool: WooCommerceSandbox, email: str, at: datetime) -> Retell:
    given = {
        "billing": {"first_name": "Kari", "last_name": "Nordmann", "email": email, "country": "NO"},
        "line_items": [{"name": "Påskegarn", "quantity": 1, "subtotal": "89", "total": "89"}],
        "meta_data": [{"key": OPT_IN, "value": "1"}],
        "paid": True,
    }
    order = wool.orders.check_out(given, now=at)
    return partial(wool.orders.change, order["id"], {}, now=at)


def _note(wool: WooCommerceSandbox, email: str, at: datetime) -> Retell:
    given = {"email": email, "meta_data": [{"key": SUBSCRIPTION, "value": "1"}]}
    account = wool.customers.create(given, now=at)
    return partial(wool.customers.change, account["id"], {}, now=at)


def _state(pins: ShopifySandbox, email: str, at: datetime, yes: Yes) -> Retell:
    person = pins.customers.create({"email": email, "first_name": "Kari"}, now=at)
    say = partial(
        pins.customers.consent,
        person["id"],
        "subscribed",
        level="confirmed_opt_in" if yes is Yes.CONFIRMED else "single_opt_in",
        now=at,
        dated=yes is not Yes.UNDATED,
    )
    say()
    return say
