"""The strict YAML reader: nothing is built from a bomb, and everything knows its line."""

from __future__ import annotations

import time

import pytest

from mappings.yaml_events import Entries, Items, Reading, Scalar, lines, plain, read


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
    "flat keys": "".join(f"k{number}: v\n" for number in range(20_000)),
    "flat keys beyond the size": "".join(f"k{number}: v\n" for number in range(100_000)),
    "brackets": "[" * 2_000 + "]" * 2_000,
    "braces": "{a: " * 2_000 + "}" * 2_000,
    "dashes": "- " * 2_000,
    "question marks": "? " * 2_000,
    "aliases": "a: &a [x]\n" + "b: [" + "*a, " * 4_000 + "]\n",
    "one long key": "? " + "x" * 200_000 + "\n: y\n",
}


@pytest.mark.parametrize("name", sorted(BOMBS.keys() - {"one long key"}))
def test_bombs_are_refused_in_less_than_a_tenth_of_a_second(name: str) -> None:
    """Documents that keep other readers busy for a minute are refused at once."""
    began = time.process_time()
    reading = read(BOMBS[name])

    assert time.process_time() - began < 0.1
    assert reading.faults


def test_a_long_text_is_no_bomb() -> None:
    """What is merely long is read as quickly."""
    began = time.process_time()
    reading = read(BOMBS["one long key"])

    assert time.process_time() - began < 0.1
    assert reading.faults == ()


def test_the_tree_keeps_text_and_lines() -> None:
    """Scalars keep their spelling, and a place's line is that of its key."""
    reading = read("a: NO\nb:\n  - 1.10\n  - 'no'\nc:\n")

    assert reading == Reading(
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
    assert reading.tree is not None
    assert plain(reading.tree) == {"a": "NO", "b": ["1.10", "no"], "c": None}
    assert dict(lines(reading.tree)) == {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 1): 4,
        ("c",): 5,
    }


@pytest.mark.parametrize("nothing", ["", "~", "null", "Null", "NULL"])
def test_only_unquoted_words_for_nothing_are_nothing(nothing: str) -> None:
    """``~`` is nothing, and '~' is a text."""
    assert plain(read(f"a: {nothing}").tree or Scalar(line=1, text="?")) == {"a": None}
    assert plain(read(f"a: '{nothing}'").tree or Scalar(line=1, text="?")) == {"a": nothing}


def test_exactly_the_deepest_nesting_is_read() -> None:
    """Twenty levels are read, twenty-one are not."""
    assert read("[" * 20 + "x" + "]" * 20).faults == ()
    assert len(read("[" * 21 + "x" + "]" * 21).faults) == 1


def test_exactly_so_many_nodes_are_read() -> None:
    """5,000 nodes are read, one more is not. The list itself is a node."""
    assert read("[" + "x, " * 4_999 + "]").faults == ()
    assert [fault.what for fault in read("[" + "x, " * 5_000 + "]").faults] == [
        "more than 5000 keys and values are not read"
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("%TAG ! tag:x,2000:\n--- \na: b\n", "tag directives are not read"),
        ("? [a]\n: b\n", "a key must be a text"),
        ("? {a: b}\n: c\n", "a key must be a text"),
        ("a: \x00", "an invisible character U+0000 stands here; remove it"),
        ("a: b\u2028c: d", "an invisible character U+2028 stands here; remove it"),
        ("a: \ufeffb", "an invisible character U+FEFF stands here; remove it"),
        ('a: "\\0"', "an invisible character U+0000 stands here; remove it"),
    ],
)
def test_oddities_are_refused(text: str, what: str) -> None:
    """Keys that are no text, directives and characters that cannot be seen are faults."""
    assert [fault.what for fault in read(text).faults] == [what]


def test_a_quoted_merge_key_is_a_key() -> None:
    """``<<`` in quotes is a text like any other."""
    reading = read("'<<': x")

    assert reading.faults == ()
    assert reading.tree is not None
    assert plain(reading.tree) == {"<<": "x"}


def test_reading_goes_on_after_a_fault() -> None:
    """Anchors, tags, aliases and duplicates of one file are told together."""
    reading = read("a: &x 1\nb: !!int 2\nc: *x\na: 3\n")

    assert [fault.line for fault in reading.faults] == [1, 2, 3, 4]
    assert reading.tree is not None
    assert plain(reading.tree) == {"a": "1", "b": "2", "c": None}
    assert reading.incomplete == frozenset({("c",)})
