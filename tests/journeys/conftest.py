"""What every journey may ask for: a stand-in Mailchimp, a clock, and premises to set up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapters.mailchimp.sandbox import Sandbox as Audience
from adapters.woocommerce.sandbox import Sandbox as Shop
from tests.journeys.premises import Clock, Premises, Tenant
from tests.journeys.town import MAPPING, Town, opened

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
def move_in(tmp_path: Path, audience: Audience, clock: Clock) -> Iterator[MoveIn]:
    """Set up premises: shops by name, a mapping; several times in one test if it compares."""
    with ExitStack() as leaving:

        def make(
            shops: Mapping[str, Tenant],
            mapping: str,
            *,
            store_url: str = "",
            into: Audience = audience,
            at: Clock = clock,
        ) -> Premises:
            folder = tmp_path / f"premises{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            premises = Premises(
                folder=folder,
                shops=shops,
                audience=into,
                mapping=mapping,
                store_url=store_url or f"sqlite:///{folder}/connector.db",
                clock=at,
            )
            leaving.callback(premises.close)
            return premises

        yield make


@pytest.fixture
def double_optin() -> bool:
    """Whether the audience asks everybody to confirm; a test may say so by parametrizing."""
    return False


@pytest.fixture
def mapping() -> str:
    """The mapping; a test may have another by parametrizing."""
    return MAPPING


@pytest.fixture
def town(
    move_in: MoveIn,
    audience: Audience,
    clock: Clock,
    double_optin: bool,  # noqa: FBT001 - a fixture's value
    mapping: str,
) -> Iterator[Town]:
    """A shop that sells, the connector, and the audience."""
    audience.world.double_optin = double_optin
    with Shop(auto=False, clock=clock, keep_alive=True) as shop:
        premises = move_in({"wool": Tenant(url=shop.base_url)}, mapping)
        with opened(shop, audience, premises, clock) as town:
            yield town
