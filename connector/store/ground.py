"""The disk an SQLite store lies on: is it one that keeps its promises, and is there room left."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from sqlalchemy import make_url

from connector.errors import StoreUnavailable

MOUNTS = Path("/proc/self/mounts")
LEAST_FREE = 200 * 2**20
"""Bytes that must be free: below, the store may soon refuse what shops send."""

_SHARES = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|ncpfs|afs|ceph|glusterfs|lustre|davfs|fuse\.(sshfs|rclone|s3fs|ceph"
    r"|glusterfs|davfs2?|gcsfuse|smbnetfs)"
)
_OCTAL = re.compile(r"\\([0-7]{3})")


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite store; ``None`` for one on a server."""
    parsed = make_url(url)
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database
    return Path(str(parsed.database)) if is_file else None


def network_share(file: Path) -> str | None:
    """The kind of network share that a file lies on, or ``None``.

    SQLite's WAL needs memory shared between processes and locks that hold, and no share gives
    them: https://www.sqlite.org/wal.html, https://www.sqlite.org/howtocorrupt.html.
    """
    try:
        mounts = MOUNTS.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None  # this system does not tell
    place = file.parent.resolve()
    kinds = {
        Path(_plain(fields[1])): fields[2]
        for fields in (line.split(" ") for line in mounts)
        if len(fields) > 2  # noqa: PLR2004 - device, place, kind
    }
    kind = next((kinds[at] for at in (place, *place.parents) if at in kinds), "")
    return kind if _SHARES.fullmatch(kind) else None


def refuse_share(file: Path) -> None:
    """Raise `StoreUnavailable` for a file on a network share."""
    if (share := network_share(file)) is not None:
        raise StoreUnavailable(
            f"the store {file} is on a network share ({share}), where SQLite loses what it was "
            "given: put it on a local disk, or use PostgreSQL."
        )


def free_bytes(file: Path) -> int:
    """Room left where a file lies, for us. Raises `OSError`."""
    return shutil.disk_usage(file.parent).free


def _plain(mount: str) -> str:
    """A place of the mount table, which writes a space and others as octal numbers."""
    return _OCTAL.sub(lambda octal: chr(int(octal[1], 8)), mount)
