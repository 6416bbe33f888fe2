"""Collects everything that is wrong with a mapping, each with its place and the nearest right word.

A fault is told as ``file:line path: what is wrong. Did you mean …?``.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from connector.errors import ConfigurationFault

Path: TypeAlias = tuple[str | int, ...]
"""Where in a mapping: keys, and positions in lists counted from 0."""

_MOST = 100
_LONGEST_SHOWN = 80
_MOST_COMPARED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong. ``line`` counts from 1."""

    line: int
    path: Path
    what: str


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
        told = [_tell(self.source, fault) for fault in ordered[:_MOST]]
        if len(ordered) > _MOST:
            told.append(f"{self.source}: and {len(ordered) - _MOST} more faults")
        return ConfigurationFault(told)


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that the word was most probably meant to be."""
    by_folded = {choice.casefold(): choice for choice in itertools.islice(choices, _MOST_COMPARED)}
    near = difflib.get_close_matches(word.casefold()[:100], by_folded, n=1, cutoff=0.6)
    return by_folded[near[0]] if near else None


def shown(text: str) -> str:
    """A text of the mapping as it can stand in a message: short, on one line, printable."""
    return _printable(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")


def written(path: Path) -> str:
    """A place as people write it: ``consent.sources[0].purpose``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{shown(step)}"
    return text.removeprefix(".")


def _advice(word: str, choices: list[str]) -> str:
    if near := nearest(word, choices):
        return f'. Did you mean "{near}"?'
    few = 12
    if 0 < len(choices) <= few:
        return f". Possible: {', '.join(choices)}"
    return ""


def _tell(source: str, fault: Fault) -> str:
    place = f" {written(fault.path)}" if fault.path else ""
    return _printable(f"{source}:{fault.line}{place}: {fault.what}")


def _printable(text: str) -> str:
    """Without what could move a terminal's cursor or forge a line."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
