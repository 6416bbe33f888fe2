"""Everything a worker works with, in one value: store, shops, destinations, rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connector.flow import demands
from connector.flow.apart import Apart
from connector.flow.posts import Post
from connector.flow.rules import Rules
from connector.ports import DestinationAdapter, ShopAdapter
from connector.store.connect import Store


@dataclass(frozen=True, slots=True)
class House:
    """Everything a worker works with."""

    store: Store
    shops: Mapping[str, ShopAdapter]
    destinations: Mapping[str, DestinationAdapter]
    rules: Rules
    now: Callable[[], datetime]
    sends: bool = True
    """False in ``mode: test``: everything is computed, nothing leaves."""
    wall: Callable[[], datetime] | None = None
    """The machine's own clock, also in a rehearsal: it is compared with the destinations'."""
    answers: demands.Answers | None = None
    """Where files for people who ask what is held of them are put."""
    apart: Mapping[str, Apart] = field(default_factory=dict)
    """The shops whose past is read by processes of their own."""
    keep_bodies: timedelta = timedelta(days=30)
    """How long what was delivered is kept word for word, once it is done with."""
    reconcile: Mapping[str, timedelta] = field(default_factory=dict)
    """How often each shop is asked what changed lately; one that is missing never is."""
    posts: Sequence[Post] = ()
    """The shops and destinations whose webhooks are watched."""
