"""CSV: nothing that a customer typed becomes a formula, and everything can be read back."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.files import csv_safe

DANGEROUS = "=+-@\t\r\x00＝＋－＠"  # noqa: RUF001 full-width signs are what is tested


@pytest.mark.parametrize("sign", DANGEROUS)
@pytest.mark.parametrize("rest", ["1+1", "cmd|' /C calc'!A0", "", 'HYPERLINK("x")'])
def test_what_could_be_a_formula_begins_with_an_apostrophe(sign: str, rest: str) -> None:
    """Threat E1: every sign of the list, with anything behind it but a plain negative number."""
    assert "'" + (sign + rest).replace("\x00", "") == csv_safe.cell(sign + rest)


@pytest.mark.parametrize("text", [" =1", "\u200b=1", "\ufeff@x", "\xa0+1", "\x00=1", " \t-x"])
def test_signs_behind_what_is_not_seen_are_found(text: str) -> None:
    """Spaces and invisible letters before the sign do not hide it."""
    assert csv_safe.cell(text).startswith("'")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (0, "0"),
        (-5, "-5"),
        (-0.5, "-0.5"),
        (Decimal("-340.44"), "-340.44"),
        ("-340.44", "-340.44"),
        ("-1+1", "'-1+1"),
        ("1+1", "1+1"),
        ("+4791234567", "'+4791234567"),
        ("", ""),
        (" ", " "),
        ("Åse Łuczak", "Åse Łuczak"),
        ("a\x00b", "ab"),
        ("a=1", "a=1"),
        ("'=1", "'=1"),
    ],
)
def test_numbers_stay_numbers_and_texts_texts(value: object, expected: str) -> None:
    """Only the beginning matters; a negative amount is no formula, a phone number might be."""
    assert expected == csv_safe.cell(value)


def test_a_file_is_rfc_4180(tmp_path: Path) -> None:
    """Commas, quotes and line ends are quoted; lines end in CR LF; the mode is 0600."""
    path = tmp_path / "t.csv"
    csv_safe.write(path, ["person", "=x"], [["a,b", 'say "hi"'], ["two\r\nlines", None]])
    expected = b'person,\'=x\r\n"a,b","say ""hi"""\r\n"two\r\nlines",\r\n'
    assert expected == path.read_bytes()
    assert 0o600 == path.stat().st_mode & 0o777
    assert [path] == list(tmp_path.iterdir())


def test_an_old_file_survives_what_goes_wrong(tmp_path: Path) -> None:
    """Half a file never takes the place of a whole one, and nothing is left lying about."""
    path = tmp_path / "t.csv"
    csv_safe.write(path, ["a"], [["old"]])
    with pytest.raises(UnicodeEncodeError):
        csv_safe.write(path, ["a"], [["new"], ["\ud800"]])
    assert b"a\r\nold\r\n" == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    """A link in the file's place leads nobody's writing elsewhere."""
    other = tmp_path / "other"
    other.write_text("untouched")
    path = tmp_path / "t.csv"
    path.symlink_to(other)
    csv_safe.write(path, ["a"], [["b"]])
    assert "untouched" == other.read_text()
    assert not path.is_symlink()
    assert b"a\r\nb\r\n" == path.read_bytes()


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_any_text_comes_back_and_none_is_a_formula(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    """Read by a CSV reader, each text is itself, at most with an apostrophe and without NUL."""
    path = tmp_path_factory.getbasetemp() / "any.csv"
    csv_safe.write(path, ["person"] * len(texts), [texts])
    with path.open(encoding="utf-8", newline="") as file:
        _, back = csv.reader(file)
    for text, cell in zip(texts, back, strict=True):
        assert text.replace("\x00", "") == cell.removeprefix("'") or cell == text
        assert cell[:1] not in DANGEROUS.replace("-", "") or not cell
