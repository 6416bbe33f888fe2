"""Files that are written whole or not at all, for their owner's eyes only, and never by a trick."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from connector.errors import ConnectorError


def put_in_place(path: Path, content: bytes) -> None:
    """Replace a file as a whole: after a power cut it is the old one or the new one.

    Raises ``OSError``.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises ``OSError``."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def refuse_tricks(path: Path, *, force: bool) -> None:
    """Refuse to write where somebody else may have led us, or over what is there already.

    Raises `ConnectorError`: for ``..`` in the path, for a symbolic link, for what is no plain file,
    and for an existing file without ``force``.
    """
    if ".." in path.parts:
        raise ConnectorError(f"{path} goes back with '..': name the place itself.")
    for place in (path, path.parent):
        if place.is_symlink():
            raise ConnectorError(f"{place} is a symbolic link: name the place it leads to.")
    if not path.parent.is_dir():
        raise ConnectorError(f"The folder {path.parent} does not exist: make it first.")
    if path.exists():
        if not path.is_file():
            raise ConnectorError(f"{path} is there already, and is no file.")
        if not force:
            raise ConnectorError(f"{path} is there already: --force replaces it.")


def make_private(folder: Path) -> None:
    """Make a folder for our user alone, if it is not there; refuse one that all may change.

    Raises `ConnectorError` or ``OSError``.
    """
    if ".." in folder.parts or folder.is_symlink():
        raise ConnectorError(f"{folder} is not named directly: no '..' and no symbolic link.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & stat.S_IWOTH:
        raise ConnectorError(f"{folder} can be changed by everybody here: chmod o-w {folder}")
