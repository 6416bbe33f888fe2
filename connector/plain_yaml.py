"""Reads a YAML file as plain text in a plain tree, and knows the line of everything in it.

Nothing is built from the events of the YAML reader but a bounded tree of text: anchors, aliases,
merge keys, tags, tabs and duplicate keys are faults, and so is a second document. Every scalar
stays the text it is written as, so that ``NO`` is Norway and ``1.10`` is not 1.1. Reading goes on
after a fault wherever it can, so that all of them are told at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from connector.errors import Fault, Path, shown

LARGEST = 256 * 1024
"""Bytes of a file."""
DEEPEST = 20
"""Levels of nesting."""
MOST_NODES = 5_000
"""Keys, values and list items."""

# libyaml reads 2,000 nested brackets in 1 ms, the reader written in Python in 140 ms; its
# wheels bring it, a build from source may not. https://pyyaml.org/wiki/PyYAMLDocumentation
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MOST_FAULTS = 50
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
# What YAML 1.2 does not call printable, and the line ends that no editor counts.
_UNPRINTABLE = re.compile(
    "[^\n\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A text as written. ``line`` counts from 1; ``quoted`` tells ``"no"`` from ``no``."""

    line: int
    text: str
    quoted: bool = False

    @property
    def is_null(self) -> bool:
        """Nothing was written, or one of YAML 1.2's words for nothing, unquoted."""
        return not self.quoted and self.text in _NOTHING


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


Node: TypeAlias = Scalar | Items | Entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read: the tree, unless the text ends all reading, and what is wrong with it.

    ``incomplete`` are the places whose content was refused, so that what is missing there is no
    fault of its own.
    """

    tree: Node | None
    faults: tuple[Fault, ...] = ()
    incomplete: frozenset[Path] = frozenset()


def read(raw: bytes | str) -> Reading:
    """Read a file's text (UTF-8; a byte order mark and CRLF are no fault). Never raises."""
    size = len(raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass"))
    if size > LARGEST:
        return _refused(1, f"the file is {size} bytes long; at most {LARGEST} are read")
    try:
        text = raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return _refused(
            raw[: error.start].count(b"\n") + 1 if isinstance(raw, bytes) else 1,
            "the file is not UTF-8 text; save it as UTF-8",
        )
    text = text.replace("\r\n", "\n")
    if bad := _UNPRINTABLE.search(text):
        return _refused(text.count("\n", 0, bad.start()) + 1, _hidden(bad.group()))
    tabs = tuple(
        Fault(line=number, path=(), what="a tab stands here; YAML wants spaces")
        for number, line in enumerate(text.split("\n"), start=1)
        if "\t" in line
    )
    if tabs:
        return Reading(tree=None, faults=tabs)
    return _Reader().read(text)


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
    children: list[tuple[str | int, int, Node]] = []
    match node:
        case Scalar():
            pass
        case Items(items=items):
            children = [(number, item.line, item) for number, item in enumerate(items)]
        case Entries(entries=entries):
            children = [(key.text, key.line, item) for key, item in entries]
    for name, line, item in children:
        yield (*path, name), line
        yield from lines(item, (*path, name))


class _Stopped(Exception):
    """Too deep, too much or too wrong: reading ends here."""


@dataclass(slots=True)
class _Reader:
    faults: list[Fault] = field(default_factory=list)
    incomplete: set[Path] = field(default_factory=set)
    nodes: int = 0

    def read(self, text: str) -> Reading:
        tree: Node | None = None
        try:
            tree = self._document(yaml.parse(text, Loader=_LOADER))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = error.problem or error.context or "it cannot be read"
            # libyaml calls the end of a text without a last line end the line after it.
            line = min(mark.line, text.count("\n")) + 1 if mark else 1
            self.faults.append(Fault(line=line, path=(), what=f"this is not YAML: {problem}"))
        except (ValueError, OverflowError):
            # Only the reader written in Python: "\UFFFFFFFF", or a version of 5,000 digits.
            self.faults.append(
                Fault(line=1, path=(), what="this is not YAML: a number is too large")
            )
        except _Stopped:
            pass
        return Reading(tree=tree, faults=tuple(self.faults), incomplete=frozenset(self.incomplete))

    def _document(self, events: Iterator[yaml.Event]) -> Node:
        next(events)  # the stream begins
        begin = next(events)
        if isinstance(begin, yaml.StreamEndEvent):
            return Scalar(line=1, text="")
        if isinstance(begin, yaml.DocumentStartEvent) and begin.tags:
            self._fault(_line_of(begin), (), "tag directives are not read")
        tree = self._node(next(events), events, ())
        next(events)  # the document ends
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._fault(_line_of(after), (), "a second document begins; a file is one document")
        return tree

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path) -> Node:
        line = _line_of(event)
        self.nodes += 1
        if self.nodes > MOST_NODES:
            self._fault(line, path, f"more than {MOST_NODES} keys and values are not read")
            raise _Stopped
        leaf = isinstance(event, yaml.ScalarEvent | yaml.AliasEvent)
        if len(path) >= DEEPEST and not leaf:
            self._fault(line, path[:3], f"nesting deeper than {DEEPEST} levels is not read")
            raise _Stopped
        if isinstance(event, yaml.AliasEvent):
            self.incomplete.add(path)
            what = f"the alias *{shown(event.anchor or '')} is not read; write the value out"
            self._fault(line, path, what)
            return Scalar(line=line, text="")
        self._refuse_ornaments(event, path)
        match event:
            case yaml.SequenceStartEvent():
                return self._list(line, events, path)
            case yaml.MappingStartEvent():
                return self._table(line, events, path)
            case yaml.ScalarEvent():
                if hidden := _UNPRINTABLE.search(event.value):
                    self._fault(line, path, _hidden(hidden.group()))
                return Scalar(line=line, text=event.value, quoted=bool(event.style))
        raise AssertionError(event)

    def _list(self, line: int, events: Iterator[yaml.Event], path: Path) -> Items:
        items: list[Node] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._node(event, events, (*path, len(items))))
        return Items(line=line, items=tuple(items))

    def _table(self, line: int, events: Iterator[yaml.Event], path: Path) -> Entries:
        entries: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, (*path, "?"))
            name = key.text if isinstance(key, Scalar) else "?"
            here = (*path, name)
            item = self._node(next(events), events, here)
            if not isinstance(key, Scalar) or isinstance(event, yaml.AliasEvent):
                self.incomplete.add(path)
                if not isinstance(key, Scalar):
                    self._fault(_line_of(event), path, "a key must be a text")
            elif name == "<<" and not key.quoted:
                self.incomplete.add(path)
                what = "the merge key << is not read; write the values out"
                self._fault(key.line, path, what)
            elif first := entries.get(name):
                what = f"is here for the second time; the first is in line {first[0].line}"
                self._fault(key.line, here, what)
            else:
                entries[name] = (key, item)
        return Entries(line=line, entries=tuple(entries.values()))

    def _refuse_ornaments(self, event: yaml.Event, path: Path) -> None:
        anchor = getattr(event, "anchor", None)
        tag = getattr(event, "tag", None)
        if anchor is not None:
            what = f"the anchor &{shown(anchor)} is not read; write the value out where it is used"
            self._fault(_line_of(event), path, what)
        if tag is not None:
            short = shown(tag.replace("tag:yaml.org,2002:", "!!"))
            self._fault(_line_of(event), path, f"the tag {short} is not read; remove it")

    def _fault(self, line: int, path: Path, what: str) -> None:
        self.faults.append(Fault(line=line, path=path, what=what))
        if len(self.faults) == _MOST_FAULTS:
            raise _Stopped


def _refused(line: int, what: str) -> Reading:
    return Reading(tree=None, faults=(Fault(line=line, path=(), what=what),))


def _line_of(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _hidden(character: str) -> str:
    return f"an invisible character U+{ord(character):04X} stands here; remove it"
