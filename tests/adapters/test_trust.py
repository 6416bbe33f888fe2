"""Certificates: a server that is not what it says gets nothing, and nothing changes that."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.shopify.shop import ShopifyShop
from adapters.wire import Wire
from adapters.woocommerce.shop import WooCommerceShop
from connector.errors import LaneDown, TryLater
from tests.adapters.certificates import Pair

HOST = "127.0.0.1"
KEY = "a-key-that-must-not-leave-90ab12"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"


@dataclass
class Server:
    """A TLS server on this machine: what it was told, and the port it listens on."""

    port: int
    told: list[bytes] = field(default_factory=list)


@contextmanager
def serving(folder: Path, pair: Pair, certificate: str) -> Iterator[Server]:
    """Answer everybody who believes this certificate."""
    file = folder / "server.pem"
    file.write_text(pair.key + certificate, "ascii")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with socket.create_server((HOST, 0)) as listening:
        server = Server(listening.getsockname()[1])
        over = threading.Event()

        def answer() -> None:
            while not over.is_set():
                line, _ = listening.accept()
                with suppress(OSError), line, context.wrap_socket(line, server_side=True) as safe:
                    safe.settimeout(5)
                    server.told.append(safe.recv(65_536))
                    safe.sendall(_ANSWER)

        thread = threading.Thread(target=answer)
        thread.start()
        yield server
        over.set()
        with suppress(OSError):
            socket.create_connection((HOST, server.port), 5).close()
        thread.join()


def ask_a_woocommerce_shop(url: str) -> None:
    """The door of `httpx`."""
    WooCommerceShop("wool", url, KEY, KEY, None).describe()


def ask_a_shopify_shop(url: str) -> None:
    """The door of `httpx`, of the other platform."""
    ShopifyShop("yarn", "yarn.myshopify.com", url, access_token=KEY).describe()


def ask_over_the_wire(url: str) -> None:
    """The door of `requests`."""
    wire = Wire("Mailchimp", connections=1, seconds=5, through_proxies=False)
    answer = wire.send("GET", f"{url}/3.0/ping", headers={}, basic=("any", KEY))
    assert 200 == answer.status_code


DOORS = pytest.mark.parametrize(
    "ask", [ask_a_woocommerce_shop, ask_a_shopify_shop, ask_over_the_wire]
)


@pytest.fixture(scope="module")
def authority() -> Pair:
    """Who vouches for servers."""
    return Pair.fresh("A test's own authority")


@pytest.fixture
def believed(authority: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The authority is one that the admin named."""
    file = tmp_path / "authority.pem"
    file.write_text(authority.certificate([], authority=True), "ascii")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return file


@pytest.mark.usefixtures("believed")
@DOORS
def test_a_right_certificate_is_believed(
    ask: Callable[[str], None], authority: Pair, tmp_path: Path
) -> None:
    """An authority that the admin named is enough: the call arrives, with its key."""
    pair = Pair.fresh("shop")
    with serving(tmp_path, pair, pair.certificate([HOST], by=authority)) as server:
        with suppress(TryLater, LaneDown):  # the answer itself is nothing but {}
            ask(f"https://{HOST}:{server.port}")
        assert server.told
        assert server.told[0].startswith((b"GET /", b"POST /"))


@pytest.mark.usefixtures("believed")
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("self-signed", "self-signed certificate|self signed certificate"),
        ("expired", "certificate has expired"),
        ("another host", "not valid for '127.0.0.1'"),
        ("an authority unknown", "unable to get local issuer certificate"),
    ],
)
@DOORS
def test_threat_o4_a_wrong_certificate_is_refused(
    ask: Callable[[str], None], authority: Pair, tmp_path: Path, wrong: str, words: str
) -> None:
    """Threat O4: self-signed, expired, for another host: no word reaches it, and it is told why."""
    pair = Pair.fresh("shop")
    certificate = {
        "self-signed": lambda: pair.certificate([HOST]),
        "expired": lambda: pair.certificate(
            [HOST], by=authority, until=datetime.now(UTC) - timedelta(hours=1)
        ),
        "another host": lambda: pair.certificate(["shop.example"], by=authority),
        "an authority unknown": lambda: pair.certificate([HOST], by=Pair.fresh("Somebody")),
    }[wrong]()
    with serving(tmp_path, pair, certificate) as server:
        with pytest.raises(TryLater, match=words) as told:
            ask(f"https://{HOST}:{server.port}")
        assert [] == server.told
    assert "its certificate is not to be trusted" in str(told.value)
    assert KEY not in str(told.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSL_CERT_FILE", ""),
        ("REQUESTS_CA_BUNDLE", ""),
        ("CURL_CA_BUNDLE", ""),
        ("PYTHONHTTPSVERIFY", "0"),
        ("NODE_TLS_REJECT_UNAUTHORIZED", "0"),
        ("GIT_SSL_NO_VERIFY", "1"),
    ],
)
@DOORS
def test_threat_o4_nothing_around_switches_it_off(
    ask: Callable[[str], None],
    name: str,
    value: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Threat O4: no variable makes us believe anybody."""
    monkeypatch.setenv(name, value)
    pair = Pair.fresh("shop")
    with serving(tmp_path, pair, pair.certificate([HOST])) as server:
        with pytest.raises(TryLater, match="not to be trusted"):
            ask(f"https://{HOST}:{server.port}")
        assert [] == server.told
