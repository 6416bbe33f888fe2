"""Lets what was read whole count over what was read of the same thing in part.

Both are of one state, which Shopify dates to the second: else the larger digest would win.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from connector.model import (
    Customer,
    Fact,
    Order,
    Product,
    Understanding,
    Understood,
    Version,
)


def outranking(understanding: Understanding) -> Understanding:
    """The same facts, dated a microsecond later: any real change of the thing is later still."""
    if not isinstance(understanding, Understood):
        return understanding
    return replace(understanding, facts=tuple(_later(fact) for fact in understanding.facts))


def _later(fact: Fact) -> Fact:
    match fact:
        case Product():
            variants = tuple(replace(v, version=_next(v.version)) for v in fact.variants)
            return replace(fact, version=_next(fact.version), variants=variants)
        case Customer() | Order():
            return replace(fact, version=_next(fact.version))
        case _:
            return fact


def _next(version: Version) -> Version:
    return replace(version, at=version.at + timedelta(microseconds=1))
