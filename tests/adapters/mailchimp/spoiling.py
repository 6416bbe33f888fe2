"""Bodies of requests, spoilt in one place: a stand-in refuses what Mailchimp refuses."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from typing import Any


def _spots(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    match body:
        case dict():
            children = list(body.items())
        case list():
            children = list(enumerate(body))
        case _:
            children = []
    for key, value in children:
        yield from _spots(value, (*path, key))


def spoilt(body: Any, chance: random.Random, *, wrong: Sequence[Any], names: Sequence[str]) -> Any:
    """The body with one thing wrong somewhere: replaced, gone, or one too many of these names."""
    whole = {"top": copy.deepcopy(body)}
    path = ("top", *chance.choice(list(_spots(body))))
    parent: Any = whole
    for key in path[:-1]:
        parent = parent[key]
    match chance.choice(("replace", "remove", "add")):
        case "remove" if len(path) > 1:
            del parent[path[-1]]
        case "add" if isinstance(parent[path[-1]], dict):
            parent[path[-1]][chance.choice(names)] = "x"
        case _:
            parent[path[-1]] = chance.choice(wrong)
    return whole["top"]
