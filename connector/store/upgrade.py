"""Before a store is used: a damaged file is refused, and the tables are brought up to date."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Engine

from connector.errors import ConfigurationFault, StoreUnavailable
from connector.store.damage import refuse_damaged, refuse_missing
from connector.store.ground import refuse_share
from connector.store.patience import begin_immediate

_MIGRATIONS = Path(__file__).parent / "migrations"


def check_file(path: str | None) -> None:
    """Refuse what is no store of ours before SQLite makes an empty one of it."""
    if not path or path == ":memory:":
        raise ConfigurationFault("store: name a file, sqlite:///FILE; memory does not outlast 200.")
    file = Path(path)
    folder = file.parent
    if not folder.is_dir():
        raise StoreUnavailable(f"the folder {folder} of the store does not exist: make it first.")
    refuse_share(file)
    if not file.exists():
        refuse_missing(file)
        if not os.access(folder, os.W_OK):
            raise StoreUnavailable(f"the folder {folder} of the store cannot be written.")
        file.touch(mode=0o600)
        return
    if not os.access(file, os.W_OK):
        raise StoreUnavailable(f"the store {path} cannot be written by this user.")
    refuse_damaged(file)


def migrate(engine: Engine) -> None:
    """Bring the tables to this program's schema. Raises `StoreUnavailable` for a newer one."""
    script = _script()
    with engine.connect() as conn:
        current = MigrationContext.configure(conn).get_current_revision()
        conn.rollback()
        if current == script.get_current_head():
            return
        if current is not None:
            try:
                script.get_revision(current)
            except CommandError as problem:
                raise StoreUnavailable(
                    f"the store was written by a newer connector (schema {current}): "
                    "install that version again, or restore the backup from before the upgrade."
                ) from problem
        if engine.dialect.name == "sqlite":
            begin_immediate(conn.connection.driver_connection)
        config = _config()
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
        conn.commit()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


@cache
def _script() -> ScriptDirectory:
    """The migrations, read from their files once a process."""
    script = ScriptDirectory.from_config(_config())
    script.get_current_head()
    return script
