"""Reads a YAML file as plain text in a plain tree, and knows the line of everything in it.

YAML is read as an event stream and refused before anything is built from it: no anchors, aliases,
merge keys, tags or duplicate keys, one document, bounded in size, depth and number of nodes. Every
scalar stays the text it is written as, so that ``NO`` is Norway and ``1.10`` is not 1.1. What is
wrong is told as ``file:line path: sentence``; all that can be told at once is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

import yaml

from connector.errors import ConfigurationFault

_MOST_FAULTS = 50
_LONGEST_SHOWN = 120

Path: TypeAlias = tuple[str, ...]
"""Where in a tree: keys, and positions in lists as text (``("shops", "wool", "url")``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is read: bytes of the file, depth of nesting, number of nodes."""

    size: int = 256 * 1024
    depth: int = 20
    nodes: int = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A text as written. ``line`` counts from 1; ``quoted`` tells ``"no"`` from ``no``."""

    line: int
    text: str
    quoted: bool = False

    @property
    def is_null(self) -> bool:
        """Nothing was written, or one of YAML 1.2's words for nothing, unquoted."""
        return not self.quoted and self.text in {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A list of nodes."""

    line: int
    items: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """Pairs of key and node, in the order written, each key once."""

    line: int
    entries: tuple[tuple[Scalar, Node], ...] = ()

    def get(self, key: str) -> Node | None:
        """The node under a key."""
        return next((node for name, node in self.entries if name.text == key), None)


Node: TypeAlias = Scalar | Items | Entries

DEFAULT_LIMITS = Limits()


def read(raw: bytes | str, *, source: str, limits: Limits = DEFAULT_LIMITS) -> Node:
    """The tree in ``raw`` (UTF-8). ``source`` names the file in faults.

    Raises `ConfigurationFault`. An empty file is a `Scalar` for which ``is_null`` is true.
    """
    return _Reader(source, limits).read(raw)


def plain(node: Node) -> Any:
    """The tree as dictionaries, lists, text and ``None`` where nothing was written."""
    match node:
        case Scalar():
            return None if node.is_null else node.text
        case Items(items=items):
            return [plain(item) for item in items]
        case Entries(entries=entries):
            return {key.text: plain(item) for key, item in entries}


def lines(node: Node, path: Path = ()) -> Iterator[tuple[Path, int]]:
    """The line of everything in the tree; what has a key is where its key is."""
    if not path:
        yield path, node.line
    children: list[tuple[str, int, Node]] = []
    match node:
        case Scalar():
            pass
        case Items(items=items):
            children = [(str(number), item.line, item) for number, item in enumerate(items)]
        case Entries(entries=entries):
            children = [(key.text, key.line, item) for key, item in entries]
    for name, line, item in children:
        yield (*path, name), line
        yield from lines(item, (*path, name))


@dataclass(slots=True)
class _Reader:
    source: str
    limits: Limits
    faults: list[str] = field(default_factory=list)
    nodes: int = 0

    def read(self, raw: bytes | str) -> Node:
        size = len(raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass"))
        if size > self.limits.size:
            self._stop(1, (), f"is {size} bytes long; at most {self.limits.size} are read")
        text = self._decoded(raw)
        try:
            events = iter(yaml.parse(text, Loader=yaml.SafeLoader))
            tree = self._document(events)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = error.problem or error.context or "is not YAML"
            self._stop(mark.line + 1 if mark else 1, (), problem)
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            self._stop(line, (), "holds a control character that YAML does not allow")
        if self.faults:
            raise ConfigurationFault(self.faults)
        return tree

    def _decoded(self, raw: bytes | str) -> str:
        if isinstance(raw, str):
            return raw.removeprefix("\ufeff")
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self._stop(raw.count(b"\n", 0, error.start) + 1, (), "is not UTF-8 text")

    def _document(self, events: Iterator[yaml.Event]) -> Node:
        next(events)  # the stream begins
        begin = next(events)
        if isinstance(begin, yaml.StreamEndEvent):
            return Scalar(line=1, text="")
        if isinstance(begin, yaml.DocumentStartEvent) and begin.tags:
            self._fault(begin, (), "tag directives are not read")
        tree = self._node(next(events), events, ())
        next(events)  # the document ends
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._fault(after, (), "a second document begins; one is read from a file")
        return tree

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path) -> Node:
        line = _line_of(event)
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            self._stop(line, path, f"more than {self.limits.nodes} values are not read")
        leaf = isinstance(event, yaml.ScalarEvent | yaml.AliasEvent)
        if len(path) >= self.limits.depth and not leaf:
            self._stop(line, path, f"nested deeper than {self.limits.depth} levels")
        if isinstance(event, yaml.AliasEvent):
            self._fault(
                event, path, f"alias *{_shown(event.anchor)} is not read: write the value out"
            )
            return Scalar(line=line, text="")
        self._refuse_ornaments(event, path)
        match event:
            case yaml.SequenceStartEvent():
                return self._sequence(line, events, path)
            case yaml.MappingStartEvent():
                return self._mapping(line, events, path)
            case yaml.ScalarEvent():
                return Scalar(line=line, text=event.value, quoted=event.style is not None)
        raise AssertionError(event)

    def _sequence(self, line: int, events: Iterator[yaml.Event], path: Path) -> Items:
        items: list[Node] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._node(event, events, (*path, str(len(items)))))
        return Items(line=line, items=tuple(items))

    def _mapping(self, line: int, events: Iterator[yaml.Event], path: Path) -> Entries:
        entries: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, (*path, "?"))
            name = key.text if isinstance(key, Scalar) else "?"
            item = self._node(next(events), events, (*path, name))
            if not isinstance(key, Scalar):
                self._fault(event, path, "a key must be a text, not a list or a mapping")
            elif name == "<<" and not key.quoted:
                self._fault(event, path, "merge key << is not read: write the values out")
            elif first := entries.get(name):
                was = first[0].line
                self._fault(
                    event, (*path, name), f"is here for the second time: first in line {was}"
                )
            else:
                entries[name] = (key, item)
        return Entries(line=line, entries=tuple(entries.values()))

    def _refuse_ornaments(self, event: yaml.Event, path: Path) -> None:
        anchor = getattr(event, "anchor", None)
        tag = getattr(event, "tag", None)
        if anchor is not None:
            self._fault(
                event, path, f"anchor &{_shown(anchor)} is not read: write the value out twice"
            )
        if tag is not None:
            short = _shown(tag.replace("tag:yaml.org,2002:", "!!"))
            self._fault(event, path, f"tag {short} is not read: every value is text")

    def _fault(self, event: yaml.Event, path: Path, what: str) -> None:
        self._add(_line_of(event), path, what)
        if len(self.faults) == _MOST_FAULTS:
            raise ConfigurationFault(self.faults)

    def _add(self, line: int, path: Path, what: str) -> None:
        where = f" {_shown('.'.join(path))}" if path else ""
        self.faults.append(f"{self.source}:{line}{where}: {what}")

    def _stop(self, line: int, path: Path, what: str) -> NoReturn:
        self._add(line, path, what)
        raise ConfigurationFault(self.faults)


def _line_of(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _shown(text: str | None) -> str:
    text = text or ""
    cut = text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
    return "".join(letter if letter.isprintable() else "�" for letter in cut)
