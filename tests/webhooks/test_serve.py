"""The door on a real network: what only bytes on a socket can show."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.door import free_port, running
from benchmarks.load import SECRET, request
from connector.errors import AddressInUse
from webhooks.serve import serve

Real = Any
_numbers = iter(range(1, 10**6))


def head(body: bytes, *lines: str, keep: bool = False) -> bytes:
    """The head of a rightly signed request without a length; a fresh delivery each."""
    told = request(body, next(_numbers)).partition(b"\r\n\r\n")[0].decode().split("\r\n")
    told = [line for line in told if not line.startswith("Content-Length")]
    if not keep:
        told.append("Connection: close")
    return "\r\n".join([*told, *lines]).encode() + b"\r\n\r\n"


def fresh(size: int) -> bytes:
    """A body that no other test sends."""
    return (b"%d " % next(_numbers)).ljust(size, b"x")


def chunked(body: bytes, piece: int = 60_000) -> bytes:
    """A body in chunks."""
    parts = [body[at : at + piece] for at in range(0, len(body), piece)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_a_delivery_is_in_the_store_when_the_answer_comes(real: Real) -> None:
    """At the moment of 200 another connection can read the row."""
    body = fresh(100)
    answer = real.ask(head(body, f"Content-Length: {len(body)}") + body)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert real.bodies().count(body) == 1


def test_many_requests_on_one_connection(real: Real) -> None:
    """Good and bad in turns on one kept connection are each answered, in order."""
    line = http.client.HTTPConnection("127.0.0.1", real.server.port, timeout=8)
    for _ in range(3):
        body = fresh(5000)
        told = request(body, next(_numbers)).partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        headers = dict(each.split(": ", 1) for each in told)
        for change, status in (({}, 200), ({"X-WC-Webhook-Signature": "AAAA"}, 401), ({}, 200)):
            line.request("POST", "/webhooks/wool", body, {**headers, **change})
            reply = line.getresponse()
            reply.read()
            assert reply.status == status
        assert real.bodies().count(body) == 1
    line.request("GET", "/webhooks/wool")
    reply = line.getresponse()
    reply.read()
    assert reply.status == 405
    line.close()


LIMIT = 5 * 1024 * 1024


@pytest.mark.parametrize(
    ("size", "status"), [(LIMIT - 1, 200), (LIMIT, 200), (LIMIT + 1, 413), (20 * LIMIT, 413)]
)
@pytest.mark.parametrize("how", ["chunked", "length"])
def test_rows_13_and_14_the_limit(real: Real, size: int, status: int, how: str) -> None:
    """Threat R8: the limit goes in whole, one byte more does not, and 100 MB take no memory."""
    body = fresh(size)
    before = real.server.memory()
    if how == "chunked":
        answer = real.ask(head(body, "Transfer-Encoding: chunked") + chunked(body))
    else:
        answer = real.ask(head(body, f"Content-Length: {size}") + body)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert not answer.endswith(b"<open>")
    assert real.bodies().count(body) == (status == 200)
    if size > 2 * LIMIT:
        assert real.server.memory() - before < 20


def test_row_14_a_sender_who_asks_first_need_not_send(real: Real) -> None:
    """``Expect: 100-continue`` with too great a length: 413 at once, without the body."""
    answer = real.ask(head(b"x", f"Content-Length: {20 * LIMIT}", "Expect: 100-continue"))
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: -5",),
        ("Content-Length: five",),
        ("Content-Length: 5, 6",),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Transfer-Encoding : chunked",),
        ("Transfer-Encoding: chunked, gzip",),
    ],
)
def test_row_15_impossible_lengths(real: Real, lines: tuple[str, ...]) -> None:
    """The server itself refuses what cannot be: 400, closed, nothing stored."""
    before = len(real.bodies())
    answer = real.ask(head(b"12345", *lines) + b"5\r\n12345\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert not answer.endswith(b"<open>")
    assert len(real.bodies()) == before


@pytest.mark.parametrize("first", ["length", "coding"])
def test_row_15_length_and_chunks_at_once(real: Real, first: str) -> None:
    """Threat R11: nothing is smuggled past the end: chunks count, the connection ends with them.

    RFC 9112, 6.3 allows this or a refusal; the server removes the length before we could see it.
    """
    body = fresh(50)
    smuggled = fresh(50)
    lines = [f"Content-Length: {len(chunked(body)) + 10}", "Transfer-Encoding: chunked"]
    if first == "coding":
        lines.reverse()
    hidden = head(smuggled, f"Content-Length: {len(smuggled)}") + smuggled
    answer = real.ask(head(body, *lines, keep=True) + chunked(body) + hidden)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert not answer.endswith(b"<open>")
    assert real.bodies().count(smuggled) == 0


@pytest.mark.parametrize(
    "start",
    [
        ("Content-Length: 10", b"12345"),
        ("Content-Length: 10", b""),
        ("Transfer-Encoding: chunked", b"5\r\n12345\r\n"),
        ("Transfer-Encoding: chunked", b"5\r\n12"),
    ],
)
@pytest.mark.parametrize("keep", [True, False])
def test_row_16_silence(real: Real, start: tuple[str, bytes], *, keep: bool) -> None:
    """A body that falls silent: 408 and closed when patience is over, and nothing stored."""
    before = len(real.bodies())
    began = time.monotonic()
    answer = real.ask(head(b"1234567890", start[0], keep=keep) + start[1])
    taken = time.monotonic() - began
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert not answer.endswith(b"<open>")
    assert 0.9 < taken < 8  # the usual patience is longer
    assert len(real.bodies()) == before


def test_row_16_the_usual_patience_ends_before_ten_seconds() -> None:
    """The default deadline and the watch's beat together stay below ten seconds."""
    from webhooks import patience

    usual = patience.Patience()
    assert usual._silence + patience._TICK < 10


def test_a_slow_but_steady_body_is_taken(real: Real) -> None:
    """Pauses shorter than the patience do no harm."""
    body = fresh(200_000)
    parts = [head(body, f"Content-Length: {len(body)}")]
    slow: list[bytes | float] = [*parts]
    for at in range(0, len(body), 70_000):
        slow += [body[at : at + 70_000], 0.4]
    assert real.ask(*slow).startswith(b"HTTP/1.1 200 ")
    assert real.bodies().count(body) == 1


def test_a_body_that_drips_for_ever_is_cut(real: Real) -> None:
    """One byte now and then does not hold the door beyond the longest time."""
    before = len(real.bodies())
    began = time.monotonic()
    drops: list[bytes | float] = []
    for _ in range(16):
        drops += [b"x", 0.25]
    answer = real.ask(head(b"x" * 500, "Content-Length: 500"), *drops)
    assert answer.startswith(b"HTTP/1.1 408 ") or b"Error>" in answer
    assert time.monotonic() - began < 8
    assert len(real.bodies()) == before


def test_two_hundred_slow_senders_keep_nobody_out(real: Real) -> None:
    """Threat R9: while 200 connections hold back their bodies, others are served in no time."""
    start = head(b"x" * 10, "Content-Length: 10") + b"12345"
    slow = []
    for _ in range(200):
        line = socket.create_connection(("127.0.0.1", real.server.port))
        line.sendall(start)
        slow.append(line)
    times = []
    for _ in range(40):
        body = fresh(7000)
        began = time.monotonic()
        answer = real.ask(head(body, f"Content-Length: {len(body)}") + body)
        times.append(time.monotonic() - began)
        assert answer.startswith(b"HTTP/1.1 200 ")
    for line in slow:
        line.close()
    assert sorted(times)[-2] < 1.0
    assert times[0] < 2.5


def test_health_and_figures_on_the_wire(real: Real) -> None:
    """The other routes go through Flask, and answer on the same port."""
    for path, expected in (
        ("/health/live", b'{"ok":true}'),
        ("/health/ready", b'"store":"writable"'),
        ("/metrics", b"connector_accepted_total"),
        ("/nothing", b"404 Not Found"),
    ):
        answer = real.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert expected in answer, path


def test_a_busy_port_is_told_before_anything_starts(real: Real) -> None:
    """Granian would share the port with the other program; we do not."""
    with pytest.raises(AddressInUse, match=f"127.0.0.1:{real.server.port}") as raised:
        serve("nowhere:nothing", "127.0.0.1", real.server.port)
    assert raised.value.exit_code == 4


def test_an_impossible_address_is_told() -> None:
    """An address that is not this machine's."""
    with pytest.raises(AddressInUse, match=r"192\.0\.2\.1:8080"):
        serve("nowhere:nothing", "192.0.2.1", 8080)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(tmp_path: Path, how: signal.Signals) -> None:
    """Asked to stop, both processes end, without an error, and the port is free."""
    with running("whole_app", store=f"sqlite:///{tmp_path}/c.db") as server:
        worker = server.worker
        server.process.send_signal(how)
        assert server.process.wait(60) == 0
        assert not _lives(worker)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", server.port))


def test_what_answers_does_not_outlive_its_watcher(tmp_path: Path) -> None:
    """When the first process is killed, the second ends by itself and frees the port."""
    with running("whole_app", store=f"sqlite:///{tmp_path}/c.db") as server:
        worker = server.worker
        server.process.kill()
        server.process.wait()
        deadline = time.monotonic() + 60
        while _lives(worker):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_fault_in_the_application_ends_the_program(tmp_path: Path) -> None:
    """If the application cannot be built, nothing listens and the exit code is not 0."""
    (tmp_path / "faulty.py").write_text("def app():\n    raise RuntimeError('no')\n")
    program = (
        "import sys; from webhooks.serve import serve; "
        "serve('faulty:app', '127.0.0.1', int(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(free_port())],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{Path.cwd()}"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert b"RuntimeError" in done.stderr


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Any]:
    """A receiver whose store another program can hold."""
    import sqlite3

    path = tmp_path / "c.db"
    with running("whole_app", store=f"sqlite:///{path}", silence=1.0) as server:
        conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        yield server, conn
        conn.close()


def test_held_for_a_while_it_waits_and_for_long_it_says_so(locked: Any) -> None:
    """Held 3 s: everybody gets 200. Held for good: 503 after about five seconds, and no row."""
    server, conn = locked
    answers: list[tuple[bytes, float]] = []

    def post() -> None:
        body = fresh(300)
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
            line.sendall(head(body, f"Content-Length: {len(body)}") + body)
            answers.append((line.recv(4096), time.monotonic() - began))

    def post_many() -> None:
        threads = [threading.Thread(target=post) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    conn.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(3, lambda: conn.execute("COMMIT"))
    timer.start()
    post_many()
    timer.join()
    assert [answer[9:12] for answer, _ in answers] == [b"200"] * 20
    assert max(taken for _, taken in answers) >= 2.9
    answers.clear()
    conn.execute("BEGIN IMMEDIATE")
    post_many()
    assert [answer[9:12] for answer, _ in answers] == [b"503"] * 20
    assert all(
        b"Retry-After: 30" in answer or b"retry-after: 30" in answer for answer, _ in answers
    )
    assert 4.9 <= max(taken for _, taken in answers) < 20
    conn.execute("ROLLBACK")
    post()
    assert answers[-1][0][9:12] == b"200"
    [(rows,)] = conn.execute("SELECT count(*) FROM deliveries").fetchall()
    assert rows == 21


def test_the_secret_stays_inside(real: Real) -> None:
    """No answer of any route holds the secret."""
    for path in ("/metrics", "/health/ready", "/webhooks/wool", "/x"):
        answer = real.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert SECRET not in answer
