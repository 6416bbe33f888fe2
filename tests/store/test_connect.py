"""Opening the store: durable on every connection, at the newest schema, never by guess."""

from __future__ import annotations

import gc
import threading
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from connector.errors import ConfigurationFault, StoreUnavailable
from connector.store.connect import Store
from connector.store.schema import metadata


def test_every_connection_commits_durably(store: Store) -> None:
    """WAL with FULL on SQLite, synchronous_commit on PostgreSQL, also on the tenth connection."""
    connections = [store.engine.connect() for _ in range(10)]
    for conn in connections:
        if store.dialect == "sqlite":
            assert ("wal", 2) == (
                conn.exec_driver_sql("PRAGMA journal_mode").scalar(),
                conn.exec_driver_sql("PRAGMA synchronous").scalar(),
            )
        else:
            assert "on" == conn.exec_driver_sql("SHOW synchronous_commit").scalar()
        conn.close()


def test_the_migrations_end_in_the_schema(store: Store) -> None:
    """What Alembic built is what the tables in the code say."""
    with store.engine.connect() as conn:
        assert [] == compare_metadata(MigrationContext.configure(conn), metadata)


def test_a_failed_write_leaves_nothing(store: Store) -> None:
    """An exception undoes the whole transaction, and the store works on."""
    insert = text("INSERT INTO cursors (name, updated_at) VALUES (:name, 1)")

    def stumble() -> None:
        with store.write() as conn:
            conn.execute(insert, {"name": "half"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stumble()
    with store.write() as conn:
        conn.execute(insert, {"name": "whole"})
    with store.read() as conn:
        assert ["whole"] == conn.scalars(text("SELECT name FROM cursors")).all()


def test_a_store_of_a_newer_version_is_refused(store: Store, store_url: str) -> None:
    """It is left as it is, and the message says what to do."""
    with store.write() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreUnavailable, match="written by a newer connector"):
        Store.open(store_url)
    with store.read() as conn:
        assert "9999" == conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


@pytest.mark.parametrize(
    "url", ["mysql://h/d", "nonsense", "sqlite://", "sqlite:///:memory:", "oracle://x"]
)
def test_an_address_that_is_no_store_is_a_fault(url: str) -> None:
    """The message says which addresses there are."""
    with pytest.raises(ConfigurationFault, match="sqlite:///FILE"):
        Store.open(url)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_unreachable_server_is_said_so(tmp_path: Path) -> None:
    """Without its password. The driver itself drops a half-open connection, and warns of it."""
    with pytest.raises(StoreUnavailable) as raised:
        Store.open(f"postgresql+psycopg://me:hidden@/db?host={tmp_path}")
    assert "hidden" not in str(raised.value)
    assert "cannot be used" in str(raised.value)
    del raised
    gc.collect()


def test_a_writer_waits_for_another_programs_lock(tmp_path: Path) -> None:
    """Half a second of somebody else's lock is no error on SQLite."""
    url = f"sqlite:///{tmp_path}/c.db"
    mine, other = Store.open(url), Store.open(url)
    began = threading.Event()

    def hold() -> None:
        with other.write() as conn:
            conn.execute(text("INSERT INTO cursors (name, updated_at) VALUES ('theirs', 1)"))
            began.set()
            time.sleep(0.5)

    holder = threading.Thread(target=hold)
    holder.start()
    began.wait()
    with mine.write() as conn:
        conn.execute(text("INSERT INTO cursors (name, updated_at) VALUES ('mine', 1)"))
    holder.join()
    with mine.read() as conn:
        assert 2 == conn.scalar(text("SELECT count(*) FROM cursors"))
    mine.close()
    other.close()


def test_an_error_quotes_no_values(store: Store) -> None:
    """The statement's parameters may be a person's; only an error's first line is ever shown."""
    insert = text("INSERT INTO cursors (name) VALUES (:name)")
    with pytest.raises(Exception, match="cursors") as raised, store.write() as conn:
        conn.execute(insert, {"name": "kari@x.example"})
    shown = str(raised.value).splitlines()[0]
    assert "kari" not in shown
    assert "cursors" in shown
