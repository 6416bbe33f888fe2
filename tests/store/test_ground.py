"""The disk below the store: network shares are refused, and room is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.errors import StoreUnavailable
from connector.store import ground
from connector.store.connect import Store


def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    table = tmp_path / "mounts"
    table.write_text("".join(f"{line}\n" for line in ("/dev/a / ext4 rw 0 0", *lines)), "utf-8")
    monkeypatch.setattr(ground, "MOUNTS", table)


@pytest.mark.parametrize("kind", ["nfs4", "nfs", "cifs", "smb3", "fuse.sshfs", "ceph"])
def test_row_97_a_network_share_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """With its kind, before SQLite makes a file there."""
    mounted(tmp_path, monkeypatch, f"server:/x {tmp_path} {kind} rw 0 0")
    file = tmp_path / "connector.db"
    with pytest.raises(StoreUnavailable, match=f"network share \\({kind}\\)"):
        Store.open(f"sqlite:///{file}")
    assert not file.exists()


def test_a_local_disk_within_a_share_is_fine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest mount counts, also one with a space in its name."""
    near = tmp_path / "a disk"
    near.mkdir()
    written = str(near).replace(" ", "\\040")
    mounted(tmp_path, monkeypatch, f"s:/x {tmp_path} nfs4 rw 0 0", f"/dev/b {written} xfs rw 0 0")
    assert ground.network_share(near / "connector.db") is None
    assert "nfs4" == ground.network_share(tmp_path / "connector.db")


def test_a_system_that_does_not_tell_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a table of mounts there is nothing to refuse for."""
    monkeypatch.setattr(ground, "MOUNTS", tmp_path / "none")
    assert ground.network_share(tmp_path / "connector.db") is None


def test_the_file_of_a_store() -> None:
    """A server has none."""
    assert Path("/data/connector.db") == ground.sqlite_file("sqlite:////data/connector.db")
    assert ground.sqlite_file("postgresql+psycopg://u@h/d") is None
