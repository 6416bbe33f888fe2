"""What a destination may hold when an answer was lost: a value that is one thing or another.

A field of which nobody knows whether the new value was taken is kept as ``{"either": [old, new]}``,
and so on if that happens again. Whoever reads a record that was acknowledged reads it by these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connector.model import Json


def possible(value: Json) -> tuple[Json, ...]:
    """Everything that a value may be, the oldest first; one thing for a value that is sure."""
    match value:
        case {"either": [*parts]} if len(value) == 1:
            return tuple(leaf for part in parts for leaf in possible(part))
        case _:
            return (value,)


def versions(fields: Mapping[str, Json]) -> Iterator[dict[str, Json]]:
    """The fields as they may be held, oldest first: one version when all is sure.

    Every possible value is in one of them. What is ``None`` in a version is not there.
    """
    leaves = {name: possible(value) for name, value in fields.items()}
    for at in range(max(map(len, leaves.values()), default=1)):
        version = {name: each[min(at, len(each) - 1)] for name, each in leaves.items()}
        yield {name: value for name, value in version.items() if value is not None}


def newest(fields: Mapping[str, Json]) -> dict[str, Json]:
    """The fields as they were last sent."""
    *_, last = versions(fields)
    return last
