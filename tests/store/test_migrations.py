"""The migrations lead to the tables that the program speaks to, on both engines."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from connector.store.connect import Store
from connector.store.schema import metadata
from connector.store.upgrade import _MIGRATIONS


def test_migrations_and_schema_agree(store: Store) -> None:
    """Nothing would have to be added, dropped or changed."""
    with store.engine.connect() as conn:
        context = MigrationContext.configure(
            conn, opts={"compare_type": True, "compare_server_default": False}
        )
        assert [] == compare_metadata(context, metadata)


def test_every_default_and_key_is_there(store: Store) -> None:
    """What the comparison does not look at: defaults, and what a table's key is made of."""
    found = inspect(store.engine)
    for table in metadata.sorted_tables:
        columns = {column["name"]: column for column in found.get_columns(table.name)}
        assert [column.name for column in table.c] == list(columns) or set(columns) == {
            column.name for column in table.c
        }
        for column in table.c:
            has_default = columns[column.name]["default"] is not None
            assert has_default or column.server_default is None, f"{table.name}.{column.name}"
            assert columns[column.name]["nullable"] == bool(column.nullable)
        key = found.get_pk_constraint(table.name)["constrained_columns"]
        assert [column.name for column in table.primary_key] == key


def test_there_is_one_line_of_migrations() -> None:
    """No two of them claim the same place."""
    script = ScriptDirectory(str(_MIGRATIONS))
    numbers = [each.revision for each in script.walk_revisions()]
    assert 1 == len(script.get_heads())
    assert sorted(numbers, reverse=True) == numbers
