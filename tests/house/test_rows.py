"""The list of bad inputs has 130 rows, and each is a test that bears its number.

A test bears the numbers in its name (``test_row_33_missing_id``, ``test_rows_13_and_14_…``,
``test_112_113_…``, ``test_d90_…``) and those after "Row" or "Rows" in its docstring. A range claims
nothing: each row is named by itself, so that nobody covers twenty rows with a dash.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("sources")

TESTS = Path(__file__).parents[1]
ROWS = range(1, 131)

LATER: Mapping[int, str] = {}
"""The rows whose behaviour does not exist yet, each with what it waits for."""

PARTLY: Mapping[int, str] = {}
"""The rows of which a part has no test because it does not exist yet, each with that part."""

_LIST = r"\d{1,3}(?:(?:, and | and | to |, |_and_|_to_|_|-|\u2013)\d{1,3}(?!\d))*"
_SAID = re.compile(rf"(?<![a-z])rows?[ _]({_LIST})(?!\d)", re.IGNORECASE)
_NAMED = re.compile(r"test_d?(\d{1,3}(?:_\d{1,3})*)_")
_RANGE = re.compile(r"\d+(?: to |_to_|-|\u2013)\d+")
_BAD_MAPPING = re.compile(r"(\d{2})-")


def numbers(name: str, words: str) -> set[int]:
    """The rows that a test of this name and docstring bears."""
    lists = [found[1] for text in (name, words) for found in _SAID.finditer(text)]
    lists += [found[1] for found in [_NAMED.match(name)] if found]
    return {int(each) for told in lists for each in re.findall(r"\d+", _RANGE.sub("", told))}


def found_in(file: Path) -> Iterator[tuple[str, str]]:
    """Name and docstring of every test of a file, those in classes too."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, ast.get_docstring(node) or ""


@pytest.fixture(scope="module")
def borne() -> dict[int, set[str]]:
    """The tests by the row whose number they bear."""
    found: dict[int, set[str]] = {}
    for file in TESTS.rglob("test_*.py"):
        if file == Path(__file__):
            continue
        for name, words in found_in(file):
            for number in numbers(name, words):
                found.setdefault(number, set()).add(f"{file.relative_to(TESTS)}::{name}")
    # Each of these files is a case of test_bad_mappings_are_told_word_for_word.
    for mapping in TESTS.glob("mappings/bad/*.yaml"):
        if begins := _BAD_MAPPING.match(mapping.name):
            found.setdefault(int(begins[1]), set()).add(str(mapping.relative_to(TESTS)))
    return found


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("test_row_33_missing_id", "", {33}),
        ("test_rows_13_and_14_the_limit", "", {13, 14}),
        ("test_112_113_refused_for_good", "", {112, 113}),
        ("test_d90_a_missing_secret", "90: the variable.", {90}),
        ("test_depth", "Rows 26 and 30: what is slow.", {26, 30}),
        ("test_x", "Rows 105, 107, and 124 and Row 126: again.", {105, 107, 124, 126}),
        ("test_x", "Rows 105, 121 to 124 and 126: again.", {105, 126}),
        ("test_rows_68_to_89_are_here", "Rows 1-130, rows 1\u2013130, rows 1 to 130.", set()),
        ("test_row_73_257_kib", "", {73, 257}),
        ("test_c5_no_secret", "5 arguments, in the narrows 7.", set()),
        ("test_a_year_of_2026", "In row.", set()),
    ],
)
def test_numbers_are_read(name: str, words: str, expected: set[int]) -> None:
    """Names and docstrings claim what they name, and nothing by a range or by chance."""
    assert expected == numbers(name, words)


def test_every_row_has_a_test(borne: Mapping[int, set[str]]) -> None:
    """Of 130 rows none is without a test, but those named above with what they wait for."""
    assert [] == [row for row in ROWS if row not in borne and row not in LATER]


def test_what_waits_has_no_test_yet(borne: Mapping[int, set[str]]) -> None:
    """A row that has got its test is taken from the list of those that wait."""
    assert {} == {row: borne[row] for row in LATER if row in borne}
    assert set() == LATER.keys() - set(ROWS)
    assert all(reason for reason in LATER.values())


def test_what_is_there_in_part_has_its_test(borne: Mapping[int, set[str]]) -> None:
    """The part that is there is tested, and what is missing is said."""
    assert [] == [row for row in PARTLY if row not in borne]
    assert set() == PARTLY.keys() & LATER.keys()
    assert all(missing for missing in PARTLY.values())
