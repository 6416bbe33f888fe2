"""Where a line may lead: public addresses only, looked up once, and checked before the call."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from adapters import reach
from adapters.line import open_line
from adapters.reach import Reach
from adapters.wire import Wire
from adapters.woocommerce.shop import WooCommerceShop
from connector.errors import LaneDown, TryLater

ANY = ".".join("0000")
NOWHERE_PUBLIC = [
    *("127.0.0.1", "127.8.9.1", "::1", "10.0.0.1", "10.255.255.255", "172.16.0.1"),
    *("172.31.255.254", "192.168.0.1", "192.168.255.255", "169.254.169.254", ANY),
    *("fd00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "::ffff:127.0.0.1"),
    *("::ffff:8.8.8.8", "64:ff9b::a9fe:a9fe", "64:ff9b::808:808", "2002:a9fe:a9fe::1"),
    *("fd00:ec2::254", "100.64.0.1", "100.127.255.255", "224.0.0.1", "ff02::1", "240.0.0.1"),
    *("255.255.255.255", "192.0.2.1", "198.18.0.1", "2001:db8::1", "2001::1", "::", "::8.8.8.8"),
    *("3fff::1", "not-an-address", "", "1.2.3", "1.2.3.4.5", "0x7f.1", "2130706433"),
]
PUBLIC = [
    *("8.8.8.8", "172.15.255.255", "172.32.0.1", "192.167.1.1", "100.63.255.255"),
    *("100.128.0.1", "169.253.1.1", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1"),
]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What names lead to; a list of lists is what it says one time after the other."""
    known: dict[str, Any] = {}
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *others: Any, **more: Any) -> list[Any]:
        if host not in known:
            return real(host, port, *others, **more)
        asked.append(host)
        told = known[host]
        if told and isinstance(told[0], list):
            told = told.pop(0) if len(told) > 1 else told[0]
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port, 0, 0) if ":" in address else (address, port),
            )
            for address in told
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    known["asked"] = asked
    return known


@pytest.fixture
def neighbour() -> Iterator[tuple[int, list[str]]]:
    """A service on this machine that takes what it is told: its port, and what it was asked."""
    heard: list[str] = []

    class Neighbour(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(f"{self.headers['Host']} {self.path}")
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Neighbour)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_port, heard
    server.shutdown()
    thread.join()
    server.server_close()


def over_httpx(url: str) -> None:
    """The door of shops."""
    with open_line(httpx.URL(url), seconds=2, transport=None) as http:
        http.get(f"{url}/x")


def over_requests(url: str) -> None:
    """The door of Mailchimp and Meta."""
    Wire("Mailchimp", connections=1, seconds=2).send("GET", f"{url}/x", headers={})


DOORS = pytest.mark.parametrize("ask", [over_httpx, over_requests])


@pytest.mark.parametrize("address", NOWHERE_PUBLIC)
def test_threat_o1_what_is_not_public(address: str) -> None:
    """Threat O1: private, local, shared, reserved, hidden and unreadable ones are told apart."""
    assert not reach.is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public(address: str) -> None:
    """Their neighbours on both sides are everybody's."""
    assert reach.is_public(address)


@DOORS
@pytest.mark.parametrize("address", [a for a in NOWHERE_PUBLIC if reach.spelled(a)])
def test_threat_o1_a_name_that_leads_inside(
    ask: Callable[[str], None], address: str, answers: dict[str, Any]
) -> None:
    """Threat O1: whoever owns the name cannot send us to a neighbour; it is told who mends it."""
    answers["shop.example"] = [address]
    with pytest.raises(LaneDown) as refused:
        ask("http://shop.example:9")
    assert f"shop.example leads to {address}" in refused.value.reason
    assert "private_network: true" in refused.value.mend
    assert "DNS" in refused.value.mend


@DOORS
@pytest.mark.parametrize(
    "host", ["10.0.0.1", "192.168.1.1", "169.254.169.254", ANY, "[fd00::1]",
             "[::ffff:127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]",
             "[fd00:ec2::254]"],
)  # fmt: skip
def test_threat_o1_an_address_written_out(ask: Callable[[str], None], host: str) -> None:
    """Threat O1: nor can whoever writes the address itself."""
    with pytest.raises(LaneDown, match="not one of addresses that are public"):
        ask(f"http://{host}:9")


@DOORS
@pytest.mark.parametrize("host", ["0x7f.1", "2130706433", "127.1"])
def test_threat_o1_this_machine_in_disguise(
    ask: Callable[[str], None], host: str, neighbour: tuple[int, list[str]]
) -> None:
    """Threat O1: spellings that only the resolver understands lead nowhere either."""
    port, heard = neighbour
    with pytest.raises((LaneDown, TryLater, httpx.ConnectError)):
        ask(f"http://{host}:{port}")
    assert [] == heard


@DOORS
def test_threat_o1_a_name_that_flips(
    ask: Callable[[str], None], answers: dict[str, Any], neighbour: tuple[int, list[str]]
) -> None:
    """Threat O1: between check and connection nothing is asked again, so nothing can flip."""
    port, heard = neighbour
    answers["shop.example"] = [["198.51.100.7"], ["127.0.0.1"]]
    with pytest.raises(LaneDown):  # the first answer is for documents only
        ask(f"http://shop.example:{port}")
    assert ["shop.example"] == answers["asked"]
    answers["shop.example"] = [["127.0.0.1"], ["8.8.8.8"]]
    with pytest.raises(LaneDown):
        ask(f"http://shop.example:{port}")
    assert ["shop.example"] * 2 == answers["asked"]
    assert [] == heard


@DOORS
def test_threat_o1_the_checked_address_is_the_called_one(
    ask: Callable[[str], None],
    answers: dict[str, Any],
    neighbour: tuple[int, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Threat O1: the socket goes to the number that was judged, under the name that was meant."""
    port, heard = neighbour
    monkeypatch.setattr(reach, "_is_public", lambda address: str(address) == "127.0.0.1")
    answers["shop.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    ask(f"http://shop.example:{port}")
    assert ["shop.example"] == answers["asked"]
    assert [f"shop.example:{port} /x"] == heard


@DOORS
def test_threat_o1_one_bad_address_among_good_ones(
    ask: Callable[[str], None], answers: dict[str, Any]
) -> None:
    """Threat O1: a name with a public and a private address is not called at either."""
    answers["shop.example"] = ["8.8.8.8", "10.0.0.1"]
    with pytest.raises(LaneDown, match=r"leads to 10\.0\.0\.1"):
        ask("http://shop.example:9")


def test_a_private_network_if_that_is_meant(
    answers: dict[str, Any], neighbour: tuple[int, list[str]]
) -> None:
    """The flag opens one's own network to that shop, and still not what a cloud keeps there."""
    port, heard = neighbour
    url = httpx.URL(f"http://shop.lan:{port}")
    answers["shop.lan"] = ["127.0.0.1"]
    with open_line(url, seconds=2, transport=None, private_network=True) as http:
        http.get(url)
        assert [f"shop.lan:{port} /"] == heard
        http.close()
    for address in ("169.254.169.254", "fd00:ec2::254", ANY, "fe80::1", "ff02::1"):
        answers["shop.lan"] = [address]
        with (
            open_line(url, seconds=2, transport=None, private_network=True) as http,
            pytest.raises(LaneDown, match="Not even private_network"),
        ):
            http.get(url)
    assert {"10.1.2.3", "fd00::1", "100.64.0.1"} == {
        address
        for address in ("10.1.2.3", "fd00::1", "100.64.0.1", "169.254.169.254")
        if reach.may_be_tried(address, Reach.PRIVATE_TOO)
    }


@DOORS
def test_what_is_written_as_this_machine_stays_there(
    ask: Callable[[str], None], answers: dict[str, Any], neighbour: tuple[int, list[str]]
) -> None:
    """A stand-in is called; a ``.localhost`` that leads elsewhere is not."""
    port, heard = neighbour
    ask(f"http://127.0.0.1:{port}")
    assert [f"127.0.0.1:{port} /x"] == heard
    answers["wool.localhost"] = ["8.8.8.8"]
    with pytest.raises(LaneDown, match="this very machine"):
        ask(f"http://wool.localhost:{port}")


def test_a_shop_says_it_in_its_own_words(answers: dict[str, Any]) -> None:
    """What refuses the call arrives as it is, and is not tried three times."""
    answers["shop.example"] = ["192.168.1.1"]
    shop = WooCommerceShop("wool", "https://shop.example", "ck", "cs", None)
    with pytest.raises(LaneDown, match=r"shop\.example leads to 192\.168\.1\.1"):
        shop.describe()
    assert ["shop.example"] == answers["asked"]


@DOORS
def test_the_next_address_is_tried(
    ask: Callable[[str], None],
    answers: dict[str, Any],
    neighbour: tuple[int, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the first address does not answer, the second is called."""
    port, heard = neighbour
    monkeypatch.setattr(reach, "_is_public", lambda _: True)
    answers["shop.example"] = ["127.0.0.3", "127.0.0.1"]
    ask(f"http://shop.example:{port}")
    assert [f"shop.example:{port} /x"] == heard


def test_names_that_are_none(answers: dict[str, Any]) -> None:
    """A host that cannot be looked up is a hiccup as every other, not a fault of ours."""
    answers["empty.example"] = []
    with pytest.raises(TryLater, match="has no address"):
        reach.addresses("empty.example", 443, Reach.PUBLIC)
    with pytest.raises(OSError, match="no name"):
        reach.addresses("a" * 64 + ".example", 443, Reach.PUBLIC)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_of_the_surroundings(
    variable: str, neighbour: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that the admin set is used, wherever it is, but not for an address written out."""
    port, heard = neighbour
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, f"127.0.0.1:{port}")
    over_httpx("http://shop.example")
    assert ["shop.example http://shop.example/x"] == heard
    with pytest.raises(LaneDown):
        over_httpx("http://10.0.0.1")
    monkeypatch.setenv("NO_PROXY", "shop.example")
    with pytest.raises((httpx.ConnectError, httpx.ConnectTimeout)):
        over_httpx("http://shop.example")
    assert ["shop.example http://shop.example/x"] == heard
