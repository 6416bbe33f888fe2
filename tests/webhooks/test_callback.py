"""The door that waits for one post, and for nothing else."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from connector.errors import AddressInUse
from webhooks.callback import wait_for_post

PATH = "/webhooks/wool/key-3f9a"


def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def waiting(seconds: float = 10) -> Iterator[tuple[str, list[bytes | None]]]:
    """The door in a thread: its address, and what it gave once it was done."""
    here, got = port(), []

    def wait() -> None:
        read = {b"right": b"RIGHT"}.get
        got.append(wait_for_post("127.0.0.1", here, PATH, read, seconds=seconds))

    thread = threading.Thread(target=wait)
    thread.start()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", here), timeout=1).close()
            break
        except OSError:
            time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{here}", got
    finally:
        thread.join(20)


def test_the_right_post_is_taken_once() -> None:
    """It is answered exactly 200, which the shop insists on, and then the door is gone."""
    with waiting() as (address, got):
        assert 200 == httpx.post(f"{address}{PATH}?x=1", content=b"right").status_code
    assert [b"RIGHT"] == got
    with pytest.raises(httpx.ConnectError):
        httpx.post(f"{address}{PATH}", content=b"right")


def test_a_proxys_prefix_does_no_harm() -> None:
    """Some pass the whole path on, some a part of it."""
    with waiting() as (address, got):
        assert 200 == httpx.post(f"{address}/connector{PATH}", content=b"right").status_code
    assert [b"RIGHT"] == got


def test_everything_else_is_refused() -> None:
    """Another address, another body, one too large, a GET: nothing of it ends the wait."""
    with waiting(1.5) as (address, got):
        assert 404 == httpx.post(f"{address}/webhooks/wool/key-3f9b", content=b"right").status_code
        assert 404 == httpx.post(f"{address}/", content=b"right").status_code
        assert 400 == httpx.post(f"{address}{PATH}", content=b"wrong").status_code
        assert 404 == httpx.post(f"{address}{PATH}", content=b"x" * 20_000).status_code
        assert 404 == httpx.post(f"{address}{PATH}", content=iter([b"right"])).status_code
        assert 404 == httpx.get(f"{address}/").status_code
        assert 501 == httpx.put(f"{address}{PATH}", content=b"right").status_code
        assert [] == got
    assert [None] == got


def test_the_browser_comes_back_to_a_word() -> None:
    """The return address is the same as the callback's."""
    with waiting(1) as (address, got):
        answer = httpx.get(f"{address}{PATH}?success=1&user_id=3f9a")
        assert (200, True) == (answer.status_code, "go back to the terminal" in answer.text)
    assert [None] == got


def test_an_address_in_use_is_said() -> None:
    """Exit 4 when nobody catches it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        here = taken.getsockname()[1]
        with pytest.raises(AddressInUse, match=str(here)):
            wait_for_post("127.0.0.1", here, PATH, lambda _: None, seconds=1)
