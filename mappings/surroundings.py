"""What a mapping is checked against: the shops and destinations there are, and its own names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.errors import Path, shown
from mappings import fields
from mappings.faults import Faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """``shops`` and ``destinations`` give the platform of each in the configuration.

    The names are all that were written, those of faulty parts too: who refers to such a part is
    not at fault.
    """

    shops: Mapping[str, str]
    destinations: Mapping[str, str]
    attributes: frozenset[str]
    wordings: frozenset[str]
    segments: frozenset[str]


def surround(
    tree: Mapping[str, Any], *, shops: Mapping[str, str], destinations: Mapping[str, str]
) -> Surroundings:
    """The surroundings of a mapping, from its tree as written."""
    consent = tree.get("consent")
    return Surroundings(
        shops=shops,
        destinations=destinations,
        attributes=_names(tree, "attributes"),
        wordings=_names(consent if isinstance(consent, dict) else {}, "wordings"),
        segments=_names(tree, "segments"),
    )


def check_shop(shop: str | None, path: Path, around: Surroundings, faults: Faults) -> None:
    """A shop that is named must be one of the configuration."""
    if shop is not None and shop not in around.shops:
        what = f'no shop is named "{shown(shop)}" (leave shop out to mean every shop)'
        faults.add(path, what, word=shop, choices=around.shops)


def check_path(
    path: str, shop: str | None, place: Path, around: Surroundings, faults: Faults
) -> None:
    """A field's path must exist, on the platform of the shop that it is read from."""
    if not fields.is_known(path):
        what = f'there is no field "{shown(path)}"'
        faults.add(place, what, word=path, choices=fields.candidates(path))
        return
    needed = fields.platform_of(path)
    has = around.shops.get(shop) if shop else None
    if needed and has and has != needed:
        faults.add(place, f'"{shown(path)}" is a field of {needed}, but {shop} is a {has} shop')


def _names(tree: Mapping[str, Any], section: str) -> frozenset[str]:
    table = tree.get(section)
    return frozenset(table) if isinstance(table, dict) else frozenset()
