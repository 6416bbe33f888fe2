"""Which two letters name a country."""

from __future__ import annotations

import pytest

from connector.countries import parse_country


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NO", "NO"),
        (" no ", "NO"),
        ("UK", "GB"),
        ("el", "GR"),
        ("XK", "XK"),
        ("ZZ", None),
        ("AN", None),
        ("Norway", None),
        ("", None),
        (False, None),
        (None, None),
    ],
)
def test_a_country_is_two_letters_of_the_list(text: object, expected: str | None) -> None:
    """Case and blanks do not matter; a name, no country, and YAML's NO are none."""
    assert expected == parse_country(text)
