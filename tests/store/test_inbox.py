"""The inbox: written down before 200, each delivery once, and every one accounted for."""

from __future__ import annotations

import hashlib
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from connector.errors import StoreUnavailable
from connector.model import Arrival
from connector.store import arrivals, inbox
from connector.store.connect import Store
from connector.store.inbox import Inbox, Verdict
from connector.store.schema import deliveries

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def arrival(number: int, **changed: Any) -> Arrival:
    """An arrival of its own for every number."""
    body = b'{"id": %d}' % number
    return Arrival(
        **{
            "shop": "wool",
            "topic": "order.updated",
            "key": hashlib.sha256(body).digest(),
            "received_at": NOW + timedelta(seconds=number),
            "headers": {"X-Topic": "order.updated"},
            "body": body,
            **changed,
        }
    )


@pytest.fixture
def door(store: Store) -> Iterator[Inbox]:
    """An inbox on either engine."""
    opened = Inbox(store)
    yield opened
    opened.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[tuple[Store, Inbox, Path]]:
    """An SQLite store, its inbox and its file, to do to it what only files suffer."""
    path = tmp_path / "c.db"
    store = Store.open(f"sqlite:///{path}")
    opened = Inbox(store)
    yield store, opened, path
    opened.close()
    store.close()


def rows(store: Store) -> list[Any]:
    with store.read() as conn:
        return list(conn.execute(select(deliveries).order_by(deliveries.c.id)))


def in_threads(work: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_an_arrival_is_written_as_it_came(store: Store, door: Inbox) -> None:
    """Everything of it is in the row, which waits."""
    door.accept(arrival(7))
    [row] = rows(store)
    assert (row.shop, row.topic, row.body) == ("wool", "order.updated", b'{"id": 7}')
    assert row.received_at == NOW + timedelta(seconds=7)
    assert row.headers == {"X-Topic": "order.updated"}
    assert row.body_sha256 == hashlib.sha256(b'{"id": 7}').digest()
    assert (row.status, row.attempts, row.next_attempt_at) == ("waiting", 0, None)
    assert (door.accepted, door.duplicates) == (1, 0)


def test_a_given_digest_is_taken(store: Store, door: Inbox) -> None:
    """The digest that the door has worked out already is not worked out again."""
    door.accept(arrival(7, body_sha256=b"d" * 32))
    assert [row.body_sha256 for row in rows(store)] == [b"d" * 32]


def test_a_duplicate_is_fine_and_written_once(store: Store, door: Inbox) -> None:
    """The same key again is no error and no row, in one process or another."""
    for _ in range(3):
        door.accept(arrival(1))
    other = Inbox(store)
    other.accept(arrival(1, received_at=NOW + HOUR))
    other.close()
    assert [row.received_at for row in rows(store)] == [NOW + timedelta(seconds=1)]
    assert (door.accepted, door.duplicates) == (1, 2)
    assert (other.accepted, other.duplicates) == (0, 1)


def test_duplicates_within_one_group(store: Store, door: Inbox) -> None:
    """Many threads with few different arrivals: each is there once, the rest are counted."""
    in_threads(lambda number: door.accept(arrival(number % 5)), 40)
    assert len(rows(store)) == 5
    assert (door.accepted, door.duplicates) == (5, 35)


def test_each_is_visible_when_its_thread_returns(store: Store, door: Inbox) -> None:
    """Whoever was told yes finds the row from another connection, under load."""
    missing: list[int] = []

    def deliver(who: int) -> None:
        for turn in range(10):
            number = who * 1000 + turn
            door.accept(arrival(number))
            with store.read() as conn:
                found = conn.execute(
                    select(deliveries.c.id).where(deliveries.c.key == arrival(number).key)
                ).first()
            if found is None:
                missing.append(number)

    in_threads(deliver, 12)
    assert missing == []
    assert len(rows(store)) == 120
    assert door.accepted == 120


def test_a_crowd_shares_a_transaction(small: tuple[Store, Inbox, Path]) -> None:
    """While one commits, the others gather: far fewer commits than arrivals."""
    store, door, _ = small
    commits = 0
    write = door._write

    def counted(batch: Any) -> None:
        nonlocal commits
        commits += 1
        time.sleep(0.05)
        write(batch)

    door._write = counted  # type: ignore[method-assign]
    in_threads(lambda number: door.accept(arrival(number)), 40)
    assert len(rows(store)) == 40
    assert commits <= 10


def test_a_lone_arrival_is_committed_by_its_own_thread(small: tuple[Store, Inbox, Path]) -> None:
    """No other thread exists that could do it."""
    _, door, _ = small
    before = set(threading.enumerate())
    seen = []
    write = door._write
    door._write = lambda batch: (seen.append(threading.current_thread()), write(batch))  # type: ignore[assignment,method-assign]
    door.accept(arrival(1))
    assert seen == [threading.current_thread()]
    assert set(threading.enumerate()) == before


def test_soon_is_told_once_each_after_the_commit(store: Store, door: Inbox) -> None:
    """With ``accept_soon`` the row is there when ``done`` is called, and it is called once."""
    told: list[tuple[int, StoreUnavailable | None, bool]] = []

    def deliver(number: int) -> None:
        mine = arrival(number)

        def done(problem: StoreUnavailable | None) -> None:
            with store.read() as conn:
                query = select(deliveries.c.id).where(deliveries.c.key == mine.key)
                told.append((number, problem, conn.execute(query).first() is not None))

        door.accept_soon(mine, done)

    in_threads(deliver, 30)
    deadline = time.monotonic() + 60
    while len(told) < 30 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(told) == [(number, None, True) for number in range(30)]
    assert door.accepted == 30


def test_both_ways_together(store: Store, door: Inbox) -> None:
    """Threads that wait and threads that go on share the work; nobody is forgotten."""
    told: list[StoreUnavailable | None] = []

    def deliver(number: int) -> None:
        for turn in range(10):
            each = arrival(number * 100 + turn)
            if random.Random(number * 100 + turn).random() < 0.5:
                door.accept(each)
                told.append(None)
            else:
                door.accept_soon(each, told.append)

    in_threads(deliver, 16)
    deadline = time.monotonic() + 60
    while len(told) < 160 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert told == [None] * 160
    assert len(rows(store)) == 160
    door.accept(arrival(99_999))
    assert len(rows(store)) == 161


def test_a_bad_row_does_not_harm_its_neighbours(store: Store, door: Inbox) -> None:
    """In a group with an arrival that cannot be written, the others are."""
    hold = threading.Event()
    write = door._write

    def first_waits(batch: Any) -> None:
        door._write = write  # type: ignore[method-assign]
        hold.wait(10)
        write(batch)

    door._write = first_waits  # type: ignore[method-assign]
    outcome: dict[int, str] = {}

    def deliver(number: int) -> None:
        try:
            door.accept(arrival(number, shop=None) if number == 3 else arrival(number))
            outcome[number] = "written"
        except StoreUnavailable:
            outcome[number] = "refused"

    threads = [threading.Thread(target=deliver, args=(number,)) for number in range(8)]
    threads[0].start()
    while not door._committing:
        time.sleep(0.001)
    for thread in threads[1:]:
        thread.start()
    while len(door._waiting) < 7:
        time.sleep(0.001)
    hold.set()
    for thread in threads:
        thread.join(20)
    assert outcome == {n: "refused" if n == 3 else "written" for n in range(8)}
    assert len(rows(store)) == 7
    assert door.accepted == 7


def test_a_failing_commit_acknowledges_nothing(small: tuple[Store, Inbox, Path]) -> None:
    """When the store fails, all of the group hear of it, and the next group fares as it may."""
    store, door, _ = small
    door.accept(arrival(0))
    write = door._write

    def broken(batch: Any) -> None:
        time.sleep(0.05)
        problem = sqlite3.OperationalError("database or disk is full")
        problem.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise problem

    door._write = broken  # type: ignore[method-assign]
    refused: list[str] = []

    def deliver(number: int) -> None:
        try:
            door.accept(arrival(number + 1))
        except StoreUnavailable as problem:
            refused.append(str(problem))

    in_threads(deliver, 10)
    assert len(refused) == 10
    assert all("disk is full" in told and "id" not in told.split(":")[0] for told in refused)
    assert len(rows(store)) == 1
    door._write = write  # type: ignore[method-assign]
    door.accept(arrival(50))
    assert len(rows(store)) == 2


def test_an_unforeseen_fault_acknowledges_nothing_and_blocks_nobody(
    small: tuple[Store, Inbox, Path],
) -> None:
    """Whatever is raised in the middle, the arrival is refused and the next one goes through."""
    store, door, _ = small
    write = door._write
    door._write = lambda _batch: 1 // 0  # type: ignore[assignment,method-assign]
    with pytest.raises(StoreUnavailable):
        door.accept(arrival(1))
    told: list[StoreUnavailable | None] = []
    door.accept_soon(arrival(2), told.append)
    assert [type(problem) for problem in told] == [StoreUnavailable]
    door._write = write  # type: ignore[method-assign]
    door.accept(arrival(3))
    assert [row.body for row in rows(store)] == [b'{"id": 3}']


def test_a_lock_held_for_good_is_given_up_in_time(
    small: tuple[Store, Inbox, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each waits its own patience and no longer; afterwards all is as before."""
    store, door, path = small
    monkeypatch.setattr(arrivals, "_PATIENCE", 0.5)
    outcome: list[tuple[str, float]] = []
    told: list[StoreUnavailable | None] = []

    def deliver(number: int) -> None:
        time.sleep(number * 0.02)
        began = time.monotonic()
        try:
            if number % 2:
                door.accept(arrival(number))
                outcome.append(("written", time.monotonic() - began))
            else:
                door.accept_soon(arrival(number), told.append)
        except StoreUnavailable:
            outcome.append(("refused", time.monotonic() - began))

    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    in_threads(deliver, 20)
    deadline = time.monotonic() + 60
    while len(told) < 10 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [kind for kind, _ in outcome] == ["refused"] * 10
    assert max(taken for _, taken in outcome) < 1.5
    assert [type(problem) for problem in told] == [StoreUnavailable] * 10
    other.execute("ROLLBACK")
    other.close()
    assert rows(store) == []
    door.accept(arrival(100))
    door.accept_soon(arrival(101), told.append)
    assert told[-1] is None
    assert len(rows(store)) == 2


def test_a_lock_held_for_a_while_is_waited_for(small: tuple[Store, Inbox, Path]) -> None:
    """Another program writes for half a second: nobody is refused, and nobody waits much longer."""
    store, door, path = small
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.5, lambda: other.execute("COMMIT"))
    timer.start()
    began = time.monotonic()
    in_threads(lambda number: door.accept(arrival(number)), 20)
    assert 0.4 < time.monotonic() - began < 2.5
    timer.join()
    other.close()
    assert len(rows(store)) == 20


def test_every_connection_is_durable(store: Store, door: Inbox) -> None:
    """The inbox writes on connections that flush to disk at every commit."""
    seen: list[tuple[Any, ...]] = []
    if store.dialect == "sqlite":
        door.accept(arrival(1))
        assert door._sqlite is not None
        cursor = door._sqlite.cursor()
        for setting in ("synchronous", "journal_mode"):
            seen += cursor.execute(f"PRAGMA {setting}").fetchall()
        assert seen == [(2,), ("wal",)]
        return

    def look(conn: Any, *_: Any) -> None:
        with conn.connection.driver_connection.cursor() as cursor:
            seen.extend(cursor.execute("SHOW synchronous_commit").fetchall())

    event.listen(store.engine, "before_cursor_execute", look)
    door.accept(arrival(1))
    event.remove(store.engine, "before_cursor_execute", look)
    assert seen == [("on",)]


def test_claimed_in_order_up_to_the_limit(store: Store, door: Inbox) -> None:
    """The oldest first, whole, and only those that wait."""
    for number in range(5):
        door.accept(arrival(number))
    with store.write() as conn:
        claimed = inbox.claim(conn, now=NOW, limit=3)
    assert [delivery.body for delivery in claimed] == [b'{"id": %d}' % n for n in range(3)]
    assert claimed[1].received_at == NOW + timedelta(seconds=1)
    assert claimed[1].headers == {"X-Topic": "order.updated"}
    assert (claimed[1].shop, claimed[1].topic, claimed[1].attempts) == ("wool", "order.updated", 0)


def test_a_verdict_is_written_and_stays(store: Store, door: Inbox) -> None:
    """Status, reason, detail, mend and flags; a second verdict changes nothing."""
    door.accept(arrival(1))
    with store.write() as conn:
        [delivery] = inbox.claim(conn, now=NOW, limit=10)
        verdict = Verdict(
            id=delivery.id,
            status="quarantined",
            reason="shape",
            detail="no id",
            mend="look at the shop",
            flags=("bom",),
        )
        inbox.finish(conn, [verdict], now=NOW + HOUR)
        inbox.finish(conn, [Verdict(id=delivery.id, status="applied")], now=NOW + 2 * HOUR)
        inbox.finish(conn, [], now=NOW)
        assert inbox.claim(conn, now=NOW + 9 * HOUR, limit=10) == []
    [row] = rows(store)
    assert (row.status, row.reason, row.detail, row.mend, row.flags, row.attempts) == (
        "quarantined",
        "shape",
        "no id",
        "look at the shop",
        ["bom"],
        1,
    )
    assert row.finished_at == NOW + HOUR
    with store.read() as conn:
        [parked] = inbox.quarantined(conn, 10)
    assert (parked.id, parked.reason, parked.mend) == (row.id, "shape", "look at the shop")


def test_put_back_until_later(store: Store, door: Inbox) -> None:
    """A delivery that must wait is not claimed before its time."""
    door.accept(arrival(1))
    with store.write() as conn:
        [delivery] = inbox.claim(conn, now=NOW, limit=10)
        later = Verdict(id=delivery.id, status="waiting", next_attempt_at=NOW + HOUR)
        inbox.finish(conn, [later], now=NOW)
    with store.write() as conn:
        before = inbox.claim(conn, now=NOW + HOUR - timedelta(microseconds=1), limit=9, asking=True)
        [again] = inbox.claim(conn, now=NOW + HOUR, limit=9, asking=True)
    assert before == []
    assert (again.id, again.attempts) == (delivery.id, 1)
    assert [row.finished_at for row in rows(store)] == [None]


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_what_one_worker_claims_another_passes_over(store: Store) -> None:
    """On PostgreSQL two workers never hold the same delivery; a dead one's is free at once."""
    door = Inbox(store)
    for number in range(4):
        door.accept(arrival(number))
    with store.engine.connect() as one, store.engine.connect() as two:
        first = inbox.claim(one, now=NOW, limit=2)
        second = inbox.claim(two, now=NOW, limit=4)
        assert [len(first), len(second)] == [2, 2]
        assert not {delivery.id for delivery in first} & {delivery.id for delivery in second}
        one.rollback()
        two.rollback()
        assert len(inbox.claim(two, now=NOW, limit=4)) == 4
        two.rollback()


def fill_books(store: Store, door: Inbox) -> None:
    """Six deliveries of two shops in every status."""
    for number in range(5):
        door.accept(arrival(number))
    door.accept(arrival(9, shop="yarn"))
    with store.write() as conn:
        ids = [delivery.id for delivery in inbox.claim(conn, now=NOW, limit=10)]
        statuses: list[inbox.Status] = ["applied", "unchanged", "ignored", "quarantined"]
        inbox.finish(
            conn,
            [
                Verdict(id=each, status=status)
                for each, status in zip(ids[:4], statuses, strict=True)
            ],
            now=NOW + HOUR,
        )


def test_the_books(store: Store, door: Inbox) -> None:
    """Everything received is in one status, by shop; the oldest that waits and the last to come."""
    fill_books(store, door)
    with store.read() as conn:
        counts = inbox.count(conn)
        oldest = inbox.oldest_waiting(conn)
        last = inbox.last_received(conn)
    assert counts == {
        "wool": {"applied": 1, "unchanged": 1, "ignored": 1, "quarantined": 1, "waiting": 1},
        "yarn": {"waiting": 1},
    }
    assert oldest == {"wool": NOW + timedelta(seconds=4), "yarn": NOW + timedelta(seconds=9)}
    assert last == {"wool": NOW + timedelta(seconds=4), "yarn": NOW + timedelta(seconds=9)}


def test_replay_sets_back_what_is_finished(store: Store, door: Inbox) -> None:
    """By shop, time and number; what waits is left, and so is what has no body any more."""
    fill_books(store, door)
    ids = [row.id for row in rows(store)]
    with store.write() as conn:
        assert inbox.replay(conn, shop="yarn") == 0
        assert inbox.replay(conn, delivery=ids[3]) == 1
        assert inbox.replay(conn, since=NOW + timedelta(seconds=2)) == 1
        conn.execute(deliveries.update().where(deliveries.c.id == ids[0]).values(body=None))
        assert inbox.replay(conn) == 1
    assert [row.status for row in rows(store)] == ["applied"] + ["waiting"] * 5
    back = rows(store)[3]
    assert (back.reason, back.flags, back.attempts, back.finished_at) == (None, None, 0, None)
    with store.write() as conn:
        assert len(inbox.claim(conn, now=NOW, limit=10)) == 5


def test_unavailable_is_told_without_the_values(store: Store, door: Inbox) -> None:
    """The error of a row that cannot be written does not quote it."""
    with pytest.raises(StoreUnavailable) as raised:
        door.accept(arrival(1, shop=None, body=b"aino@shop.example"))
    assert "aino" not in str(raised.value)
    assert raised.value.exit_code == 3
    assert rows(store) == []
