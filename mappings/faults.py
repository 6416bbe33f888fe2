"""Collects everything that is wrong with a mapping, each with its place and the nearest right word.

A fault is told as ``file:line path: what is wrong. Did you mean …?``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connector.errors import ConfigurationFault, Fault, Path, nearest

_MOST = 100


@dataclass(slots=True, kw_only=True)
class Faults:
    """The faults of one mapping. ``lines`` gives the line of every place in it."""

    source: str
    lines: Mapping[Path, int] = field(default_factory=dict)
    found: list[Fault] = field(default_factory=list)

    def add(
        self, path: Path, what: str, *, word: str | None = None, choices: Iterable[str] = ()
    ) -> None:
        """Note a fault at a place; ``word`` is what was written, ``choices`` what would be right.

        Without a near choice, all of them are listed when they are few.
        """
        if word is not None and len(self.found) < _MOST:
            what += _advice(word, sorted(choices))
        self.found.append(Fault(line=self.line_of(path), path=path, what=what))

    def line_of(self, path: Path) -> int:
        """The line of a place, or of the nearest place around it that was written."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def told(self) -> ConfigurationFault:
        """Every fault as one error, in the order of their lines; beyond 100 they are counted."""
        ordered = sorted(self.found, key=lambda fault: fault.line)
        told = [fault.told(self.source) for fault in ordered[:_MOST]]
        if len(ordered) > _MOST:
            told.append(f"{self.source}: and {len(ordered) - _MOST} more faults")
        return ConfigurationFault(told)


def _advice(word: str, choices: list[str]) -> str:
    if near := nearest(word, choices):
        return f'. Did you mean "{near}"?'
    few = 12
    if 0 < len(choices) <= few:
        return f". Possible: {', '.join(choices)}"
    return ""
