"""What a mapping means once it is read: which words of a shop stand for what, in typed nouns.

`mappings.shape` is how it is written in YAML, `mappings.meaning` turns the one into the other.
"""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from connector.model import Purpose
from mappings.segments.syntax import Comparison, Operator, Query
from mappings.segments.values import Text

Policy: TypeAlias = Literal["subscribed_only", "existing_only", "everyone", "granted_only"]
"""Whom a destination holds: those who may be mailed, those it holds already, or all.

``granted_only`` is no choice but the nature of advertisers: whoever has not granted, or takes it
back, is not there at all.
"""

Unpublished: TypeAlias = Literal["archive", "delete"]
"""What becomes of an item that the shop does not show any more."""

EVERYTHING_SHOWN = Query(
    Comparison(attribute="status", operator=Operator.EQ, values=(Text("active"),))
)
"""The query of a catalog that does not say which items it wants."""

COUNTING: Table[str, frozenset[str]] = {
    "woocommerce": frozenset({"processing", "completed"}),
    "shopify": frozenset({"paid", "partially_refunded"}),
}
"""What counts as bought where a mapping does not say, by platform."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One extra fact about a person, read from a shop's own field. ``shop`` None: every shop."""

    name: str
    shop: str | None
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentSource:
    """A field in which a shop keeps a permission, and which of its values say what.

    ``granted`` and ``withdrawn`` are trimmed and casefolded; every other value says nothing.
    ``wording`` is the id of what the person read. ``written_back`` is the word that is written into
    the field of an account when the person withdraws elsewhere.
    """

    shop: str | None
    purpose: Purpose
    path: str
    granted: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()
    wording: str | None = None
    written_back: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRules:
    """How permissions are read and decided. ``wordings`` are the texts people saw, by id.

    ``soft_opt_in`` are the countries where a purchase allows mail about similar goods, and
    ``soft_wordings`` the attested wording of each; ``counting`` says what a purchase is.
    """

    wordings: Table[str, str] = field(default_factory=dict)
    sources: tuple[ConsentSource, ...] = ()
    double_opt_in: bool = False
    soft_opt_in: frozenset[str] = frozenset()
    accept_undated: bool = False
    soft_wordings: Table[str, str] = field(default_factory=dict)
    counting: Table[str, frozenset[str]] = field(default_factory=lambda: dict(COUNTING))


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A named group of people. ``when`` is the query as written, ``query`` what it says."""

    name: str
    when: str
    query: Query
    tag: str | None = None

    @property
    def label(self) -> str:
        """The tag's text before a destination's prefix."""
        return self.tag or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRules:
    """Which variants a catalog holds, under which ids, and what becomes of one not shown any more.

    ``id`` is a pattern, ``{shop}_{variant_id}``. A bestseller is among the ``top`` of its shop by
    the units sold in 30 days (``None``: however many there are), with ``at_least`` so many sold. A
    new arrival was seen first within ``new_for_days``.
    """

    query: Query = EVERYTHING_SHOWN
    id: str = "{shop}_{variant_id}"
    unpublished: Unpublished = "archive"
    top: int | None = 20
    at_least: int = 1
    new_for_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSet:
    """A product set: the items whose ``label`` says ``text``; ``picked`` are those chosen by hand.

    ``label`` is one of the catalog's custom labels.
    """

    label: str
    text: str
    picked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """An advertiser's audience: the people of a segment, with what each spent if ``valued``."""

    segment: str
    valued: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationMapping:
    """What one destination should hold. ``fields`` name the attribute behind each field there.

    With ``ecommerce`` it is told of sales as well, of people whom it has. ``items`` and ``labels``
    are for catalogs, whose ``fields`` come from what is for sale.
    So are ``sets``; what is behind the label of a set is among the ``labels``. ``audiences`` are
    for advertisers, where each is the tag of its segment.
    """

    policy: Policy = "subscribed_only"
    purpose: Purpose = Purpose.EMAIL
    fields: Table[str, str] = field(default_factory=dict)
    tag_prefix: str = ""
    tag_segments: Literal["all"] | tuple[str, ...] = "all"
    tables: tuple[str, ...] = ()
    ecommerce: bool = False
    items: ItemRules | None = None
    labels: Table[str, str] = field(default_factory=dict)
    sets: Table[str, ItemSet] = field(default_factory=dict)
    audiences: Table[str, Audience] = field(default_factory=dict)

    def tags(self, mapping: Mapping) -> dict[str, str]:
        """The tag's text here for every segment that is one, by the segment's name."""
        if self.policy == "granted_only":
            return {audience.segment: name for name, audience in self.audiences.items()}
        names = mapping.segments if self.tag_segments == "all" else self.tag_segments
        return {name: self.tag_prefix + mapping.segments[name].label for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """A whole mapping, without faults. ``segments`` come after those that they ask for."""

    version: int = 1
    counting: Table[str, frozenset[str]] = field(default_factory=lambda: dict(COUNTING))
    attributes: tuple[Attribute, ...] = ()
    consent: ConsentRules = field(default_factory=ConsentRules)
    segments: Table[str, Segment] = field(default_factory=dict)
    destinations: Table[str, DestinationMapping] = field(default_factory=dict)

    def for_destination(self, name: str, platform: str) -> DestinationMapping | None:
        """What is written under the destination's own name, else under its platform's name."""
        return self.destinations.get(name) or self.destinations.get(platform)
