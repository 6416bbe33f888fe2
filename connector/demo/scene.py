"""Everything that the verdict compares, taken down once when nothing moves any more."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from adapters.mailchimp.sandbox_store_state import Store
from adapters.shopify.sandbox import Sandbox as Shopify
from connector.demo.ledger import Ledger
from connector.demo.live import Life
from connector.demo.world import World
from connector.store.schema import customers, orders


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What Mailchimp did while the past was brought over.

    ``syncing`` are the stores that were told to be silent, ``mails`` how many they set off all the
    same.
    """

    syncing: Collection[str]
    mails: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The shops' own books, the connector's, and what lies at each destination.

    ``accepted`` are deliveries the shops saw answered 200, ``duplicates`` those the receiver had
    already, ``dropped`` those that were lost on the way. ``known`` are the orders in the
    connector's store, as total and refunds, ``accounts`` its customers. ``past`` is how many orders
    the shops showed when the connector came, ``unseen`` are people of whom they had nothing left
    to show then; ``baskets`` were left behind, and nothing was bought by their owners since.
    ``audience`` has people's rows by the digest of their address. ``lost`` are orders of which no
    webhook told, ``left`` who unsubscribed in Mailchimp, and ``told`` those of them of whom their
    shop knows it.
    """

    ledger: Ledger
    books: Mapping[str, Any]
    accepted: int
    duplicates: int
    dropped: int
    known: Mapping[tuple[str, str], tuple[int, int]]
    accounts: int
    unseen: frozenset[str]
    members: Mapping[str, Mapping[str, Any]]
    stores: Mapping[str, Store]
    mails: int
    silence: Silence
    past: int
    audience: Mapping[str, Mapping[str, Any]]
    items: Mapping[str, Mapping[str, Any]]
    offers: int
    exports: Path
    baskets: Mapping[str, Mapping[str, Any]]
    lost: frozenset[tuple[str, str]]
    left: Collection[str]
    told: Collection[str]

    @property
    def subscribed(self) -> frozenset[str]:
        """Whom Mailchimp would write to."""
        return frozenset(
            email for email, held in self.members.items() if held["status"] == "subscribed"
        )


def take_down(world: World, life: Life, silence: Silence, before: Ledger) -> Scene:
    """Look at everything; ``before`` is what the shops had when the connector came."""
    places, ledger = world.places, world.ledger()
    tally = world.tally()
    with world.store.read() as conn:
        known = {
            (row.shop, row.order_id): (row.total, row.refunded)
            for row in conn.execute(select(orders).where(~orders.c.deleted))
        }
        accounts = len(conn.execute(select(customers.c.shop).where(~customers.c.deleted)).all())
    return Scene(
        ledger=ledger,
        books=world.books(),
        accepted=tally["accepted"],
        duplicates=world.duplicates(),
        dropped=tally["dropped"],
        known=known,
        accounts=accounts,
        unseen=before.totals.people - before.shown - ledger.shown,
        members=places.mailchimp.members(),
        stores={
            name: store
            for name in world.markets
            for store_id, store in places.mailchimp.sales.stores.items()
            if store_id.endswith(f"-{name}")
        },
        mails=len(places.mailchimp.sales.fired),
        silence=silence,
        past=len(before.sold),
        audience=_audience(world),
        items=places.catalog.shown(),
        offers=sum(len(market.offers) for market in world.markets.values()),
        exports=world.folder / "exports" / "exports.sqlite3",
        baskets=_left_behind(places.yarn),
        lost=frozenset(life.lost),
        left=life.left,
        told=[email for email, (shop, number) in life.left.items() if _knows(world, shop, number)],
    )


def _audience(world: World) -> Mapping[str, Mapping[str, Any]]:
    audiences = world.places.audiences.account.audiences.values()
    return {digest: dict(row) for each in audiences for digest, row in each.people.items()}


def _left_behind(shop: Shopify) -> Mapping[str, Mapping[str, Any]]:
    """The baskets whose owners have bought nothing in that shop since."""
    return {
        token: body
        for token, body in shop.checkouts.waiting.items()
        if not shop.books.count(
            "orders",
            "lower(email) = lower(?) AND created >= ?",
            (body["email"], int(datetime.fromisoformat(body["created_at"]).timestamp())),
        )
    }


def _knows(world: World, shop: str, number: int) -> bool:
    """Whether the shop itself has it in its books that this account withdrew."""
    books = (world.places.wool if shop == "wool" else world.places.yarn).books
    row = books.row("customers", number)
    return bool(row and row["withdrawn"])
