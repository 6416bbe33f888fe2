"""The stand-in's batches: worked on late, in any order, with results in an archive elsewhere.

https://mailchimp.com/developer/marketing/api/batch-operations/
"""

from __future__ import annotations

import io
import random
import tarfile
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from adapters.mailchimp.sandbox_store_state import Batch, Refusal, Row, Sales, missing
from adapters.mailchimp.sandbox_stores import Counter

_MOST_PENDING = 500
_IN_ONE_FILE = 500
_VALID_FOR = timedelta(minutes=10)
_KEPT_FOR = timedelta(days=7)


class Floor:
    """Takes batches, and works on one when it was looked at often enough."""

    def __init__(self, counter: Counter, sales: Sales, clock: Callable[[], datetime]) -> None:
        self._counter = counter
        self._sales = sales
        self._clock = clock
        self._chance = random.Random(4)

    def take(self, operations: list[Row]) -> Row:
        """Take a batch."""
        pending = [each for each in self._sales.batches.values() if each.results is None]
        if len(pending) >= _MOST_PENDING:
            raise Refusal("There are too many pending batches.", status=429)
        batch = Batch(uuid.uuid4().hex[:10], operations, self._sales.polls, self._clock())
        self._sales.batches[batch.id] = batch
        return self._shown(batch, "")

    def show(self, name: str, here: str) -> Row:
        """Show a batch, a little later; ``here`` is where archives are served."""
        batch = self._sales.batches.get(name)
        if batch is None:
            raise missing()
        self._go_on(batch)
        return self._shown(batch, here)

    def every(self) -> Row:
        """Show every batch, a little later."""
        for batch in self._sales.batches.values():
            self._go_on(batch)
        rows = [self._shown(each, "") for each in self._sales.batches.values()]
        return {"batches": rows, "total_items": len(rows)}

    def stop(self, name: str) -> None:
        """Work on a batch no more; its results are gone."""
        if self._sales.batches.pop(name, None) is None:
            raise missing()

    def archive(self, token: str) -> bytes | None:
        """An archive; ``None`` when there is none, or its address is too old."""
        made_at, content = self._sales.archives.get(token, (None, b""))
        return content if made_at and self._clock() - made_at < _VALID_FOR else None

    def _go_on(self, batch: Batch) -> None:
        batch.polls -= 1
        if batch.results is not None:
            return
        if batch.polls > 0:
            batch.status = "started"
            return
        batch.status = "finished"
        batch.results = []
        self._chance.shuffle(batch.operations)
        for each in batch.operations:
            status, said = self._counter.answer(
                each["method"], each["path"], each.get("body", "").encode()
            )
            batch.results.append(
                {
                    "status_code": status,
                    "operation_id": each.get("operation_id", ""),
                    "response": "" if said is None else msgspec.json.encode(said).decode(),
                }
            )

    def _shown(self, batch: Batch, here: str) -> dict[str, Any]:
        address = ""
        if batch.results is not None and here:
            token = uuid.uuid4().hex
            kept = self._clock() - batch.submitted_at < _KEPT_FOR
            if kept:
                self._sales.archives[token] = (self._clock(), _packed(batch.results))
            address = f"{here}/archives/{token}"
        bad = [each for each in batch.results or () if each["status_code"] >= 400]  # noqa: PLR2004 - the numbers of HTTP are its names
        return {
            "id": batch.id,
            "status": batch.status,
            "total_operations": len(batch.operations),
            "finished_operations": len(batch.results or ()),
            "errored_operations": len(bad),
            "submitted_at": batch.submitted_at.isoformat(timespec="seconds"),
            "response_body_url": address,
        }


def _packed(results: list[Row]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz", compresslevel=1) as tar:
        folder = tarfile.TarInfo("./")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for start in range(0, max(len(results), 1), _IN_ONE_FILE):
            content = msgspec.json.encode(results[start : start + _IN_ONE_FILE])
            member = tarfile.TarInfo(f"./{uuid.uuid4().hex[:10]}.json")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return target.getvalue()
