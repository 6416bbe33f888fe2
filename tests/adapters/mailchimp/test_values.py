"""Values fit the merge field they go to, and tags the names that Mailchimp keeps."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mailchimp.values import clean, cut, field_values, tag_names
from connector.model import Json


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("text", "Zoë", "Zoë"),
        ("text", " a\x00b\r\nc\ud800 ", "ab c"),
        ("text", None, ""),
        ("text", "\x00", ""),
        ("text", 7, "7"),
        ("text", True, "true"),
        ("text", ["a", 2], "a, 2"),
        ("text", "é" * 200, "é" * 127),
        ("phone", "+47 123", "+47 123"),
        ("dropdown", "M", "M"),
        ("number", 3, 3),
        ("number", "12.50", Decimal("12.50")),
        ("number", 12.5, Decimal("12.5")),
        ("number", "1e3", 1000),
        ("number", None, ""),
        ("date", "2026-01-02", "2026-01-02"),
        ("date", "2026-01-02T23:30:00Z", "2026-01-02"),
        ("date", None, ""),
        ("birthday", "1980-01-02", "01/02"),
    ],
)
def test_a_value_is_written_as_its_field_takes_it(kind: str, value: Json, expected: Json) -> None:
    """Text is cut at 255 bytes between letters, numbers stay exact, days stay days."""
    assert ({"X": expected}, ()) == field_values({"x": value}, {"X": kind})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", "12,50"),
        ("number", "nan"),
        ("number", "inf"),
        ("number", "1e999999"),
        ("number", "1" * 16),
        ("date", "yesterday"),
        ("date", 5),
        ("birthday", "02/01"),
        ("address", "Main Street 1"),
        ("text", {"a": 1}),
        ("text", [{"a": 1}]),
        ("something new", "x"),
    ],
)
def test_a_value_that_does_not_fit_is_left_out(kind: str, value: Json) -> None:
    """A bad field is a bad field: it is left out by name, and nothing is guessed."""
    assert ({}, ("X",)) == field_values({"x": value}, {"X": kind})


def test_a_field_that_the_audience_lacks_is_left_out() -> None:
    """Mailchimp would ignore it without a word."""
    assert ({}, ("Y",)) == field_values({"Y": "1"}, {"X": "text"})


@given(st.text(st.characters(codec=None), max_size=400))
def test_any_text_becomes_a_text_that_can_be_sent(text: str) -> None:
    """Whatever a shop sends, what is left is at most 255 bytes and is what it was."""
    sent = cut(clean(text))
    assert 255 >= len(sent.encode("utf-8"))
    assert sent == cut(clean(sent)) or sent != sent.strip()


@pytest.mark.parametrize("tag", ["a/b", "50 % off", "Ærlig talt", "a,b;c", '"quoted"', "*|X|*"])
def test_a_tag_keeps_its_name(tag: str) -> None:
    """Slashes, per cent signs and letters of any alphabet are names."""
    assert {tag.lower(): tag} == tag_names([tag])


def test_tags_that_mailchimp_takes_for_one_are_one() -> None:
    """Case and what comes after 100 characters make no other tag; an empty name is none."""
    long = "x" * 150
    assert {"vip": "VIP", "x" * 100: "x" * 100} == tag_names(
        ["vip", "VIP", long, long + "y", " \n"]
    )
