"""Reads the consent section of a mapping: where permissions stand, and what they rest on."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connector.errors import Path, shown
from connector.model import Purpose
from mappings import fields
from mappings.faults import Faults
from mappings.grammar import ConsentRules, ConsentSource
from mappings.shape import ConsentShape, SourceShape
from mappings.surroundings import Surroundings, check_path, check_shop

META = "customer.meta_data."
"""How the path of an account's extra field begins."""
_COUNTRY = re.compile("[A-Z]{2}")
_GRANTED = frozenset({"1", "true", "yes", "on"})

# Mailchimp for WooCommerce writes more words than a box has.
# https://github.com/mailchimp/mc-woocommerce
_PLUGIN_KEY = "mailchimp_woocommerce_is_subscribed"
_PLUGIN_GRANTED = frozenset({"1", "subscribed"})
_PLUGIN_WITHDRAWN = {f"customer.meta_data.{_PLUGIN_KEY}": frozenset({"unsubscribed"})}

# Boxes that newsletter plugins show: whoever ticks one asked for e-mail, and for nothing else.
EMAIL_KEYS: frozenset[str] = frozenset(
    {
        _PLUGIN_KEY,
        "_mc4wp_optin",
        "_woo_ml_subscribe",
        "activecampaign_for_woocommerce_accepts_marketing",
        "mailpoet_woocommerce_checkout_optin",
    }
)

BLOCKED: Mapping[str, str] = {
    "PL": "Poland asks for consent beforehand (Prawo komunikacji elektronicznej, art. 398)",
}
"""Countries where a purchase never allows mail, each with its reason."""

_SECTION: Path = ("consent",)


def read_rules(
    consent: ConsentShape,
    counting: Mapping[str, frozenset[str]],
    around: Surroundings,
    faults: Faults,
) -> ConsentRules:
    """The consent section, checked."""
    for name, text in consent.wordings.items():
        if not text.strip():
            faults.add((*_SECTION, "wordings", name), "a wording cannot be empty")
    sources = {
        number: _source(source, (*_SECTION, "sources", number), around, faults)
        for number, source in consent.sources.items()
    }
    _keep_ads_apart(sources, faults)
    soft = _soft(consent, around, faults)
    return ConsentRules(
        wordings=dict(consent.wordings),
        sources=tuple(sources.values()),
        double_opt_in=consent.double_opt_in == "true",
        soft_opt_in=frozenset(soft),
        accept_undated=consent.accept_undated == "true",
        soft_wordings=soft,
        counting=counting,
    )


def _source(
    source: SourceShape, place: Path, around: Surroundings, faults: Faults
) -> ConsentSource:
    check_shop(source.shop, (*place, "shop"), around, faults)
    check_path(source.path, source.shop, (*place, "from"), around, faults)
    purpose = Purpose(source.purpose)
    if source.path == fields.PLATFORM_CONSENT:
        _check_platform_source(source, purpose, place, faults)
        return ConsentSource(
            shop=source.shop, purpose=purpose, path=source.path, wording=source.wording
        )
    known = fields.key_of(source.path) == _PLUGIN_KEY
    granted = _values(source.granted, _PLUGIN_GRANTED if known else _GRANTED)
    withdrawn = _values(source.withdrawn, _PLUGIN_WITHDRAWN.get(source.path, frozenset()))
    _check_values(granted, withdrawn, place, faults)
    if granted and source.wording is None:
        what = (
            "an opt-in needs the wording that the person read; put the text under "
            "consent.wordings and its id here"
        )
        faults.add((*place, "wording"), what)
    _check_wording(source.wording, (*place, "wording"), around, faults)
    return ConsentSource(
        shop=source.shop,
        purpose=purpose,
        path=source.path,
        granted=granted,
        withdrawn=withdrawn,
        wording=source.wording,
        written_back=_written_back(source, withdrawn, place, faults),
    )


def _written_back(
    source: SourceShape, withdrawn: frozenset[str], place: Path, faults: Faults
) -> str | None:
    """The word for a withdrawal that came from elsewhere: the first that the source is told of."""
    if source.write_back != "true":
        return None
    if not source.path.startswith(META):
        what = f"only a field of an account can be written back, one that begins with {META}"
        faults.add((*place, "write_back"), what)
    if not withdrawn:
        what = "name under `withdrawn` the word that says so in this field"
        faults.add((*place, "write_back"), what)
    told = source.withdrawn.values() if source.withdrawn else withdrawn
    return next(iter(told), None)


def _check_platform_source(
    source: SourceShape, purpose: Purpose, place: Path, faults: Faults
) -> None:
    for key, values in (("granted", source.granted), ("withdrawn", source.withdrawn)):
        if values is not None:
            faults.add((*place, key), "the platform's own consent has its own words; remove this")
    if purpose is Purpose.ADS:
        what = "the platform keeps no consent for ads; name the field of an own box for it"
        faults.add((*place, "from"), what)


def _values(written: Mapping[int, str] | None, default: frozenset[str]) -> frozenset[str]:
    if written is None:
        return default
    return frozenset(value.strip().casefold() for value in written.values())


def _check_values(
    granted: frozenset[str], withdrawn: frozenset[str], place: Path, faults: Faults
) -> None:
    if not granted and not withdrawn:
        faults.add((*place, "granted"), "without any value this source says nothing")
    if "" in granted:
        faults.add((*place, "granted"), "an empty value cannot mean yes")
    if "" in withdrawn:
        faults.add((*place, "withdrawn"), "an empty value cannot mean that somebody took back")
    for value in sorted((granted & withdrawn) - {""}):
        faults.add((*place, "withdrawn"), f'"{shown(value)}" cannot mean both yes and no')


def _check_wording(wording: str | None, place: Path, around: Surroundings, faults: Faults) -> None:
    if wording is not None and wording not in around.wordings:
        what = f'no wording has the id "{shown(wording)}"'
        faults.add(place, what, word=wording, choices=around.wordings)


def _keep_ads_apart(sources: Mapping[int, ConsentSource], faults: Faults) -> None:
    mail = [source for source in sources.values() if source.purpose is Purpose.EMAIL]
    for number, source in sources.items():
        if source.purpose is not Purpose.ADS or source.path == fields.PLATFORM_CONSENT:
            continue
        key = fields.key_of(source.path)
        if key in EMAIL_KEYS or any(_is_same_box(source, other) for other in mail):
            what = (
                f'"{shown(key)}" is a consent to e-mail; a consent to ads is asked for in a box '
                "of its own"
            )
            faults.add((*_SECTION, "sources", number, "from"), what)


def _is_same_box(one: ConsentSource, other: ConsentSource) -> bool:
    same_shop = None in {one.shop, other.shop} or one.shop == other.shop
    return same_shop and fields.key_of(one.path) == fields.key_of(other.path)


def _soft(consent: ConsentShape, around: Surroundings, faults: Faults) -> dict[str, str]:
    allowed: dict[str, str] = {}
    for number, soft in consent.soft_opt_in.items():
        place = (*_SECTION, "soft_opt_in", number)
        country = soft.country
        if reason := BLOCKED.get(country.upper()):
            faults.add(place, f"{reason}; remove {country}")
        elif not _COUNTRY.fullmatch(country) or country == "UK":
            what = f'"{shown(country)}" is no country code of two capitals (ISO 3166-1)'
            meant = _meant(country)
            faults.add(place, what, word=meant, choices=() if meant is None else (meant,))
        elif country in allowed:
            faults.add(place, f"{country} is here for the second time")
        elif soft.wording is None:
            what = (
                f"{country} needs the attested wording of the opt-out that the sale offers; "
                f"write {{country: {country}, wording: ID}}"
            )
            faults.add(place, what)
        else:
            _check_wording(soft.wording, (*place, "wording"), around, faults)
            allowed[country] = soft.wording
    return allowed


def _meant(country: str) -> str | None:
    upper = country.strip().upper()
    if upper == "UK":
        return "GB"
    return upper if _COUNTRY.fullmatch(upper) else None
