"""Archives of results are read in memory, within bounds, and whatever their files are called."""

from __future__ import annotations

import gzip
import io
import itertools
import tarfile
import tracemalloc
from typing import Any

import msgspec
import pytest

from adapters.mailchimp.commerce import archive
from adapters.mailchimp.commerce.archive import unpack
from connector.errors import TryLater

GOOD = [{"status_code": 200, "operation_id": "0-0", "response": '{"id":"1"}'}]


def tar(*files: tuple[str, bytes], kind: bytes = tarfile.REGTYPE, **more: Any) -> bytes:
    """A gzipped tar of these files."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz", **more) as made:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            member.size = len(content) if kind == tarfile.REGTYPE else 0
            made.addfile(member, io.BytesIO(content))
    return target.getvalue()


def test_results_of_every_file() -> None:
    """Taken ones with what was said, refused ones with the refusal, by operation."""
    bad = {
        "status_code": 400,
        "operation_id": "1-0",
        "response": '{"title":"Bad Request","detail":"No","errors":[{"field":"x","message":"y"}]}',
    }
    odd = {"status_code": 200, "operation_id": "2-0", "response": "no JSON", "more": 1}
    files = [("a.json", msgspec.json.encode(GOOD)), ("b.json", msgspec.json.encode([bad, odd]))]
    replies = dict(unpack(tar(*files)))
    assert {"id": "1"} == replies["0-0"].said
    refused = replies["1-0"].refused
    assert refused is not None
    assert (400, "Bad Request", "x") == (refused.status, refused.title, refused.complaint.field)
    assert ({}, None) == (replies["2-0"].said, replies["2-0"].refused)


@pytest.mark.parametrize("name", ["../../x.json", "/etc/x.json", "a/../../b", "C:\\x", "x" * 300])
def test_names_lead_nowhere(name: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written, whatever a file is called."""
    monkeypatch.chdir(tmp_path)
    assert ["0-0"] == [each for each, _ in unpack(tar((name, msgspec.json.encode(GOOD))))]
    assert [] == list(tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
)
def test_what_is_no_file_is_not_followed(kind: bytes) -> None:
    """Links, devices and folders hold no results."""
    assert [] == list(unpack(tar(("x.json", b""), kind=kind)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        gzip.compress(b""),
        gzip.compress(b"no tar, but long enough to be taken for a header" * 30),
        tar(("a.json", b"{")),
        tar(("a.json", b'{"status_code": 200}')),
        tar(("a.json", b'[{"status_code": "200"}]')),
        tar(("a.json", b"[[" * 100_000)),
        tar(("a.json", b"\xff\xfe")),
        tar(("a.json", msgspec.json.encode(GOOD)))[:-40],
        tar(("a.json", msgspec.json.encode(GOOD)))[:60],
        b"\x1f\x8b\x08\x00" + b"\x00" * 100,
    ],
    ids=itertools.count(),  # the bytes hold the time at which they were packed
)
def test_what_is_no_archive_of_results(content: bytes) -> None:
    """It is said so, and nothing else happens."""
    with pytest.raises(TryLater, match="cannot be read"):
        list(unpack(content))


@pytest.mark.parametrize("where", ["file", "header"])
def test_a_bomb(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A little that unpacks to a lot is stopped in time, be it a file or a header of the tar."""
    monkeypatch.setattr(archive, "LARGEST_UNPACKED", 4_000_000)
    lots = 40_000_000
    if where == "file":
        bomb = tar(("a.json", b" " * lots))
    else:
        bomb = tar(("x" * lots, b""), format=tarfile.PAX_FORMAT)
    assert len(bomb) < 500_000
    tracemalloc.start()
    with pytest.raises(TryLater, match="too much"):
        list(unpack(bomb))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


def test_too_many_files() -> None:
    """A batch of 1,000 operations has a few."""
    with pytest.raises(TryLater, match="too many"):
        list(unpack(tar(*((f"{at}.json", b"[]") for at in range(10_001)))))
