"""A destination that is a folder: one SQLite file to search in, and the same tables as CSV."""
