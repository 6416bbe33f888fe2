"""Mailchimp's e-commerce as a destination: products, orders, carts and discount codes of shops."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from threading import RLock

from adapters.mailchimp.account import Account
from adapters.mailchimp.client import Door
from adapters.mailchimp.commerce import batches
from adapters.mailchimp.commerce.archive import Shelves
from adapters.mailchimp.commerce.comparing import as_shown
from adapters.mailchimp.commerce.desk import Desk
from adapters.mailchimp.commerce.push import Push, look_around
from adapters.mailchimp.commerce.sending import Sending
from adapters.mailchimp.commerce.showing import Reader
from adapters.mailchimp.commerce.stores import Stores, check
from connector import clocks
from connector.errors import LaneDown, TryLater
from connector.model import Change, Outcome, Record
from connector.ports import Finding, Grade, Introduction, Shape, Shown, StoreFacts


class MailchimpSales:
    """The stores of one Mailchimp audience, one for each shop.

    Its records go by ``product/SHOP/ID``, ``order/…``, ``cart/…`` and ``promotion/…``. ``stores``
    are by shop. ``api_key`` ends in the data centre (``…-us12``), ``base_url`` stands in for its
    address. ``timeout`` is in seconds for a whole answer. Raises `ConfigurationFault`.
    """

    batch_size = 2_000

    def __init__(
        self,
        name: str,
        *,
        audience: str,
        api_key: str,
        stores: Mapping[str, StoreFacts],
        base_url: str | None = None,
        timeout: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        account = Account.check(name, audience, api_key, base_url)
        check(name, stores)
        self._door = Door(account, timeout)
        self._archives = Shelves(account.host, timeout)
        self._stores = Stores(self._door, audience, stores)
        self._desk = Desk()
        self._reader = Reader(self._stores)
        self._sleep = sleep
        self._turn = RLock()
        self._is_syncing = False
        self._wakes = False

    def prepare(self, shape: Shape) -> Sequence[Finding]:
        """Make the stores that are missing, and wake those that were left syncing.

        Raises `LaneDown`, also for a store of another audience, or `TryLater`.
        """
        del shape  # a store's fields are Mailchimp's own
        with self._turn:
            self._stores.shelves.clear()
            findings = list(self._stores.make(is_syncing=self._is_syncing))
            if not self._is_syncing and self._stores.are_syncing():
                self._wakes = True
                self._wake(wait=False)
        if self._wakes:
            findings.append(
                Finding(
                    what="a store was left syncing; it wakes when Mailchimp is done with the "
                    "batches that are open in the account",
                    grade=Grade.NOTE,
                )
            )
        return findings

    def begin_sync(self) -> None:
        """Silence the automations of our stores: a shop's past sets off no mail.

        https://mailchimp.com/developer/marketing/docs/e-commerce/
        """
        with self._turn:
            self._is_syncing, self._wakes = True, False
            self._stores.set_syncing(on=True)

    def end_sync(self) -> None:
        """Let automations fire again. Raises `TryLater` while Mailchimp still works on batches."""
        with self._turn:
            if self._desk.open:
                now = max(batch.sent_at for batch in self._desk.open.values())
                sending = Sending(self._door, self._archives, self._desk, self._sleep, now)
                sending.run(sending.look(early=True))
            self._wake(wait=True)

    def _wake(self, *, wait: bool) -> None:
        """Wake the stores, if nothing of the past is still on its way there."""
        if self._desk.strangers is None or self._desk.strangers:
            strangers = batches.unfinished(self._door) - self._desk.open.keys()
            known = self._desk.strangers
            self._desk.strangers = strangers if known is None else known & strangers
        if not (self._desk.open or self._desk.strangers):
            self._stores.set_syncing(on=False)
            self._is_syncing = self._wakes = False
        elif wait:
            raise TryLater("Mailchimp still works on what was sent of the past", retry_after=30.0)

    def introduce(self) -> Introduction:
        """Ask whose account the key opens. Raises `TryLater` or `LaneDown`."""
        said = self._door.call("GET", "/", query=[("fields", "account_id")]).get("account_id")
        if not isinstance(said, str) or not said:
            raise TryLater("Mailchimp's answer has no account_id")
        return Introduction(account=said, at=self._door.told_at)

    def check_up(self, shape: Shape, *, now: datetime) -> Sequence[Finding]:
        """Try everything that work will need, change nothing, and say how it was."""
        del shape
        return tuple(self._examine(now))

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        """Write the changes; one outcome for every key. Raises `TryLater` or `LaneDown`."""
        with self._turn:
            look_around(self._door, self._desk, now)
            if self._wakes:
                self._wake(wait=False)
            push = Push(self._door, self._archives, self._stores, self._desk, self._sleep, now)
            return push.run(changes)

    def show(self, cursor: str | None, *, now: datetime) -> Shown:
        """Read a page of one shop's products, promotions, orders or carts, in this order.

        The first page of a list is asked for up to 1,000 rows. Raises `TryLater` or `LaneDown`.
        """
        del now
        with self._turn:
            return self._reader.show(cursor)

    def as_shown(self, record: Record) -> Record:
        """What `show` gives of a record that was taken whole, as far as it can be compared."""
        return as_shown(self._stores, record)

    def flush(self) -> None:
        """Nothing is held back: what is not sent yet is due again."""

    def _examine(self, now: datetime) -> Iterator[Finding]:
        try:
            introduction = self.introduce()
            yield Finding(what="Mailchimp takes the key", grade=Grade.FINE)
            yield from clocks.compare(introduction.at, now, whose="Mailchimp's")
            yield from self._stores.examine()
        except (TryLater, LaneDown) as problem:
            yield Finding.of("Mailchimp cannot be used", problem)
