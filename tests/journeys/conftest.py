"""What every journey may ask for: a stand-in Mailchimp, a clock, and premises to set up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapters.mailchimp.sandbox import Sandbox as Audience
from connector.store.connect import Store
from tests.journeys.premises import Clock, Premises, Tenant

MoveIn = Callable[..., Premises]


@pytest.fixture
def clock() -> Clock:
    """The one clock of this test's world."""
    return Clock()


@pytest.fixture
def audience(clock: Clock) -> Iterator[Audience]:
    """An empty Mailchimp audience on the test's clock."""
    with Audience(clock=clock) as opened:
        yield opened


@pytest.fixture
def opened_stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what a command or receiver in this process opens for as long as its process lives."""
    opened: list[Store] = []
    really_open = Store.open

    def open_and_note(url: str) -> Store:
        opened.append(really_open(url))
        return opened[-1]

    monkeypatch.setattr(Store, "open", open_and_note)
    yield
    for store in opened:
        store.close()


@pytest.fixture
def move_in(
    tmp_path: Path, audience: Audience, clock: Clock, opened_stores: None
) -> Iterator[MoveIn]:
    """Set up premises: shops by name, a mapping; several times in one test if it compares."""
    with ExitStack() as leaving:

        def make(
            shops: Mapping[str, Tenant],
            mapping: str,
            *,
            store_url: str = "",
            into: Audience = audience,
        ) -> Premises:
            folder = tmp_path / f"premises{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            premises = Premises(
                folder=folder,
                shops=shops,
                audience=into,
                mapping=mapping,
                store_url=store_url or f"sqlite:///{folder}/connector.db",
                clock=clock,
            )
            leaving.callback(premises.close)
            return premises

        yield make
