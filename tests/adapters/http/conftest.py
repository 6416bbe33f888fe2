"""A stand-in receiver and a destination that posts to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from adapters.http.destination import HttpDestination
from adapters.http.sandbox import Sandbox
from connector.model import Change, Permission, Record


@pytest.fixture
def crm() -> Iterator[Sandbox]:
    """An empty receiver."""
    with Sandbox() as opened:
        yield opened


@pytest.fixture
def connect(crm: Sandbox) -> Iterator[Callable[..., HttpDestination]]:
    """Make a destination for the receiver; ``timeout`` is short, so that a hang is soon over."""
    opened: list[HttpDestination] = []

    def make(timeout: float = 5.0, secrets: tuple[str, ...] | None = None) -> HttpDestination:
        destination = HttpDestination("crm", crm.address, secrets or (crm.secret,), timeout=timeout)
        opened.append(destination)
        return destination

    yield make
    for destination in opened:
        destination.close()


@pytest.fixture
def destination(connect: Callable[..., HttpDestination]) -> HttpDestination:
    """A destination for the receiver."""
    return connect()


@pytest.fixture
def people() -> Callable[[int], list[Change]]:
    """So many people who are new."""

    def make(number: int) -> list[Change]:
        return [
            Change(key=email, before=None, after=person(email), revision=1)
            for email in (f"p{at}@shop.example" for at in range(number))
        ]

    def person(email: str) -> Record:
        return Record(
            key=email, email=email, permission=Permission.SEND, fields={"ORDERS": 1}, tags=("VIP",)
        )

    return make
