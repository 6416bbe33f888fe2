"""Damaged bytes at the head of the file: refused with what to do, or read as it was."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from connector.errors import StoreUnavailable
from connector.store.connect import Store
from connector.store.damage import MEND
from connector.store.schema import deliveries
from tests.faults.house import Premises


def _filled(path: Path) -> bytes:
    """A store with deliveries, closed; its file's bytes."""
    store = Store.open(f"sqlite:///{path}")
    premises = Premises(store)
    for person in range(20):
        premises.arrive(person, order=1, says="grant")
    premises.engine.drain()
    premises.inbox.close()
    store.close()
    return path.read_bytes()


def _bodies(path: Path) -> list[bytes]:
    store = Store.open(f"sqlite:///{path}")
    with store.read() as conn:
        rows = conn.execute(deliveries.select().order_by(deliveries.c.id)).all()
    store.close()
    assert all(hashlib.sha256(row.body).digest() == row.body_sha256 for row in rows)
    return [row.body for row in rows]


@pytest.mark.parametrize("field", [range(16), range(16, 18), range(19, 20)])
def test_a_damaged_head_is_refused_with_the_restore_command(tmp_path: Path, field: range) -> None:
    """The name of the format, a page's size, the version to read: the file is left as it was."""
    path = tmp_path / "connector.db"
    whole = _filled(path)
    for at in field:
        harmed = bytearray(whole)
        harmed[at] ^= 0xFF
        path.write_bytes(harmed)
        with pytest.raises(StoreUnavailable) as caught:
            Store.open(f"sqlite:///{path}")
        assert MEND in str(caught.value), at
        assert bytes(harmed) == path.read_bytes(), at


def test_no_damaged_byte_of_the_head_loses_anything_in_silence(tmp_path: Path) -> None:
    """Each of the 100 bytes in turn: either the store is refused, or every delivery is there."""
    path = tmp_path / "connector.db"
    whole = _filled(path)
    bodies = _bodies(path)
    refused = 0
    for at in range(100):
        harmed = bytearray(whole)
        harmed[at] ^= 0xFF
        path.write_bytes(harmed)
        for beside in ("-wal", "-shm"):
            Path(f"{path}{beside}").unlink(missing_ok=True)
        try:
            found = _bodies(path)
        except StoreUnavailable:
            refused += 1
        else:
            assert bodies == found, at
    assert 20 <= refused
