"""Values that are one thing or another, because an answer was lost."""

from __future__ import annotations

from typing import Any

import pytest

from connector.doubts import newest, possible, versions


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", ("a",)),
        (None, (None,)),
        ({"either": ["a", "b"]}, ("a", "b")),
        ({"either": [{"either": [None, "a"]}, "b"]}, (None, "a", "b")),
        ({"either": ["a", "b"], "more": 1}, ({"either": ["a", "b"], "more": 1},)),
        ({"either": "a"}, ({"either": "a"},)),
        (["a", "b"], (["a", "b"],)),
    ],
)
def test_what_a_value_may_be(value: Any, expected: tuple[Any, ...]) -> None:
    """All leaves, oldest first; an object of another form is a value."""
    assert expected == possible(value)


def test_versions_have_every_possible_value() -> None:
    """As many as the most doubtful field has; what was not there is not there."""
    fields = {
        "a": 1,
        "b": {"either": [None, 2]},
        "c": {"either": [3, {"either": [4, 5]}]},
    }
    assert [{"a": 1, "c": 3}, {"a": 1, "b": 2, "c": 4}, {"a": 1, "b": 2, "c": 5}] == list(
        versions(fields)
    )
    assert {"a": 1, "b": 2, "c": 5} == newest(fields)
    assert [{"a": 1}] == list(versions({"a": 1}))
    assert [{}] == list(versions({}))
