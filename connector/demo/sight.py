"""One look at the whole world: what the shops did, what is known of it, what lies where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.demo.live import Life
from connector.demo.world import World
from connector.store import errands, segments
from connector.store.errands import Errand


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Everything the screen shows.

    ``unknown`` is how many orders the shops have that the connector does not know (yet),
    ``in_stores`` how many things of each kind Mailchimp's stores hold, ``audience`` how many people
    Meta's audience has, ``left`` how many unsubscribed in Mailchimp.
    """

    happened: Counter[str]
    tally: Counter[str]
    unknown: int
    books: Mapping[str, Any]
    readings: Sequence[Errand]
    segments: Mapping[str, int]
    members: Mapping[str, Mapping[str, Any]]
    in_stores: Counter[str]
    mails: int
    syncing: Collection[str]
    items: Mapping[str, Mapping[str, Any]]
    audience: int
    left: int


def see(world: World, life: Life | None) -> Sight:
    """Look."""
    places = world.places
    with world.store.read() as conn:
        sizes = segments.sizes(conn)
        readings = errands.everything(conn)
    in_stores: Counter[str] = Counter()
    for store in list(places.mailchimp.sales.stores.values()):
        in_stores.update(
            orders=len(store.orders),
            products=len(store.products),
            promotions=len(store.rules),
            baskets=len(store.carts),
        )
    return Sight(
        happened=world.happened(),
        tally=world.tally(),
        unknown=world.unknown_orders(),
        books=world.books(),
        readings=readings,
        segments={name: sizes.get(name, 0) for name in world.configured.mapping.segments},
        members=places.mailchimp.members(),
        in_stores=in_stores,
        mails=len(places.mailchimp.sales.fired),
        syncing=world.syncing(),
        items=places.catalog.shown(),
        audience=sum(
            len(each.people) for each in list(places.audiences.account.audiences.values())
        ),
        left=len(life.left) if life else 0,
    )
