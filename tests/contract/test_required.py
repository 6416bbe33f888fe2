"""The promises by name are all tests of the contract: a missing one fails, never skips."""

from __future__ import annotations

import pytest

from tests.contract import audiences, catalogs, conversions, shops
from tests.contract.audiences import AudienceContract
from tests.contract.catalogs import CatalogContract
from tests.contract.conversions import ConversionContract
from tests.contract.destinations import REQUIRED, RemoteDestinationContract
from tests.contract.shops import ShopContract


@pytest.mark.parametrize("promise", REQUIRED)
def test_every_required_promise_has_its_test(promise: str) -> None:
    """Each promise of the required set is a test of the destinations' contract."""
    assert callable(getattr(RemoteDestinationContract, f"test_{promise}", None))


@pytest.mark.parametrize("promise", catalogs.REQUIRED)
def test_every_required_promise_of_a_catalog_has_its_test(promise: str) -> None:
    """Each promise of the required set is a test of the catalogs' contract."""
    assert callable(getattr(CatalogContract, f"test_{promise}", None))


@pytest.mark.parametrize("promise", audiences.REQUIRED)
def test_every_required_promise_of_an_audience_has_its_test(promise: str) -> None:
    """Each promise of the required set is a test of the audiences' contract."""
    assert callable(getattr(AudienceContract, f"test_{promise}", None))


@pytest.mark.parametrize("promise", conversions.REQUIRED)
def test_every_required_promise_of_conversions_has_its_test(promise: str) -> None:
    """Each promise of the required set is a test of the conversions' contract."""
    assert callable(getattr(ConversionContract, f"test_{promise}", None))


@pytest.mark.parametrize("promise", shops.REQUIRED)
def test_every_required_promise_of_a_shop_has_its_test(promise: str) -> None:
    """Each promise of the required set is a test of the shops' contract."""
    assert callable(getattr(ShopContract, f"test_{promise}", None))
