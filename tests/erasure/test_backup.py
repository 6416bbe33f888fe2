"""A copy of the store is whole, and putting it back brings nobody back who was erased since."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from connector.errors import ConfigurationFault, StoreUnavailable
from connector.keys import Keyring
from connector.model import Claim
from connector.store import again, backup, ledger, schema, suppressions
from connector.store.connect import Store
from tests.erasure.place import EMAIL, MARK, NOON, SECRET, Place, account, order, said

Opened = Callable[..., Place]


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """On SQLite only: PostgreSQL brings its own tools."""
    return f"sqlite:///{tmp_path}/connector.db"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The store's file."""
    return tmp_path / "connector.db"


def copy(place: Place, target: Path) -> int:
    with place.store.read() as conn:
        erased = suppressions.everything(conn)
    return backup.back_up(Path(str(place.store.file)), target, erased)


def test_a_copy_under_load_is_whole_and_consistent(place: Place, tmp_path: Path) -> None:
    """Taken while somebody writes without pause: no order without its lines."""
    stop = threading.Event()
    written = [0]

    def write() -> None:
        while not stop.is_set():
            written[0] += 1
            place.deliver(order(written[0], f"p{written[0]}@x.example"), words="-")
            place.engine.ingest()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while written[0] < 8:
            assert copy(place, tmp_path / "copy.db") > 0
    finally:
        stop.set()
        writer.join()
    with closing(sqlite3.connect(tmp_path / "copy.db")) as conn:
        (found,) = conn.execute("PRAGMA integrity_check").fetchone()
        (torn,) = conn.execute(
            "SELECT count(*) FROM orders o WHERE (SELECT count(*) FROM order_lines l "
            "WHERE l.order_id = o.order_id) != 2"
        ).fetchone()
        (orders,) = conn.execute("SELECT count(*) FROM orders").fetchone()
    assert ("ok", 0) == (found, torn)
    assert orders > 0
    assert 0o600 == (tmp_path / "copy.db").stat().st_mode & 0o777
    assert not (tmp_path / "copy.db-wal").exists()


def test_what_is_put_back_is_what_was_there(
    place: Place, open_place: Opened, tmp_path: Path, file: Path
) -> None:
    """Row for row; the former store is kept beside it."""
    place.tell(account(), order(1), said(Claim.GRANT))
    before = place.rows()
    copy(place, tmp_path / "copy.db")
    place.tell(order(2, "later@x.example"))
    place.store.close()
    former = backup.put_back(tmp_path / "copy.db", file)
    assert former == tmp_path / "connector.db.replaced"
    restored = open_place(SECRET)
    assert before == restored.rows()
    with closing(sqlite3.connect(former)) as conn:
        assert (2,) == conn.execute("SELECT count(*) FROM orders").fetchone()


def test_erased_since_the_backup_is_erased_again(
    place: Place, open_place: Opened, tmp_path: Path, file: Path
) -> None:
    """Threat E6: the store is refused until it is done; then the person is absent, and kept out."""
    place.tell(account(), order(1), said(Claim.GRANT), order(2, "neighbour@x.example"))
    copy(place, tmp_path / "copy.db")
    place.now += timedelta(minutes=10)
    place.erase()
    place.work()
    place.store.close()
    backup.put_back(tmp_path / "copy.db", file)
    with pytest.raises(StoreUnavailable, match="connector db erase-again"):
        open_place(SECRET)
    with closing(sqlite3.connect(file)) as conn:
        assert (EMAIL,) == conn.execute("SELECT email FROM orders WHERE order_id='1'").fetchone()
    half_done = Store.open(f"sqlite:///{file}", Keyring.of([SECRET]), put_back=True)
    assert again.erase_again(half_done, now=NOON + timedelta(hours=1)) > 0
    assert 0 == again.erase_again(half_done, now=NOON + timedelta(hours=1))
    half_done.close()
    restored = open_place(SECRET)
    restored.work()
    assert [] == restored.holding(MARK)
    restored.tell(order(3, minutes=5), said(Claim.GRANT, minutes=5))
    assert [] == restored.holding(MARK)
    assert {change.erased for change in restored.newsletter.pushed} <= {True}
    assert restored.store.tidy()
    for each in (file, Path(f"{file}-wal"), Path(f"{file}.erased")):
        if each.exists():
            assert MARK.encode() not in each.read_bytes(), each


def test_a_copy_by_hand_is_refused_as_well(
    place: Place, open_place: Opened, tmp_path: Path, file: Path
) -> None:
    """Whoever puts the file back without the command does not get around it."""
    place.tell(order(1))
    copy(place, tmp_path / "copy.db")
    place.erase(minutes=10)
    place.store.close()
    for end in ("-wal", "-shm"):
        Path(f"{file}{end}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "copy.db", file)
    with pytest.raises(StoreUnavailable, match="knows nothing of"):
        open_place(SECRET)


def test_the_list_beside_the_backup_is_enough(
    place: Place, open_place: Opened, tmp_path: Path, file: Path
) -> None:
    """The machine is lost; an old copy of the store and a newer list were kept elsewhere."""
    place.tell(order(1))
    copy(place, tmp_path / "old.db")
    place.erase(minutes=10)
    place.work()
    copy(place, tmp_path / "new.db")
    place.store.close()
    for each in tmp_path.glob("connector.db*"):
        each.unlink()
    shutil.copy(tmp_path / "new.db.erased", tmp_path / "old.db.erased")
    backup.put_back(tmp_path / "old.db", file)
    with pytest.raises(StoreUnavailable, match="erase-again"):
        open_place(SECRET)
    store = Store.open(f"sqlite:///{file}", Keyring.of([SECRET]), put_back=True)
    again.erase_again(store, now=NOON + timedelta(hours=1))
    store.close()
    restored = open_place(SECRET)
    restored.work()
    assert [] == restored.holding()


def test_without_the_old_key_it_stays_refused(
    place: Place, open_place: Opened, tmp_path: Path, file: Path
) -> None:
    """Whoever was erased under a key that is gone cannot be found again: nobody gets in."""
    place.tell(order(1))
    copy(place, tmp_path / "copy.db")
    place.erase(minutes=10)
    place.store.close()
    backup.put_back(tmp_path / "copy.db", file)
    store = Store.open(f"sqlite:///{file}", Keyring.of(["another-key-altogether"]), put_back=True)
    with pytest.raises(ConfigurationFault, match="lacks 1 key"):
        again.erase_again(store, now=NOON)
    store.close()
    with pytest.raises(StoreUnavailable):
        open_place("another-key-altogether")


def test_a_store_in_use_is_not_replaced(place: Place, tmp_path: Path, file: Path) -> None:
    """A receiver would go on writing into the old file, and what it accepted would be lost."""
    place.tell(order(1))
    copy(place, tmp_path / "copy.db")
    with pytest.raises(StoreUnavailable, match="in use"):
        backup.put_back(tmp_path / "copy.db", file)
    with place.store.only_worker(), pytest.raises(StoreUnavailable, match="another worker"):
        backup.put_back(tmp_path / "copy.db", file)
    place.tell(order(2, "b@x.example"))
    with place.store.read() as conn:
        assert 2 == conn.scalar(select(func.count()).select_from(schema.orders))


@pytest.mark.parametrize("what", ["text", "cut", "bits", "empty", "missing"])
def test_a_damaged_copy_is_not_put_back(
    place: Place, tmp_path: Path, file: Path, what: str
) -> None:
    """The store that is there is better than that, and stays."""
    place.tell(*(order(n, f"p{n}@x.example") for n in range(40)))
    before = place.rows()
    target = tmp_path / "copy.db"
    copy(place, target)
    place.store.close()
    content = bytearray(target.read_bytes())
    match what:
        case "text":
            content[:16] = b"this is a letter"
        case "cut":
            del content[len(content) // 2 :]
        case "bits":
            content[4096:] = bytes(255 - byte for byte in content[4096:])
        case "empty":
            content.clear()
        case _:
            target.unlink()
    if target.exists():
        target.write_bytes(content)
    with pytest.raises(StoreUnavailable):
        backup.put_back(target, file)
    kept = Store.open(f"sqlite:///{file}", Keyring.of([SECRET]))
    assert before == Place(kept, tmp_path).rows()
    kept.close()
    assert [] == [each.name for each in tmp_path.iterdir() if each.name.startswith(".")]


def test_a_damaged_store_is_not_backed_up(place: Place, tmp_path: Path, file: Path) -> None:
    """The last good copy is not overwritten by a bad one."""
    place.tell(*(order(n, f"p{n}@x.example") for n in range(200)))
    copy(place, tmp_path / "copy.db")
    good = (tmp_path / "copy.db").read_bytes()
    place.store.tidy()
    place.store.close()
    content = bytearray(file.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    file.write_bytes(content)
    with pytest.raises(StoreUnavailable):
        backup.back_up(file, tmp_path / "copy.db", [])
    assert good == (tmp_path / "copy.db").read_bytes()


@pytest.mark.parametrize("what", ["text", "cut", "bits"])
def test_a_damaged_store_is_replaced_and_kept(
    place: Place, open_place: Opened, tmp_path: Path, file: Path, what: str
) -> None:
    """It is refused naming the command; that puts the backup in its place, and keeps the ruin."""
    place.tell(*(order(n, f"p{n}@x.example") for n in range(40)))
    before = place.rows()
    copy(place, tmp_path / "copy.db")
    place.store.tidy()
    place.store.close()
    content = bytearray(file.read_bytes())
    match what:
        case "text":
            content[:16] = b"this is a letter"
        case "cut":
            del content[len(content) // 2 :]
        case _:
            content[100:4096] = bytes(3996)
    file.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="connector db restore"):
        open_place(SECRET)
    assert bytes(content) == file.read_bytes()
    assert backup.put_back(tmp_path / "copy.db", file) is not None
    assert before == open_place(SECRET).rows()
    assert bytes(content) == Path(f"{file}.replaced").read_bytes()


def test_a_list_that_cannot_be_read_refuses_the_store(
    place: Place, open_place: Opened, file: Path
) -> None:
    """Without it nobody can tell whether somebody erased has come back."""
    place.erase()
    place.store.close()
    path = ledger.beside(file)
    assert 0o600 == path.stat().st_mode & 0o777
    assert EMAIL not in path.read_text("utf-8")
    path.write_text("not a list", encoding="utf-8")
    with pytest.raises(StoreUnavailable, match="who was erased"):
        open_place(SECRET)


def test_a_list_that_is_lost_is_written_anew(place: Place, open_place: Opened, file: Path) -> None:
    """From the store, which knows it all."""
    place.erase()
    place.store.close()
    path = ledger.beside(file)
    content = path.read_bytes()
    path.unlink()
    open_place(SECRET)
    assert content == path.read_bytes()
