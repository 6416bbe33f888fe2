"""Redirects: wherever a platform sends us, nobody there hears of us."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest

from adapters.line import open_line
from adapters.wire import Wire

KEY = "a-key-that-goes-nowhere-else-55"


@pytest.fixture
def two() -> Iterator[tuple[int, list[str]]]:
    """A server that sends everybody on to a second one: its port, and what the second heard."""
    heard: list[str] = []

    class Second(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(f"{self.path} {self.headers}")
            self.send_response(200)
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    second = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Second)

    class First(Second):
        def do_GET(self) -> None:
            self.send_response(int(self.path.strip("/")))
            self.send_header("Location", f"http://127.0.0.1:{second.server_port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

    first = http.server.ThreadingHTTPServer(("127.0.0.1", 0), First)
    threads = [
        threading.Thread(target=each.serve_forever, args=(0.02,)) for each in (first, second)
    ]
    for each in threads:
        each.start()
    yield first.server_port, heard
    for server in (first, second):
        server.shutdown()
        server.server_close()
    for each in threads:
        each.join()


def over_httpx(method: str, url: str) -> int:
    """The door of shops."""
    with open_line(httpx.URL(url), seconds=2, transport=None) as line:
        return line.request(method, url, headers={"Authorization": KEY}).status_code


def over_requests(method: str, url: str) -> int:
    """The door of Mailchimp and Meta."""
    wire = Wire("Mailchimp", connections=1, seconds=2, through_proxies=False)
    return wire.send(method, url, headers={}, basic=("any", KEY)).status_code


@pytest.mark.parametrize("ask", [over_httpx, over_requests])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_threat_o3_the_second_server_hears_nothing(
    ask: Callable[[str, str], int], method: str, status: int, two: tuple[int, list[str]]
) -> None:
    """Threat O3: the redirect itself is the answer, whatever was asked and however."""
    port, heard = two
    assert status == ask(method, f"http://127.0.0.1:{port}/{status}")
    assert [] == heard
