"""A whole answer has one deadline, however its bytes trickle in; real sockets, real trickles."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeAlias

import httpx
import pytest

from adapters import line
from adapters.http.account import Account
from adapters.http.client import HttpClient
from adapters.line import HiccupError
from adapters.shopify import client as shopify
from adapters.woocommerce import client as woocommerce
from adapters.woocommerce.stretches import TooMuchError
from connector.errors import TryLater

Serve: TypeAlias = Callable[..., int]
_WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_HEADERS = b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 2000
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
_FRAME = b"1;" + b"a" * 2000  # an extension of a chunk: no byte of it is the body's
_HANDSHAKE = b"\x16\x03\x03\x10\x00" + b"\x02" * 2000  # a record of TLS that goes on and on
_A_MOMENT, _SOON = 0.25, 2.0


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Answers every call with what is said ``at_once`` and then, byte by byte, what ``drips``."""
    stop, threads = threading.Event(), []

    def answer(conn: socket.socket, at_once: bytes, drips: bytes) -> None:
        with conn, contextlib.suppress(OSError):
            conn.settimeout(5)
            while conn.recv(65_536):
                conn.sendall(at_once)
                for byte in drips:
                    conn.sendall(bytes([byte]))
                    if stop.wait(0.01):
                        return

    def take(server: socket.socket, at_once: bytes, drips: bytes) -> None:
        with server:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    conn, _ = server.accept()
                    start(answer, conn, at_once, drips)

    def start(target: Callable[..., None], *parts: object) -> None:
        threads.append(threading.Thread(target=target, args=parts))
        threads[-1].start()

    def serving(at_once: bytes = b"", drips: bytes = b"") -> int:
        server = socket.create_server(("127.0.0.1", 0))
        server.settimeout(0.05)
        start(take, server, at_once, drips)
        return int(server.getsockname()[1])

    yield serving
    stop.set()
    for thread in threads:
        thread.join()


@contextlib.contextmanager
def breaks_off(error: type[Exception], match: str | None = None) -> Iterator[None]:
    """What is done meanwhile ends so, about at the deadline and not worth the name after it."""
    begun = time.monotonic()
    with pytest.raises(error, match=match):
        yield
    assert _A_MOMENT * 0.9 <= time.monotonic() - begun < _SOON


def open_line(address: str) -> httpx.Client:
    """A line that may be silent for longer than any test lasts."""
    return line.open_line(httpx.URL(address), seconds=5, transport=None)


@pytest.mark.parametrize(
    ("at_once", "drips"),
    [(b"", _HEADERS), (_CHUNKED, _FRAME), (b"", b""), (_CHUNKED, b"")],
    ids=["headers", "frame", "silence", "silence after the headers"],
)
def test_who_trickles_is_cut_off(serve: Serve, at_once: bytes, drips: bytes) -> None:
    """In the headers and in the body; silence as well, though more of it is allowed."""
    port, within = serve(at_once, drips), line.within(_A_MOMENT)
    with open_line(f"http://127.0.0.1:{port}") as http, breaks_off(httpx.ReadTimeout), within:
        http.get(f"http://127.0.0.1:{port}/")


def test_who_trickles_and_comes_to_an_end_is_heard(serve: Serve) -> None:
    """In time, and for any time where none is set."""
    port = serve(b"", _WHOLE)
    with open_line(f"http://127.0.0.1:{port}") as http:
        for seconds in (_SOON * 2, None):
            with line.within(seconds) if seconds else contextlib.nullcontext():
                assert b"{}" == http.get(f"http://127.0.0.1:{port}/").content


def test_a_line_is_used_again_after_its_deadline(serve: Serve) -> None:
    """The deadline is of one call; the connection, which stays open, knows nothing of it."""
    port = serve(_WHOLE)
    with open_line(f"http://127.0.0.1:{port}") as http:
        with line.within(0.5):
            first = http.get(f"http://127.0.0.1:{port}/")
        time.sleep(0.5)
        second = http.get(f"http://127.0.0.1:{port}/")
        assert b"{}" == second.content
        streams = [each.extensions["network_stream"] for each in (first, second)]
        assert streams[0] is streams[1]


def test_the_sooner_of_two_deadlines_counts(serve: Serve) -> None:
    """A long one inside a short one, and the other way round."""
    port = serve(b"", _HEADERS)
    with open_line(f"http://127.0.0.1:{port}") as http:
        for outer, inner in ((_A_MOMENT, 60), (60, _A_MOMENT)):
            with breaks_off(httpx.ReadTimeout), line.within(outer), line.within(inner):
                http.get(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("drips", [_HANDSHAKE, b""], ids=["a record of TLS", "silence"])
def test_a_handshake_that_does_not_end_is_cut_off(serve: Serve, drips: bytes) -> None:
    """Before a word of HTTP is said."""
    port = serve(b"", drips)
    within = line.within(_A_MOMENT)
    with open_line(f"https://127.0.0.1:{port}") as http, breaks_off(httpx.ConnectTimeout), within:
        http.get(f"https://127.0.0.1:{port}/")


def test_who_does_not_listen_is_cut_off() -> None:
    """A body that nobody takes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        within = line.within(_A_MOMENT)
        with open_line(address) as http, breaks_off(httpx.WriteTimeout), within:
            http.post(address, content=b"x" * 20_000_000)


def test_a_proxy_that_trickles_is_cut_off(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is between us and the shop."""
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://kari:secret@127.0.0.1:{serve(b'', _HEADERS)}")
    within = line.within(_A_MOMENT)
    with open_line("http://shop.example") as http, breaks_off(httpx.ReadTimeout), within:
        http.get("http://shop.example/")


# --- The clients ---------------------------------------------------------------------------------


def quiet(_: float) -> None:
    """No pause between attempts."""


@pytest.mark.parametrize(
    ("at_once", "drips"), [(b"", _HEADERS), (_CHUNKED, _FRAME)], ids=["headers", "frame"]
)
def test_shops_and_receivers_are_cut_off(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, at_once: bytes, drips: bytes
) -> None:
    """All that is asked of them, each attempt by itself."""
    address = f"http://127.0.0.1:{serve(at_once, drips)}"
    monkeypatch.setattr(woocommerce, "_LONGEST_CALL", _A_MOMENT)
    monkeypatch.setattr(woocommerce, "_SLOWEST_LIST", _A_MOMENT)
    monkeypatch.setattr(woocommerce, "_ATTEMPTS", 1)
    monkeypatch.setattr(shopify, "_LONGEST_CALL", _A_MOMENT)
    monkeypatch.setattr(shopify, "_ATTEMPTS", 1)
    wool = woocommerce.WooCommerceClient(address, "ck_x", "cs_y", sleep=quiet)
    keys = shopify.Keys(access_token="shpat_x")
    yarn = shopify.ShopifyClient("yarn", address, keys, api_version="2026-10", sleep=quiet)
    desk = HttpClient(Account.check("desk", address, ["whsec_" + "A" * 44]), _A_MOMENT)
    with contextlib.closing(wool), contextlib.closing(yarn), contextlib.closing(desk):
        with breaks_off(TryLater, match="no answer"):
            wool.site()
        with breaks_off(TooMuchError):
            wool.listed("orders", {})
        with breaks_off(TryLater, match="no answer"):
            yarn.ask("shop", {})
        with breaks_off(HiccupError, match="broke off"):
            next(yarn.fetch_file(f"{address}/file.jsonl", after=0))
        with breaks_off(TryLater, match="no answer"):
            desk.post("1", b"{}")


def test_a_long_file_is_read_for_as_long_as_it_comes(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its deadline is of each piece: the whole takes several times as long."""
    monkeypatch.setattr(shopify, "_LONGEST_CALL", 0.1)
    length = 40
    at_once = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length
    address = f"http://127.0.0.1:{serve(at_once, b'x' * length)}"
    keys = shopify.Keys(access_token="shpat_x")
    yarn = shopify.ShopifyClient("yarn", address, keys, api_version="2026-10", sleep=quiet)
    begun = time.monotonic()
    with contextlib.closing(yarn):
        assert b"x" * length == b"".join(yarn.fetch_file(f"{address}/file.jsonl", after=0))
    assert time.monotonic() - begun > 0.3
