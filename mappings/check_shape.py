"""Checks that a mapping is written in the right shape, and sets aside what is not.

What is left after the faulty parts are set aside can be checked for its meaning, so that faults of
both kinds are told together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from connector.errors import Path, shown
from mappings.faults import Faults
from mappings.shape import Document, Listing

_QUOTED = re.compile(r"'([^']*)'")


def check_shape(tree: Mapping[str, Any], faults: Faults, incomplete: frozenset[Path]) -> Document:
    """The sound part of a mapping (a tree as `connector.plain_yaml.plain` gives it)."""
    sound = _numbered(tree)
    told = False
    while True:
        try:
            return Document.model_validate(sound)
        except ValidationError as error:
            for found in error.errors(include_url=False):
                path = _path(found)
                if not told and not (found["type"] == "missing" and path[:-1] in incomplete):
                    _tell(found, path, faults)
                _set_aside(sound, path[:-1] if found["type"] == "missing" else path)
            told = True


def _numbered(value: Any) -> Any:
    match value:
        case dict():
            return {key: _numbered(item) for key, item in value.items()}
        case list():
            return Listing((number, _numbered(item)) for number, item in enumerate(value))
        case _:
            return value


def _path(error: ErrorDetails) -> Path:
    return tuple(step for step in error["loc"] if step != "[key]")


def _tell(error: ErrorDetails, path: Path, faults: Faults) -> None:
    written = error["input"]
    match error["type"]:
        case "extra_forbidden":
            faults.add(path, "is not known here", word=str(path[-1]), choices=_keys(path[:-1]))
        case "missing":
            faults.add(path, "is missing")
        case "told":
            faults.add(path, error["msg"])
        case "literal_error" if isinstance(written, str):
            choices = _QUOTED.findall(error["ctx"]["expected"])
            faults.add(path, f'"{shown(written)}" is not possible', word=written, choices=choices)
        case "model_type" | "dict_type":
            faults.add(path, "wants keys with values, not one text")
        case _ if written is None:
            faults.add(path, "has no value")
        case _:
            faults.add(path, "wants one text, not a list or a table")


def _set_aside(tree: Any, path: Path) -> None:
    for step in path[:-1]:
        tree = tree.get(step) if isinstance(tree, dict) else None
    if isinstance(tree, dict):
        tree.pop(path[-1], None)


def _keys(path: Path) -> list[str]:
    """The keys that a table at this place may have."""
    inside: Any = Document
    for step in path:
        inside = next(_inside(inside, step), None)
    if not _is_model(inside):
        return []
    return [field.alias or name for name, field in inside.model_fields.items()]


def _inside(annotation: Any, step: str | int) -> Iterator[Any]:
    """What stands under a key or position of something with this type."""
    if _is_model(annotation):
        for name, field in annotation.model_fields.items():
            if step == (field.alias or name):
                yield from _models(field.annotation)
    elif get_origin(annotation) is dict:
        yield from _models(get_args(annotation)[1])


def _models(annotation: Any) -> Iterator[Any]:
    """The models and tables among the alternatives of a type."""
    if get_origin(annotation) is dict or _is_model(annotation):
        yield annotation
    else:
        for part in get_args(annotation):
            yield from _models(part)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
