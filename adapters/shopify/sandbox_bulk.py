"""Bulk operations of the stand-in shop: begun by a query, looked at until done, read from a file.

https://shopify.dev/docs/api/usage/bulk-operations/queries, as of 2026-10: five at once, in the
order in which it suits the shop unless they are to be grouped.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from graphql import GraphQLError

from adapters.shopify.sandbox_bulk_rows import (
    DeniedInBulkError,
    NotForBulkError,
    check,
    lines,
)
from adapters.shopify.sandbox_files import Files
from adapters.shopify.sandbox_flood import Flood
from adapters.shopify.sandbox_graphql import Engine, UnsoundError
from adapters.shopify.sandbox_pages import connection
from adapters.shopify.sandbox_words import gid, number_in
from adapters.town.books import Body

MOST_AT_ONCE = 5
_AT_WORK = ("CREATED", "RUNNING")
_A_PIECE = 64 * 1024


@dataclass(slots=True, kw_only=True)
class Course:
    """What shall become of operations begun from now on.

    ``looks``: at so many looks they are still at work; ``ends`` is their status then, ``code`` why
    they failed; ``busy``: so many beginnings are refused, with the code ``busy_code``; ``bad`` are
    lines that are put into the file, by the place of the line before which they come;
    ``scattered``: their files are not grouped, whatever was asked for.
    """

    looks: int = 0
    ends: str = "COMPLETED"
    code: str | None = None
    times: int = 1_000_000
    busy: int = 0
    busy_code: str = "OPERATION_IN_PROGRESS"
    bad: Mapping[int, bytes] = field(default_factory=dict)
    scattered: bool = False


@dataclass(slots=True, kw_only=True)
class _Operation:
    number: int
    query: str
    grouped: bool
    created: str
    course: Course
    looks: int
    status: str = "CREATED"
    told: Body = field(default_factory=dict)


class Bulk:
    """All operations of our app. ``fields`` has a function for each field of the root types.

    ``course`` may be changed at any time; ``flood`` lets orders that are in no book be read.
    """

    def __init__(self, files: Files, address: str, clock: Callable[[], datetime]) -> None:
        self.files = files
        self.course = Course()
        self.flood: Flood | None = None
        self.engine: Engine | None = None
        self._address = address
        self._clock = clock
        self._numbers = itertools.count(1)
        self._operations: list[_Operation] = []
        self.fields: Mapping[str, Callable[..., Any]] = {
            "bulkOperationRunQuery": self._run,
            "bulkOperation": lambda _, **given: self._look(given["id"]),
            "bulkOperations": lambda _, **given: connection(
                [self._shown(each) for each in self._operations], given
            ),
        }

    @property
    def begun(self) -> list[tuple[str, bool]]:
        """The status of each operation, and whether it was to be grouped, the first first."""
        return [(each.status, each.grouped) for each in self._operations]

    def cancel_all(self) -> None:
        """Somebody stops whatever is at work."""
        for each in self._operations:
            if each.status in _AT_WORK:
                each.status = "CANCELED"

    def _run(self, _: Any, **given: Any) -> Body:
        course = self.course
        if course.busy > 0:
            course.busy -= 1
            return _refused(course.busy_code, "A bulk operation is already in progress")
        if sum(each.status in _AT_WORK for each in self._operations) >= MOST_AT_ONCE:
            return _refused("LIMIT_REACHED", "Bulk operations limit reached")
        try:
            check(self._engine().checked(given["query"]))
        except (NotForBulkError, UnsoundError, GraphQLError) as fault:
            return _refused("INVALID", str(fault))
        operation = _Operation(
            number=next(self._numbers),
            query=given["query"],
            grouped=given["groupObjects"],
            created=self._now(),
            course=course,
            looks=course.looks,
        )
        self._operations.append(operation)
        return {"bulkOperation": self._shown(operation), "userErrors": []}

    def _look(self, name: str) -> Body | None:
        number = number_in(name, "BulkOperation")
        found = [each for each in self._operations if each.number == number]
        if not found:
            return None
        (operation,) = found
        if operation.status in _AT_WORK:
            operation.status = "RUNNING"
            if operation.looks <= 0:
                self._finish(operation)
            operation.looks -= 1
        return self._shown(operation)

    def _finish(self, operation: _Operation) -> None:
        course = operation.course
        operation.status, operation.told = "COMPLETED", {"completedAt": self._now()}
        if course.times > 0 and course.ends != "COMPLETED":
            course.times -= 1
            operation.status = course.ends
            operation.told |= {"errorCode": course.code}
            return
        try:
            size, count, roots, read = self._written(operation)
        except DeniedInBulkError:
            operation.status = "FAILED"
            operation.told |= {"errorCode": "ACCESS_DENIED"}
            return
        operation.told |= {"objectCount": str(count), "rootObjectCount": str(roots)}
        if count:
            name = f"bulk-{operation.number}.jsonl"
            self.files.keep(name, size, read)
            url = f"{self._address}/_files/{name}?Signature=sandbox"
            operation.told |= {"url": url, "fileSize": str(size)}

    def _written(
        self, operation: _Operation
    ) -> tuple[int, int, int, Callable[[int], Iterator[bytes]]]:
        """The file's size, all objects, those at the root, and how to read it."""
        if self.flood is not None:
            return self.flood.file_for(operation.query)
        grouped = operation.grouped and not operation.course.scattered
        chance = random.Random(operation.number)
        told = lines(operation.query, self._engine().run_in_bulk, grouped=grouped, chance=chance)
        count, roots = len(told), sum(b'"__parentId":' not in line for line in told)
        for place, bad in sorted(operation.course.bad.items(), reverse=True):
            told.insert(place, bad)
        whole = b"".join(line + b"\n" for line in told)
        return len(whole), count, roots, lambda start: _pieces(whole, start)

    def _shown(self, operation: _Operation) -> Body:
        return {
            "id": gid("BulkOperation", operation.number),
            "status": operation.status,
            "type": "QUERY",
            "query": operation.query,
            "createdAt": operation.created,
            "completedAt": None,
            "errorCode": None,
            "objectCount": "0",
            "rootObjectCount": "0",
            "fileSize": None,
            "url": None,
            "partialDataUrl": None,
            **operation.told,
        }

    def _engine(self) -> Engine:
        if self.engine is None:
            raise RuntimeError("the shop is not open yet")
        return self.engine

    def _now(self) -> str:
        return f"{self._clock():%Y-%m-%dT%H:%M:%SZ}"


def _pieces(whole: bytes, start: int) -> Iterator[bytes]:
    for place in range(start, len(whole), _A_PIECE):
        yield whole[place : place + _A_PIECE]


def _refused(code: str, message: str) -> Body:
    error = {"code": code, "field": None, "message": message}
    return {"bulkOperation": None, "userErrors": [error]}
