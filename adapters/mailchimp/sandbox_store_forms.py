"""The simple values that the stand-in's stores are sent: amounts, whole numbers, texts, addresses.

JSON has one kind of number. A body with a field too many is refused.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

_NUMERIC = r"^\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*$"
Amount: TypeAlias = float | Annotated[str, Meta(pattern=_NUMERIC)]
Whole: TypeAlias = Annotated[float, Meta(multiple_of=1)]  # JSON has one kind of number: 1.0 is 1
CustomerId: TypeAlias = Annotated[str, Meta(max_length=50)]
Named: TypeAlias = Annotated[str, Meta(pattern=r"\S")]
Text: TypeAlias = str | UnsetType
Sum: TypeAlias = Amount | UnsetType
Flag: TypeAlias = bool | UnsetType
Count: TypeAlias = Whole | UnsetType


class Strict(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A body without a field too many."""


class Address(Strict):
    """Where somebody lives."""

    address1: Text = UNSET
    address2: Text = UNSET
    city: Text = UNSET
    province: Text = UNSET
    province_code: Text = UNSET
    postal_code: Text = UNSET
    country: Text = UNSET
    country_code: Text = UNSET


class Place(Address):
    """An address with where that is on the earth."""

    longitude: Sum = UNSET
    latitude: Sum = UNSET
