"""What is done once for all tests instead of once for each, so that the suite stays quick.

Nothing here changes what is tested: stores commit durably and are looked at by the migrations,
SQL and the stand-ins' routes are the same. It is only not made anew a thousand times.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from connector.store import connect
from connector.store.connect import Store

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder in memory, used as a folder is
ROOM = 2 * 2**30
"""Bytes free in `MEMORY` below which a run rather writes to the disk."""
LONG = ("test_crash.py", "test_wreck.py", "test_demo.py", "test_outage.py", "test_brought_over.py")
"""Files of tests of many seconds: begun first, so that the end does not wait for one of them."""


def write_to_memory(config: pytest.Config) -> None:
    """Let what tests write lie in memory where there is room: no test is about the disk's speed.

    The programs do all that they do on a disk, `fsync` included; ``TMPDIR`` names another place.
    At the end of the run nothing is left there but what pytest keeps of tests that failed.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK | os.X_OK):
        return
    if shutil.disk_usage(MEMORY).free > ROOM:
        folder = tempfile.mkdtemp(prefix="connector-tests-", dir=MEMORY)
        Path(folder).chmod(0o711)  # a root's PostgreSQL server runs as another user
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)
        os.environ["TMPDIR"] = folder
        tempfile.tempdir = None  # look again


class _AnyStores(LRUCache[Any, Any]):
    """Compiled SQL for every store of one engine; SQLAlchemy's keys begin with the store's own."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(key[1:], compiled)


def keep_bytecode(root: Path) -> None:
    """Where nothing compiled is to lie beside the sources, let it lie in pytest's own folder.

    Else each of the programs that tests start compiles all of ours again.
    """
    if sys.dont_write_bytecode:
        sys.dont_write_bytecode = False
        sys.pycache_prefix = str(root / ".pytest_cache" / "bytecode")
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix


@pytest.fixture(scope="session", autouse=True)
def stores_made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give every new SQLite store the tables that Alembic once made, as PostgreSQL's get theirs.

    And let the stores of one process share the SQL that was compiled for one of them. The
    program's own `migrate` still looks at each store; those that a test's processes open are
    migrated from nothing.
    """
    migrate, turn = connect.migrate, threading.Lock()
    first = tmp_path_factory.mktemp("migrated") / "connector.db"
    Store.open(f"sqlite:///{first}").close()
    tables = first.read_bytes()
    compiled = {"sqlite": _AnyStores(500), "postgresql": _AnyStores(500)}

    def copy_and_migrate(engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=compiled[engine.dialect.name])
        if engine.dialect.name == "sqlite":
            file = Path(str(engine.url.database))
            with turn:
                if not file.stat().st_size:
                    file.write_bytes(tables)
        migrate(engine)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connect, "migrate", copy_and_migrate)
        yield


@pytest.fixture(scope="session", autouse=True)
def routes_written_when_asked() -> Iterator[None]:
    """Let the stand-ins' routes be matched only: what writes an address is made when one is asked.

    Werkzeug compiles two functions for each route at once, and a stand-in has dozens of routes.
    """
    compile_now = Rule._compile_builder

    def compile_later(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:  # noqa: FBT001, FBT002 - Werkzeug's own
        def build(itself: Rule, /, **values: Any) -> Any:
            return compile_now(rule, append_unknown)(itself, **values)

        return build

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", compile_later)
        yield
