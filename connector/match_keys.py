"""How people are told to advertisers: made alike, then hashed, so that only who knows them knows.

The rules are Meta's, which others share: a platform that holds the same person under the same
address comes to the same digest. What is not known is the empty text, never the digest of it.
https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences#hash
https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/customer-information-parameters
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import TypeAlias

from connector.countries import parse_country
from connector.identity import normal_email, normal_phone

Rule: TypeAlias = Callable[[str, str | None], str]
"""Makes a text alike; the other is the person's country, ISO 3166-1 alpha-2, where it is known."""

DIGEST = re.compile("[0-9a-f]{64}")
"""What a digest looks like."""

_WHOLE_NUMBER = 11
"""Digits from which a number is taken to have its country's code, when nothing says so."""
_US_ZIP = 5
_AMERICAN_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)

# Names instead of codes, for what is typed by hand.
_COUNTRIES = {
    "united states": "us",
    "united states of america": "us",
    "usa": "us",
    "united kingdom": "gb",
    "great britain": "gb",
    "norway": "no",
    "norge": "no",
    "denmark": "dk",
    "danmark": "dk",
    "sweden": "se",
    "sverige": "se",
    "finland": "fi",
    "poland": "pl",
    "polska": "pl",
    "germany": "de",
    "deutschland": "de",
    "netherlands": "nl",
    "france": "fr",
}
_STATES_LIST = """
AL:alabama AK:alaska AZ:arizona AR:arkansas CA:california CO:colorado CT:connecticut DE:delaware
DC:districtofcolumbia FL:florida GA:georgia HI:hawaii ID:idaho IL:illinois IN:indiana IA:iowa
KS:kansas KY:kentucky LA:louisiana ME:maine MD:maryland MA:massachusetts MI:michigan MN:minnesota
MS:mississippi MO:missouri MT:montana NE:nebraska NV:nevada NH:newhampshire NJ:newjersey
NM:newmexico NY:newyork NC:northcarolina ND:northdakota OH:ohio OK:oklahoma OR:oregon
PA:pennsylvania RI:rhodeisland SC:southcarolina SD:southdakota TN:tennessee TX:texas UT:utah
VT:vermont VA:virginia WA:washington WV:westvirginia WI:wisconsin WY:wyoming
"""
_STATES = {
    state: code.lower() for code, _, state in (each.partition(":") for each in _STATES_LIST.split())
}


def email(text: str, _country: str | None = None) -> str:
    """Trimmed and in small letters; nothing for what is no address."""
    return normal_email(text) or ""


def phone(text: str, country: str | None = None) -> str:
    """Digits alone, with the country's code and no zeros before it.

    A number that is none by its country's plan is kept if it has such a code; without one it would
    be somebody else's in another country, and is nothing.
    """
    if known := normal_phone(text, country):
        return known.removeprefix("+")
    digits = "".join(letter for letter in text if letter in "0123456789")
    bare = digits.lstrip("0")
    told = text.strip().startswith(("+", "00"))
    return bare if told or (country is None and len(bare) >= _WHOLE_NUMBER) else ""


def name(text: str, _country: str | None = None) -> str:
    """Small letters of every alphabet, without punctuation, one blank between words."""
    kept = "".join(letter for letter in _lower(text) if unicodedata.category(letter)[0] in "LMNZ")
    return " ".join(kept.split())


def city(text: str, _country: str | None = None) -> str:
    """As a name, without blanks."""
    return name(text).replace(" ", "")


def state(text: str, country: str | None = None) -> str:
    """The two letters of a state of the USA; elsewhere as a city."""
    plain = city(text)
    return _STATES.get(plain, plain) if country in (None, "US") else plain


def postcode(text: str, country: str | None = None) -> str:
    """Small letters and digits; of the USA the first five."""
    kept = "".join(letter for letter in _lower(text) if letter.isalnum())
    return kept[:_US_ZIP] if country == "US" else kept


def country(text: str, _country: str | None = None) -> str:
    """The two small letters of ISO 3166-1; nothing for what is no country."""
    code = parse_country(text)
    return code.lower() if code else _COUNTRIES.get(text.strip().casefold(), "")


def birthday(text: str, _country: str | None = None) -> str:
    """``YYYYMMDD`` of a day as ISO 8601 or Americans write it."""
    american = _AMERICAN_DAY.fullmatch(text.strip())
    try:
        if american:
            month, day, year = map(int, american.groups())
            return f"{date(year, month, day):%Y%m%d}"
        return f"{date.fromisoformat(text.strip()):%Y%m%d}"
    except ValueError:
        return ""


def digest(rule: Rule, text: object, country: str | None = None) -> str:
    """The digest of what the rule makes of a text: 64 small hexadecimal digits, or nothing."""
    alike = rule(text, country) if isinstance(text, str) else ""
    return hashlib.sha256(alike.encode()).hexdigest() if alike else ""


def of_person(told: Mapping[str, object]) -> dict[str, str]:
    """The digests of what is known of a person, by these names; what is not known is left out.

    ``told`` has ``email``, ``phone``, ``first_name``, ``last_name``, ``city``, ``postcode``,
    ``country``: text, or nothing.
    """
    where = parse_country(told.get("country"))
    found = {field: digest(rule, told.get(field), where) for field, rule in RULES.items()}
    return {field: each for field, each in found.items() if each}


RULES: Mapping[str, Rule] = {
    "email": email,
    "phone": phone,
    "first_name": name,
    "last_name": name,
    "city": city,
    "postcode": postcode,
    "country": country,
}
"""What can be told of a person, each with its rule."""


def _lower(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()
