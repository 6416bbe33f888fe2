"""A call to be made, its answer, and work that is a few of them: sent alone or in a batch alike."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import quote

from adapters.mailchimp.refusals import Refused
from connector.model import Json, Outcome

GONE = (404, 405)
_ELSEWHERE = ("", ".", "..")  # dots move up, quoted or not: RFC 3986, 5.2.4 and 6.2.2.2
_TAKEN = "already exists"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call: a ``path`` below ``/3.0`` with its parts quoted, and perhaps a body."""

    method: str
    path: str
    body: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What became of an operation: what was said, or the refusal."""

    said: Mapping[str, Json] = field(default_factory=dict)
    refused: Refused | None = None

    @property
    def is_missing(self) -> bool:
        """Is there no such thing."""
        return self.refused is not None and self.refused.status in GONE

    @property
    def is_taken(self) -> bool:
        """Is the id in use already, so that the thing is there."""
        return self.refused is not None and _TAKEN in self.refused.complaint.words.lower()


Steps: TypeAlias = Generator[Sequence[Operation], Sequence[Reply], Outcome]
"""Work in steps: each asks for operations that may run in any order, and is sent their replies."""


def path(store: str, *parts: str) -> str:
    """The address of something in a store. Raises `ValueError` for a part that leads elsewhere.

    https://mailchimp.com/developer/marketing/api/ecommerce-stores/
    """
    for part in parts:
        named(part)
    return "/".join(("/ecommerce/stores", *(quote(part, safe="") for part in (store, *parts))))


def named(part: Json) -> str:
    """An id that can stand in an address. Raises `ValueError` for one that leads elsewhere."""
    if str(part) in _ELSEWHERE:
        raise ValueError("an id that cannot stand in an address")
    return str(part)


def post(where: str, body: Mapping[str, Json]) -> Operation:
    """Make something."""
    return Operation(method="POST", path=where, body=body)


def patch(where: str, body: Mapping[str, Json]) -> Operation:
    """Change something that is there."""
    return Operation(method="PATCH", path=where, body=body)


def put(where: str, body: Mapping[str, Json]) -> Operation:
    """Make or change something."""
    return Operation(method="PUT", path=where, body=body)


def delete(where: str) -> Operation:
    """Take something away."""
    return Operation(method="DELETE", path=where)


def get(where: str) -> Operation:
    """Look at something."""
    return Operation(method="GET", path=where)
