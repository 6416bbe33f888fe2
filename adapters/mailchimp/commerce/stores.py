"""The stores that stand for our shops: made once, bound to their audience, and only ours.

https://mailchimp.com/developer/marketing/api/ecommerce-stores/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from adapters.mailchimp.client import Door
from adapters.mailchimp.commerce.operations import path
from adapters.mailchimp.commerce.shelf import Shelf
from adapters.mailchimp.refusals import Refused
from connector.errors import ConfigurationFault, LaneDown, TryLater
from connector.model import Json
from connector.ports import Finding, Grade, StoreFacts

_LONGEST_ID = 50
_TRAP = "server"
_PAGE = 500
_MISSING = 404
_OF_SHELF = ("id", "variants.id", "variants.visibility")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list, and how many there are in all."""

    rows: Sequence[Json]
    total: int


class Stores:
    """One audience's stores, by the shop each stands for."""

    def __init__(self, door: Door, audience: str, stores: Mapping[str, StoreFacts]) -> None:
        self._door = door
        self._audience = audience
        self._stores = dict(stores)
        self.shelves: dict[str, Shelf] = {}

    def of(self, shop: str) -> StoreFacts | None:
        """The store of a shop."""
        return self._stores.get(shop)

    def shops(self) -> list[str]:
        """The shops, in their order."""
        return sorted(self._stores)

    def make(self, *, is_syncing: bool) -> Iterator[Finding]:
        """Make the stores that are missing. Raises `LaneDown`, `TryLater`."""
        for facts in self._stores.values():
            held = self._held(facts)
            if held is None:
                self._make(facts, is_syncing=is_syncing)
                continue
            currency = held.get("currency_code")
            if currency != facts.currency:
                yield Finding(
                    what=f"Mailchimp's store {facts.name} counts in {currency}, the shop in "
                    f"{facts.currency}",
                    mend="Delete that store in Mailchimp and let it be made anew, if its figures "
                    "are to be in the shop's currency.",
                )

    def are_syncing(self) -> bool:
        """Is one of them silent. Raises `LaneDown`, `TryLater`."""
        held = [self._held(facts) for facts in self._stores.values()]
        return any(each is not None and bool(each.get("is_syncing")) for each in held)

    def examine(self) -> Iterator[Finding]:
        """Say how the stores are, and change nothing. Raises `LaneDown`, `TryLater`."""
        for facts in self._stores.values():
            held = self._held(facts)
            if held is None:
                yield Finding(
                    what=f"the store {facts.name} is not there yet and will be made when the "
                    "connector starts",
                    grade=Grade.NOTE,
                )
            elif held.get("is_syncing"):
                yield Finding(
                    what=f"the store {facts.name} is syncing: its automations are silent until "
                    "the shop's past is brought over",
                    grade=Grade.NOTE,
                )
            else:
                yield Finding(what=f"the store {facts.name} is there", grade=Grade.FINE)

    def set_syncing(self, *, on: bool) -> None:
        """Silence every store, or wake every one, whatever happens to another.

        Raises the first `LaneDown` or `TryLater` when all were tried.
        """
        trouble: LaneDown | TryLater | None = None
        for facts in self._stores.values():
            try:
                self._set(facts, is_syncing=on)
            except (LaneDown, TryLater) as problem:
                trouble = trouble or problem
        if trouble is not None:
            raise trouble

    def require(self) -> None:
        """See that the stores are there. Raises `LaneDown` when one is not."""
        for facts in self._stores.values():
            if self._held(facts) is None:
                raise _gone(facts)

    def shelf(self, facts: StoreFacts) -> Shelf:
        """What the store has of products, read once. Raises `LaneDown`, `TryLater`."""
        if facts.id not in self.shelves:
            shelf = Shelf()
            for rows in self._pages(facts, "products", _OF_SHELF):
                shelf.read(rows)
            self.shelves[facts.id] = shelf
        return self.shelves[facts.id]

    def complete(self, facts: StoreFacts, products: Iterable[str]) -> None:
        """Learn all variants of products of which the shelf has only the first.

        Raises `LaneDown`, `TryLater`.
        """
        shelf = self.shelf(facts)
        for product in shelf.cut.intersection(products):
            rows = self.variants(facts, product, ("id", "visibility"))
            if rows is None:
                shelf.products.pop(product, None)
                shelf.cut.discard(product)
            else:
                shelf.complete(product, rows)

    def variants(self, facts: StoreFacts, product: str, fields: Sequence[str]) -> list[Json] | None:
        """All variants of a product; ``None`` where there is no such product any more.

        Raises `LaneDown`, `TryLater`.
        """
        try:
            pages = self._pages(facts, "variants", fields, "products", product)
            return [row for rows in pages for row in rows]
        except Refused as refused:
            if refused.status == _MISSING:
                return None
            raise _strange(refused, facts) from None

    def page(
        self, facts: StoreFacts, what: str, fields: Sequence[str], *, offset: int, count: int
    ) -> Page:
        """A page of one of the store's lists. Raises `LaneDown`, `TryLater`."""
        try:
            return self._page(path(facts.id, what), what, fields, offset, count)
        except Refused as refused:
            raise _strange(refused, facts) from None

    def _pages(
        self, facts: StoreFacts, what: str, fields: Sequence[str], *above: str
    ) -> Iterator[Sequence[Json]]:
        offset = 0
        while True:
            try:
                page = self._page(path(facts.id, *above, what), what, fields, offset, _PAGE)
            except Refused as refused:
                if above:
                    raise
                raise _strange(refused, facts) from None
            yield page.rows
            offset += len(page.rows)
            if len(page.rows) < _PAGE:
                return

    def _page(self, where: str, what: str, fields: Sequence[str], offset: int, count: int) -> Page:
        name = what.replace("-", "_")
        said = self._door.call(
            "GET",
            where,
            query=[
                ("count", str(count)),
                ("offset", str(offset)),
                ("fields", ",".join(("total_items", *(f"{name}.{each}" for each in fields)))),
            ],
        )
        rows, total = said.get(name), said.get("total_items")
        if not isinstance(rows, list) or not isinstance(total, int):
            raise TryLater(f"Mailchimp's answer has no {name}")
        return Page(rows=rows, total=total)

    def _held(self, facts: StoreFacts) -> Mapping[str, Json] | None:
        try:
            held = self._door.call("GET", path(facts.id))
        except Refused as refused:
            if refused.status == _MISSING:
                return None
            raise _strange(refused, facts) from None
        if held.get("list_id") != self._audience:
            raise LaneDown(
                f"Mailchimp's store {facts.id} belongs to another audience, for ever",
                mend=f"Set the destination's audience to the one that store belongs to, or delete "
                f"the store in Mailchimp (Account > Integrations): {facts.name}.",
            )
        return held

    def _make(self, facts: StoreFacts, *, is_syncing: bool) -> None:
        wanted = {
            "id": facts.id,
            "list_id": self._audience,
            "name": facts.name,
            "platform": facts.platform,
            "domain": facts.domain,
            "currency_code": facts.currency,
            "money_format": facts.money,
            "timezone": facts.timezone,
        }
        body = {name: value for name, value in wanted.items() if value}
        try:
            self._door.call("POST", "/ecommerce/stores", body={**body, "is_syncing": is_syncing})
        except Refused as refused:
            raise LaneDown(
                f"Mailchimp makes no store {facts.id} for the audience: {refused.title}",
                mend="Set the destination's audience to one of this account's audience IDs; look "
                "there whether the account may have another store.",
            ) from None

    def _set(self, facts: StoreFacts, *, is_syncing: bool) -> None:
        try:
            held = self._door.call("PATCH", path(facts.id), body={"is_syncing": is_syncing})
        except Refused as refused:
            raise _strange(refused, facts) from None
        if held.get("is_syncing") is not is_syncing:
            raise TryLater(f"Mailchimp did not say that the store {facts.id} took is_syncing")


def check(name: str, stores: Mapping[str, StoreFacts]) -> None:
    """Raises `ConfigurationFault` for ids that Mailchimp or its client would spoil."""
    ids = [facts.id for facts in stores.values()]
    if len(set(ids)) < len(ids):
        raise ConfigurationFault(f"destination {name}: two shops have the same store in Mailchimp")
    for each in ids:
        if not each or len(each) > _LONGEST_ID or _TRAP in each.lower():
            raise ConfigurationFault(
                f"destination {name}: {each} cannot be the id of a store in Mailchimp"
            )


def _gone(facts: StoreFacts) -> LaneDown:
    return LaneDown(
        f"Mailchimp has no store {facts.id} any more",
        mend=f"It was deleted there. Restart the connector, and the store {facts.name} is made "
        "anew; then mark its records due again.",
    )


def _strange(refused: Refused, facts: StoreFacts) -> LaneDown:
    if refused.status == _MISSING:
        return _gone(facts)
    return LaneDown(
        f"Mailchimp refuses the store {facts.id}: {refused.title}",
        mend="Look at the store and its audience in Mailchimp (Account > Integrations).",
    )
