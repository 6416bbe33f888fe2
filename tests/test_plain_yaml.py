"""The YAML reader: what it keeps as text, what it refuses, with which line, and how fast."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import ConfigurationFault
from connector.plain_yaml import Limits, Scalar, lines, plain, read


def faults(raw: bytes | str) -> tuple[str, ...]:
    """What is wrong with a text."""
    with pytest.raises(ConfigurationFault) as caught:
        read(raw, source="f.yaml")
    return caught.value.faults


def test_scalars_stay_the_text_they_are_written_as() -> None:
    """Norway stays Norway, a time a time, and a version keeps its nought."""
    raw = "[NO, on, yes, 12:30, 0123, 1.10, 1_000, .nan, 2026-01-31, true, 0x1F]"
    expected = raw.strip("[]").split(", ")
    assert expected == plain(read(raw, source="f.yaml"))


def test_nothing_is_nothing_only_unquoted() -> None:
    """An empty value and YAML 1.2's nulls are None; the quoted words are texts."""
    tree = plain(read("{a: , b: ~, c: null, d: 'null', e: '', f: nil}", source="f.yaml"))
    assert {"a": None, "b": None, "c": None, "d": "null", "e": "", "f": "nil"} == tree


@pytest.mark.parametrize("raw", ["", "# only a remark\n", "\ufeff", b"\xef\xbb\xbf\n"])
def test_an_empty_file_is_nothing(raw: bytes | str) -> None:
    """No document is a null scalar."""
    node = read(raw, source="f.yaml")
    assert isinstance(node, Scalar)
    assert node.is_null


def test_everything_has_its_line() -> None:
    """A value under a key has the key's line; list items their own."""
    node = read("a:\n  b: 1\n  c: [x,\n   y]\n", source="f.yaml")
    expected = {
        (): 1,
        ("a",): 1,
        ("a", "b"): 2,
        ("a", "c"): 3,
        ("a", "c", "0"): 3,
        ("a", "c", "1"): 4,
    }
    assert expected == dict(lines(node))


def test_bom_and_windows_line_ends_are_fine() -> None:
    """Files from Windows editors are read."""
    assert {"a": "1", "b": "2"} == plain(read(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", source="f.yaml"))


def test_every_ornament_is_refused_at_once() -> None:
    """Anchor, alias, tag, merge key, duplicate and a list as key, each with its line."""
    raw = "a: &x 1\nb: *x\nc: !!python/name:os.system y\nd:\n  <<: {e: 1}\na: 2\n? [f]\n: g\n"
    expected = (
        "f.yaml:1 a: anchor &x is not read: write the value out twice",
        "f.yaml:2 b: alias *x is not read: write the value out",
        "f.yaml:3 c: tag !!python/name:os.system is not read: every value is text",
        "f.yaml:5 d: merge key << is not read: write the values out",
        "f.yaml:6 a: is here for the second time: first in line 1",
        "f.yaml:7: a key must be a text, not a list or a mapping",
    )
    assert expected == faults(raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a:\n\t- b", "f.yaml:2: found character '\\t' that cannot start any token"),
        ("a: 1\n---\nb: 2", "f.yaml:2: a second document begins; one is read from a file"),
        (b"a: 1\nb: \xff", "f.yaml:2: is not UTF-8 text"),
        ("a: 1\nb: \x07", "f.yaml:2: holds a control character that YAML does not allow"),
        ("a: \ud800", "f.yaml:1: holds a control character that YAML does not allow"),
        ("%TAG ! x\n--- a", "f.yaml:1: tag directives are not read"),
        ("a: b: c", "f.yaml:1: mapping values are not allowed here"),
        (b"#" * 262_145, "f.yaml:1: is 262145 bytes long; at most 262144 are read"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_line(raw: bytes | str, expected: str) -> None:
    """One sentence each."""
    assert (expected,) == faults(raw)


def test_depth_and_number_have_a_limit() -> None:
    """20 levels and 5,000 values are read, one more is not."""
    assert plain(read("[" * 20 + "x" + "]" * 20, source="f.yaml"))
    assert "nested deeper than 20 levels" in faults("[" * 21 + "]" * 21)[0]
    assert 4999 == len(plain(read("\n".join(["- x"] * 4999), source="f.yaml")))
    assert "more than 5000 values are not read" in faults("\n".join(["- x"] * 5000))[0]
    small = Limits(nodes=2)
    with pytest.raises(ConfigurationFault, match="more than 2 values"):
        read("[a, b]", source="f.yaml", limits=small)


@pytest.mark.parametrize(
    "raw",
    [
        "a: &a [x]\n" + "".join(f"b{n}: &b{n} {{<<: [*a, *a]}}\n" for n in range(5_000)),
        "[" * 100_000,
        "{" * 100_000,
        "? " * 100_000,
        "{" + ",".join(f"k{n}: 1" for n in range(20_000)) + "}",
        "\n".join(f"k{n}: 1" for n in range(20_000)),
        "!" * 200_000,
    ],
    ids=["merges", "brackets", "braces", "keys", "flow", "block", "tag"],
)
def test_bombs_are_refused_quickly_and_in_few_words(raw: str) -> None:
    """Nothing is built, few sentences are said, none of them long."""
    begin = time.perf_counter()
    found = faults(raw)
    assert time.perf_counter() - begin < 2  # a tenth of it is usual; the machine may be busy
    assert len(found) <= 50
    assert max(map(len, found)) < 300


@given(st.text() | st.text(alphabet="[]{}:-?&*!|>'\"%@`,# \n\tab1<", max_size=60))
def test_any_text_is_a_tree_or_a_fault(raw: str) -> None:
    """No other error comes out of it."""
    found: tuple[str, ...] = ()
    try:
        plain(read(raw, source="f.yaml"))
    except ConfigurationFault as fault:
        found = fault.faults
    assert all(each.startswith("f.yaml:") for each in found)
