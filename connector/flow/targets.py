"""The destinations as the flow sees them, from the configuration and the mapping.

A destination of people that is told of sales as well is two: ``newsletter`` and
``newsletter/sales``, each with its own line in the books. The buyers of the second are people of
the first, where they are before any order goes there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from connector.flow.rules import Holds, Rules, Target
from connector.model import Kind, Purpose
from connector.ports import Shape, ShopFacts, StoreFacts
from connector.settings import DestinationSettings, Settings, ShopSettings
from mappings.consent_rules import META
from mappings.destination_rules import CONVERSIONS
from mappings.fields import attribute_type
from mappings.grammar import DestinationMapping, ItemRules
from mappings.grammar import Mapping as MappingRules
from mappings.item_rules import CATALOGS, default_mapping

SALES = "/sales"
"""What the name of a destination's part for sales ends in; no destination's own has a slash."""
WITHDRAWALS = "/withdrawals"
"""The same for a shop that is told who withdrew elsewhere."""
_STORES = frozenset({"mailchimp"})
_KEEPS_PERMISSIONS = frozenset({"shopify"})

# How amounts are written: the narrow forms of https://cldr.unicode.org/. Others by their code.
_SIGNS = {
    **dict.fromkeys(("USD", "CAD", "AUD", "NZD"), "$"),
    **dict.fromkeys(("NOK", "SEK", "DKK", "ISK"), "kr"),
    "EUR": "€",
    "GBP": "£",
    "JPY": "¥",
    "PLN": "zł",
    "CZK": "Kč",
    "HUF": "Ft",
    "CHF": "CHF",
}


def targets_of(settings: Settings, mapping: MappingRules) -> tuple[Target, ...]:
    """Every destination, in the order of the configuration."""
    return (
        *(
            target
            for name, section in settings.destinations.items()
            for target in _targets(name, section, settings, mapping)
        ),
        *_told_of_withdrawals(settings, mapping),
    )


def clashes(settings: Settings, mapping: MappingRules) -> Iterator[str]:
    """What is wrong between the two files although each is right: one sentence for each fault.

    WooCommerce counts from 1: things of two such shops must not bear one id in a catalog.
    """
    for target in targets_of(settings, mapping):
        counted = [
            name for name in sorted(target.shops) if settings.shops[name].platform == "woocommerce"
        ]
        pattern = (target.mapping.items or ItemRules()).id
        if target.holds is Holds.ITEMS and len(counted) > 1 and "{shop}" not in pattern:
            yield (
                f"destinations.{target.name}.items.id: {' and '.join(counted)} number their "
                f"things alike, and would overwrite each other's: it needs {{shop}} in it"
            )


def _told_of_withdrawals(settings: Settings, mapping: MappingRules) -> Iterator[Target]:
    """Shops that are told who withdrew elsewhere: those that keep permissions in some way."""
    for name, shop in settings.shops.items():
        marks = {
            source.path.removeprefix(META): source.written_back
            for source in mapping.consent.sources
            if source.written_back and source.purpose is Purpose.EMAIL
            if source.shop in (None, name) and shop.platform not in _KEEPS_PERMISSIONS
        }
        keeps = shop.platform in _KEEPS_PERMISSIONS or marks
        if keeps and shop.write_back == "withdrawals":
            yield Target(
                name=name + WITHDRAWALS,
                mapping=DestinationMapping(policy="existing_only", tag_segments=()),
                shops=frozenset({name}),
                holds=Holds.WITHDRAWALS,
                mark=marks,
            )


def record_named(text: str, names: Iterable[str]) -> tuple[str, str | None]:
    """The destination and the key that ``newsletter/sales/order/wool/1`` names; no key: all of it.

    Of destinations whose names begin alike the longest is meant.
    """
    meant = (each for each in names if text == each or text.startswith(f"{each}/"))
    name = max(meant, key=len, default=text.partition("/")[0])
    return name, text.removeprefix(name).removeprefix("/") or None


def stores_of(
    target: Target, section: DestinationSettings, settings: Settings, facts: Mapping[str, ShopFacts]
) -> dict[str, StoreFacts]:
    """What a destination of sales must know of each of its shops."""
    return {
        shop: StoreFacts(
            shop=shop,
            id=f"connector-{section.audience}-{shop}",
            name=shop,
            currency=facts[shop].currency,
            domain=urlsplit(_home(settings.shops[shop])).netloc,
            platform=settings.shops[shop].platform,
            money=_SIGNS.get(facts[shop].currency, facts[shop].currency),
            timezone=facts[shop].timezone,
        )
        for shop in sorted(target.shops)
    }


def _targets(
    name: str, section: DestinationSettings, settings: Settings, mapping: MappingRules
) -> Iterator[Target]:
    platform = section.platform
    mapped = mapping.for_destination(name, platform) or default_mapping(platform)
    shops = frozenset(section.shops or settings.shops)
    homes = {shop: _home(settings.shops[shop]) for shop in shops}
    if platform in CONVERSIONS:
        sold = frozenset({Kind.ORDER})
        yield Target(
            name=name, mapping=mapped, shops=shops, holds=Holds.SALES, sells=sold, homes=homes
        )
        return
    holds = Holds.ITEMS if platform in CATALOGS else Holds.PEOPLE
    yield Target(name=name, mapping=mapped, shops=shops, holds=holds)
    if mapped.ecommerce and platform in _STORES:
        yield Target(
            name=name + SALES,
            mapping=replace(mapped, fields={}, tag_prefix="", tag_segments=(), audiences={}),
            shops=shops,
            holds=Holds.SALES,
            members=name,
            homes=homes,
        )


def _home(shop: ShopSettings) -> str:
    """The shop's first page, never a stand-in's."""
    return shop.url or (f"https://{shop.domain}" if shop.domain else shop.address)


def shape_of(target: Target, rules: Rules) -> Shape:
    """What a destination will be asked to hold."""
    mapped = target.mapping
    return Shape(
        fields={name: attribute_type(attribute) for name, attribute in mapped.fields.items()},
        tags=tuple(sorted(set(mapped.tags(rules.mapping).values()))),
        purpose=mapped.purpose,
        tables=tuple(mapped.tables),
        existing_only=mapped.policy == "existing_only",
        valued=tuple(sorted(name for name, each in mapped.audiences.items() if each.valued)),
        sets={name: (each.label, each.text) for name, each in mapped.sets.items()},
        item_id=(mapped.items or ItemRules()).id,
    )
