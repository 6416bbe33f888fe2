"""The strict YAML reader: text stays text, bombs build nothing, and everything knows its line."""

from __future__ import annotations

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from connector import plain_yaml
from connector.plain_yaml import Entries, Items, Reading, Scalar, lines, plain, read

PROCESSOR_SECONDS = {"CSafeLoader": 2, "SafeLoader": 5}
"""What a bomb may cost at most, with libyaml and without: each keeps other readers for a minute."""

LOADERS = [name for name in PROCESSOR_SECONDS if hasattr(yaml, name)]


def told(raw: bytes | str) -> list[str]:
    """What is wrong with a text, as it is told."""
    return [fault.told("f.yaml") for fault in read(raw).faults]


def good(raw: bytes | str) -> Entries | Items | Scalar:
    """The tree of a text with which nothing is wrong."""
    reading = read(raw)
    assert reading.faults == ()
    assert reading.incomplete == frozenset()
    assert reading.tree is not None
    return reading.tree


@pytest.fixture(params=LOADERS)
def seconds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """Reads with each of the readers that are here, and gives the time that a bomb may take."""
    monkeypatch.setattr(plain_yaml, "_LOADER", getattr(yaml, request.param))
    return PROCESSOR_SECONDS[request.param]


# --- What is kept -----------------------------------------------------------------------------


def test_scalars_stay_the_text_they_are_written_as() -> None:
    """Threat C2: norway stays Norway, a time a time, and a version keeps its nought."""
    raw = "[NO, on, yes, 12:30, 0123, 1.10, 1_000, .nan, 2026-01-31, true, 0x1F]"
    assert raw.strip("[]").split(", ") == plain(good(raw))


@pytest.mark.parametrize("nothing", ["", "~", "null", "Null", "NULL"])
def test_only_unquoted_words_for_nothing_are_nothing(nothing: str) -> None:
    """``~`` is nothing, and '~' is a text."""
    assert {"a": None, "b": nothing, "c": "nil"} == plain(
        good(f"a: {nothing}\nb: '{nothing}'\nc: nil")
    )


@pytest.mark.parametrize("raw", ["", "# only a remark\n", "\ufeff", b"\xef\xbb\xbf\n"])
def test_an_empty_file_is_nothing(raw: bytes | str) -> None:
    """No document is a null scalar."""
    node = good(raw)
    assert isinstance(node, Scalar)
    assert node.is_null


@pytest.mark.usefixtures("seconds")
def test_the_tree_keeps_text_and_lines() -> None:
    """Scalars keep their spelling, and know whether they were quoted."""
    expected = Reading(
        tree=Entries(
            line=1,
            entries=(
                (Scalar(line=1, text="a"), Scalar(line=1, text="NO")),
                (
                    Scalar(line=2, text="b"),
                    Items(
                        line=3,
                        items=(
                            Scalar(line=3, text="1.10"),
                            Scalar(line=4, text="no", quoted=True),
                        ),
                    ),
                ),
                (Scalar(line=5, text="c"), Scalar(line=5, text="")),
            ),
        )
    )
    reading = read("a: NO\nb:\n  - 1.10\n  - 'no'\nc:\n")
    assert expected == reading
    assert reading.tree is not None
    assert {"a": "NO", "b": ["1.10", "no"], "c": None} == plain(reading.tree)


def test_everything_has_its_line() -> None:
    """A value under a key has the key's line; list items their own."""
    expected = {
        (): 1,
        ("a",): 1,
        ("a", "b"): 2,
        ("a", "c"): 3,
        ("a", "c", 0): 3,
        ("a", "c", 1): 4,
    }
    assert expected == dict(lines(good("a:\n  b: 1\n  c: [x,\n   y]\n")))


def test_bom_and_windows_line_ends_are_fine() -> None:
    """Files from Windows editors are read."""
    assert {"a": "1", "b": "2"} == plain(good(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n"))


def test_a_quoted_merge_key_is_a_key() -> None:
    """``<<`` in quotes is a text like any other."""
    assert {"<<": "x"} == plain(good("'<<': x"))


# --- What is refused --------------------------------------------------------------------------


def test_every_ornament_is_refused_at_once() -> None:
    """Anchor, alias, tag, merge key, duplicate and a list as key, each with its line."""
    raw = "a: &x 1\nb: *x\nc: !!python/name:os.system y\nd:\n  <<: {e: 1}\na: 2\n? [f]\n: g\n"
    expected = [
        "f.yaml:1 a: the anchor &x is not read; write the value out where it is used",
        "f.yaml:2 b: the alias *x is not read; write the value out",
        "f.yaml:3 c: the tag !!python/name:os.system is not read; remove it",
        "f.yaml:5 d: the merge key << is not read; write the values out",
        "f.yaml:6 a: is here for the second time; the first is in line 1",
        "f.yaml:7: a key must be a text",
    ]
    assert expected == told(raw)


def test_reading_goes_on_after_a_fault() -> None:
    """What is sound is in the tree, and where something is missing is known."""
    reading = read("a: &x 1\nb: !!int 2\nc: *x\na: 3\n")
    assert [1, 2, 3, 4] == [fault.line for fault in reading.faults]
    assert reading.tree is not None
    assert {"a": "1", "b": "2", "c": None} == plain(reading.tree)
    assert frozenset({("c",)}) == reading.incomplete


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a:\n\t- b", ":2: a tab stands here; YAML wants spaces"),
        ("a: 1\n---\nb: 2", ":2: a second document begins; a file is one document"),
        (b"a: 1\nb: \xff", ":2: the file is not UTF-8 text; save it as UTF-8"),
        ("a: 1\nb: \x07", ":2: an invisible character U+0007 stands here; remove it"),
        ("a: \x00", ":1: an invisible character U+0000 stands here; remove it"),
        ("a: \ud800", ":1: an invisible character U+D800 stands here; remove it"),
        ("a: b\u2028c: d", ":1: an invisible character U+2028 stands here; remove it"),
        ("a: \ufeffb", ":1: an invisible character U+FEFF stands here; remove it"),
        ('a: "\\0"', ":1 a: an invisible character U+0000 stands here; remove it"),
        ("%TAG ! x\n--- a", ":1: tag directives are not read"),
        ("%TAG ! tag:x,2000:\n--- \na: b\n", ":1: tag directives are not read"),
        ("? {a: b}\n: c\n", ":1: a key must be a text"),
        ("a: [b,", ":1: this is not YAML: "),
        ("a: b: c", ":1: this is not YAML: mapping values are not allowed"),
        (b"#" * 262_145, ":1: the file is 262145 bytes long; at most 262144 are read"),
    ],
)
@pytest.mark.usefixtures("seconds")
def test_what_is_no_plain_yaml_is_refused_with_its_line(raw: bytes | str, expected: str) -> None:
    """One sentence each; of what is no YAML at all, the loader says why."""
    (fault,) = told(raw)
    assert fault.startswith(f"f.yaml{expected}")


@pytest.mark.parametrize("raw", ['"\\UFFFFFFFF"', '"\\U00110000"', f"%YAML 1.{'9' * 5_000}\n--- a"])
@pytest.mark.usefixtures("seconds")
def test_numbers_beyond_all_bounds_are_refused(raw: str) -> None:
    """No character has this number, and no version of YAML."""
    (fault,) = told(raw)
    assert fault.startswith("f.yaml:1: this is not YAML: ")


@pytest.mark.parametrize("inside", ["", "x"])
def test_exactly_the_deepest_nesting_is_read(inside: str) -> None:
    """Twenty levels are read, twenty-one are not."""
    assert read("[" * 20 + inside + "]" * 20).faults == ()
    (fault,) = told("[" * 21 + inside + "]" * 21)
    assert "f.yaml:1 [0][0][0]: nesting deeper than 20 levels is not read" == fault


@pytest.mark.parametrize(("begin", "item", "end"), [("[", "x, ", "]"), ("", "- x\n", "")])
def test_exactly_so_many_nodes_are_read(begin: str, item: str, end: str) -> None:
    """5,000 nodes are read, one more is not. The list itself is a node."""
    assert ["x"] * 4_999 == plain(good(begin + item * 4_999 + end))
    (fault,) = told(begin + item * 5_000 + end)
    assert fault.endswith(" [4999]: more than 5000 keys and values are not read")


# --- Bombs ------------------------------------------------------------------------------------


def merge_bomb() -> str:
    """785 bytes of merge keys, each table holding the one before it twice over."""
    text = "a0: &a0 {x: y}\n"
    number = 1
    while len(text) < 760:
        text += f"a{number}: &a{number} {{<<: [*a{number - 1}, *a{number - 1}]}}\n"
        number += 1
    return text.ljust(785, "#")


BOMBS = {
    "merge keys": merge_bomb(),
    "many merge keys": "a: &a [x]\n"
    + "".join(f"b{number}: &b{number} {{<<: [*a, *a]}}\n" for number in range(5_000)),
    "flat keys": "".join(f"k{number}: v\n" for number in range(20_000)),
    "flat keys in braces": "{" + ",".join(f"k{number}: v" for number in range(20_000)) + "}",
    "flat keys beyond the size": "".join(f"k{number}: v\n" for number in range(100_000)),
    "brackets": "[" * 2_000 + "]" * 2_000,
    "brackets that stay open": "[" * 100_000,
    "braces": "{a: " * 2_000 + "}" * 2_000,
    "braces that stay open": "{" * 100_000,
    "dashes": "- " * 2_000,
    "question marks": "? " * 100_000,
    "aliases": "a: &a [x]\n" + "b: [" + "*a, " * 4_000 + "]\n",
    "one long tag": "!" * 200_000,
}


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_bombs_are_refused_quickly_and_in_few_words(name: str, seconds: float) -> None:
    """Threat C1: documents that keep other readers busy for a minute are refused at once."""
    began = time.process_time()
    reading = read(BOMBS[name])
    spent = time.process_time() - began

    assert spent < seconds
    assert 1 <= len(reading.faults) <= 50
    assert max(len(fault.told("f.yaml")) for fault in reading.faults) < 300


def test_a_long_text_is_no_bomb(seconds: float) -> None:
    """What is merely long is read as quickly."""
    began = time.process_time()
    tree = good("? " + "x" * 200_000 + "\n: y\n")

    assert time.process_time() - began < seconds
    assert {"x" * 200_000: "y"} == plain(tree)


@pytest.mark.parametrize("loader", LOADERS)
@given(raw=st.text() | st.text(alphabet="[]{}:-?&*!|>'\"%@`,\\# \n\tab1<U", max_size=60))
def test_any_text_is_a_tree_or_a_fault(loader: str, raw: str) -> None:
    """No error comes out of it, and every fault is in one line with its place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_yaml, "_LOADER", getattr(yaml, loader))
        reading = read(raw)

    assert reading.tree is not None or reading.faults
    for fault in reading.faults:
        assert 1 <= fault.line <= raw.count("\n") + 1
        assert fault.told("f.yaml").isprintable()
