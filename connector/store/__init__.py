"""The store: SQLAlchemy Core, written once, run on SQLite and PostgreSQL."""
