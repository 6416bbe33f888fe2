"""No room left for the store: the shop is told to come again, never that all is well."""

from __future__ import annotations

import http.client
import resource
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event

from benchmarks.door import Running, running
from benchmarks.load import request
from connector.store import lanes
from connector.store.connect import Store

Doorway = Any
_SIZE = 4000


def test_a_full_database_is_refused_with_a_time_to_come_again(doorway: Doorway) -> None:
    """SQLITE_FULL (max_page_count): 503 and Retry-After from the first that has no room."""
    most = {"pages": 0}

    def limit(raw: sqlite3.Connection, _record: object) -> None:
        # SQLite takes a limit below the pages in use for "no more than now".
        raw.execute(f"PRAGMA max_page_count={most['pages'] or 1_000_000_000}")

    event.listen(doorway.store.engine, "connect", limit)
    assert 200 == doorway.post(b"before").status_code
    _reconnect(doorway)
    most["pages"] = 1
    replies = [doorway.post(b"%04d" % number + b"x" * _SIZE) for number in range(40)]
    refused = [reply for reply in replies if reply.status_code != 200]
    assert 20 < len(refused)
    assert {(503, "30")} == {(reply.status_code, reply.headers["Retry-After"]) for reply in refused}
    assert doorway.acknowledged == doorway.held()
    most["pages"] = 0
    _reconnect(doorway)
    replies = [doorway.post(b"%04d" % number + b"x" * _SIZE) for number in range(40)]
    assert {200} == {reply.status_code for reply in replies}
    assert (41, doorway.acknowledged) == (len(doorway.held()), doorway.held())


def _reconnect(doorway: Doorway) -> None:
    doorway.inbox.close()
    doorway.store.engine.dispose()


def test_a_file_that_may_not_grow_is_refused_and_readiness_is_red(tmp_path: Path) -> None:
    """RLIMIT_FSIZE on a real server: 503, red, nothing acknowledged is lost; then green again."""
    path = tmp_path / "connector.db"
    store = Store.open(f"sqlite:///{path}")
    with store.write() as conn:
        lanes.beat(conn, now=datetime.now(UTC))
    with running("tests.faults.door:app", store=f"sqlite:///{path}") as server:
        assert 200 == _ask(server, "GET", "/health/ready")[0]
        assert 200 == _deliver(server, 0)[0]
        journal = Path(f"{path}-wal").stat().st_size
        _limit(server, journal + 5 * _SIZE)
        answers = [_deliver(server, number) for number in range(1, 31)]
        taken = {0, *(n for n, (status, _) in enumerate(answers, 1) if status == 200)}
        assert {(503, "30")} == {answer for answer in answers if answer[0] != 200}
        assert len(taken) < 10
        _limit(server, 8192)  # not even for the smallest change
        assert (503, "30") == _deliver(server, 99)
        assert (503, None) == _ask(server, "GET", "/health/ready")
        _limit(server, resource.RLIM_INFINITY)
        assert 200 == _deliver(server, 100)[0]
        assert 200 == _ask(server, "GET", "/health/ready")[0]
    store.close()
    with closing(sqlite3.connect(path)) as conn:
        assert [("ok",)] == conn.execute("PRAGMA quick_check").fetchall()
        held = {int(body[:4]) for (body,) in conn.execute("SELECT body FROM deliveries")}
    assert taken | {100} == held


def _limit(server: Running, size: int) -> None:
    hard = resource.prlimit(server.worker, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(server.worker, resource.RLIMIT_FSIZE, (size, hard))


def _deliver(server: Running, number: int) -> tuple[int, str | None]:
    head, _, body = request(b"%04d" % number + b"x" * _SIZE, number).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    headers = dict(line.split(": ", 1) for line in lines)
    return _ask(server, "POST", "/webhooks/wool", body, headers)


def _ask(
    server: Running,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> tuple[int, str | None]:
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    line.request(method, path, body or None, headers or {})
    reply = line.getresponse()
    reply.read()
    line.close()
    return reply.status, reply.headers["Retry-After"]
