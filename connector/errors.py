"""Every error the connector raises, named by what happens next, and how faults in a file are told.

ConnectorError
├── ConfigurationFault      exit 2: settings or mapping; says each fault and where
├── StoreUnavailable        exit 3: the store cannot be used; says why and how to mend it
├── AddressInUse            exit 4: another program listens there
├── TryLater                the other side cannot now: keep the work, come back
└── LaneDown                the other side will not, for everybody: stop, tell a person

A fault in a file is told as ``file:line path: what is wrong``, with the nearest right word.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Where in a file: keys, and positions in lists counted from 0."""

_LONGEST_SHOWN = 80
_LONGEST_COMPARED = 100
_MOST_COMPARED = 1_000  # there are 600 time zones


class ConnectorError(Exception):
    """Something a person can act on: what happened, to which thing, and who mends it."""

    exit_code = 1


class ConfigurationFault(ConnectorError):
    """Settings or mapping are at fault. ``faults`` holds one sentence each, none of them secret."""

    exit_code = 2

    def __init__(self, faults: Sequence[str] | str) -> None:
        self.faults = (faults,) if isinstance(faults, str) else tuple(faults)
        super().__init__("\n".join(self.faults))


class StoreUnavailable(ConnectorError):
    """The store cannot be opened, read or written."""

    exit_code = 3


class AddressInUse(ConnectorError):
    """The address to listen on is taken."""

    exit_code = 4


class TryLater(ConnectorError):
    """A platform cannot answer now; nothing is lost. ``retry_after`` is in seconds, if it said."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        self.reason = reason
        self.retry_after = retry_after
        super().__init__(reason)


class LaneDown(ConnectorError):
    """A platform refuses everything (credentials, audience gone): a person has to mend it first."""

    def __init__(self, reason: str, *, mend: str) -> None:
        self.reason = reason
        self.mend = mend
        super().__init__(f"{reason}. {mend}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong in a file. ``line`` counts from 1."""

    line: int
    path: Path
    what: str

    def told(self, source: str) -> str:
        """The fault as a sentence; ``source`` names the file."""
        place = f" {written(self.path)}" if self.path else ""
        return _printable(f"{source}:{self.line}{place}: {self.what}")


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that the word was most probably meant to be, without regard to case."""
    by_folded = {choice.casefold(): choice for choice in itertools.islice(choices, _MOST_COMPARED)}
    near = difflib.get_close_matches(
        word[:_LONGEST_COMPARED].casefold(), by_folded, n=1, cutoff=0.6
    )
    return by_folded[near[0]] if near else None


def meant(word: str, choices: Iterable[str]) -> str:
    """`` Did you mean …?`` with the nearest choice, or nothing: the end of a sentence."""
    near = nearest(word, choices)
    return f" Did you mean {near}?" if near else ""


def shown(text: str) -> str:
    """A text of a file as it can stand in a sentence: short, on one line, printable."""
    return _printable(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")


def written(path: Path) -> str:
    """A place as people write it: ``consent.sources[0].purpose``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{shown(step)}"
    return text.removeprefix(".")


def _printable(text: str) -> str:
    """Without what could move a terminal's cursor or forge a line."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
