"""How people are told to advertisers: the platform's own vectors, and what must never be hashed."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from connector import match_keys
from connector.match_keys import Rule, digest, of_person

RULE: dict[str, Rule] = {
    "em": match_keys.email,
    "ph": match_keys.phone,
    "fn": match_keys.name,
    "ln": match_keys.name,
    "ct": match_keys.city,
    "st": match_keys.state,
    "zp": match_keys.postcode,
    "country": match_keys.country,
    "db": match_keys.birthday,
}


def split(told: str) -> tuple[str, str | None]:
    """``(650)555-1212 [US]`` as the text and its country."""
    found = re.fullmatch(r"(.*) \[(\w\w)\]", told)
    return (found[1], found[2]) if found else (told, None)


@pytest.mark.corpus
def test_the_platforms_vectors(corpus: Path) -> None:
    """Every vector's normal form and digest, and those of which only the form is told."""
    vectors = json.loads((corpus / "specs/meta/schemas/hash_vectors.json").read_text())
    assert (9, 8) == (len(vectors["vectors"]), len(vectors["normalisation_only"]))
    for each in (*vectors["vectors"], *vectors["normalisation_only"]):
        text, country = split(each["input"])
        rule = RULE[each["key"]]
        assert each["normalized"] == rule(text, country), each
        if "sha256" in each:
            assert each["sha256"] == digest(rule, text, country)


@pytest.mark.parametrize(
    ("rule", "text", "country", "expected"),
    [
        (match_keys.email, "  Kari@Shop.Example ", None, "kari@shop.example"),
        (match_keys.email, "nobody", None, ""),
        (match_keys.phone, "0047 912 34 567", None, "4791234567"),
        (match_keys.phone, "912 34 567", "NO", "4791234567"),
        (match_keys.phone, "912 34 567", None, ""),
        (match_keys.phone, "12", "NO", ""),
        (match_keys.phone, "call me", None, ""),
        (match_keys.name, "  Åse-Marie  O'Brien ", None, "åsemarie obrien"),
        (match_keys.name, "Łukasz\u202e", None, "łukasz"),
        (match_keys.name, "!!!", None, ""),
        (match_keys.name, "A\u030ase", None, "åse"),
        (match_keys.city, "Mo i Rana", None, "moirana"),
        (match_keys.state, "New York", "US", "ny"),
        (match_keys.state, "Oslo", "NO", "oslo"),
        (match_keys.postcode, "00-950", "PL", "00950"),
        (match_keys.country, "NO", None, "no"),
        (match_keys.country, "UK", None, "gb"),
        (match_keys.country, "false", None, ""),
        (match_keys.birthday, "1997-02-16", None, "19970216"),
        (match_keys.birthday, "31/31/1997", None, ""),
    ],
)
def test_what_is_made_of_a_text(rule: Rule, text: str, country: str | None, expected: str) -> None:
    """Letters of every alphabet stay; what cannot be right is nothing."""
    assert expected == rule(text, country)


def test_nothing_is_never_hashed() -> None:
    """The digest of the empty text would be one and the same person, everywhere."""
    empty = hashlib.sha256(b"").hexdigest()
    told = {"email": "kari@shop.example", "phone": None, "first_name": "", "last_name": "?"}
    found = of_person(told)
    assert ["email"] == list(found)
    assert empty not in found.values()
    assert "" == digest(match_keys.name, None) == digest(match_keys.name, " ")


def test_a_person_whole() -> None:
    """Everything that is known, each by its rule, the phone by the country."""
    found = of_person(
        {
            "email": "Kari@shop.example",
            "phone": "912 34 567",
            "first_name": "Kari",
            "last_name": "Nordmann",
            "country": "NO",
            "city": "Oslo",
            "postcode": "0150",
        }
    )
    alike = {
        "email": "kari@shop.example",
        "phone": "4791234567",
        "first_name": "kari",
        "last_name": "nordmann",
        "city": "oslo",
        "postcode": "0150",
        "country": "no",
    }
    assert {key: hashlib.sha256(text.encode()).hexdigest() for key, text in alike.items()} == found
