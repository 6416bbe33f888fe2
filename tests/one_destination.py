"""The rules of a small house: shops in Oslo that sell in kroner, and one destination of people."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from connector.flow.rules import Rules, Target
from mappings.load import load_mapping


def rules_of(
    text: str,
    shops: Iterable[str] = ("wool",),
    *,
    shop: str = "woocommerce",
    name: str = "newsletter",
    destination: str = "mailchimp",
) -> Rules:
    """The rules of a mapping's ``text``; ``shop`` and ``destination`` are platforms."""
    platforms = dict.fromkeys(shops, shop)
    mapping = load_mapping(text, shops=platforms, destinations={name: destination})
    target = Target(name=name, mapping=mapping.destinations[name], shops=frozenset(platforms))
    return Rules(
        mapping=mapping,
        platforms=platforms,
        zone=ZoneInfo("Europe/Oslo"),
        currency="NOK",
        targets=(target,),
    )
