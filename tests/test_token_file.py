"""The file of tokens: private, whole, shared, and silent about what it holds."""

from __future__ import annotations

import json
import multiprocessing
import stat
import threading
import time
from pathlib import Path

import httpx
import pytest

from adapters.shopify.client import Keys, ShopifyClient
from connector import wiring
from connector.errors import ConfigurationFault, StoreUnavailable
from connector.settings import load_settings
from connector.token_file import TokenFile

PAIR = {"access_token": "shpat_1", "expires_at": 1.5, "refresh_token": "shprt_1"}


def test_what_is_put_is_there_in_another_process(tmp_path: Path) -> None:
    """Another object of the same file sees it; another name's value stays."""
    path = tmp_path / ".tokens.json"
    assert TokenFile(path).get("yarn") is None
    assert not path.exists()
    TokenFile(path).put("yarn", PAIR)
    TokenFile(path).put("wool", {"access_token": "shpat_2"})
    assert PAIR == TokenFile(path).get("yarn")
    assert {"access_token": "shpat_2"} == TokenFile(path).get("wool")


def test_it_is_for_its_owner_only(tmp_path: Path) -> None:
    """From the first moment, and its lock as well; nothing else is left lying about."""
    path = tmp_path / ".tokens.json"
    TokenFile(path).put("yarn", PAIR)
    assert [".tokens.json", ".tokens.json.lock"] == sorted(f.name for f in tmp_path.iterdir())
    assert {0o600} == {stat.S_IMODE(f.stat().st_mode) for f in tmp_path.iterdir()}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    """Neither read nor replaced; the command that mends it is named."""
    path = tmp_path / ".tokens.json"
    TokenFile(path).put("yarn", PAIR)
    path.chmod(mode)
    before = path.read_bytes()
    for use in (lambda f: f.get("yarn"), lambda f: f.put("yarn", {})):
        with pytest.raises(ConfigurationFault, match="chmod 600"):
            use(TokenFile(path))
    assert before == path.read_bytes()


@pytest.mark.parametrize(
    "content", [b"", b"shprt_1", b"[]", b'{"yarn": "shprt_1"}', b"[" * 100_000]
)
def test_a_damaged_file_is_refused_and_not_quoted(tmp_path: Path, content: bytes) -> None:
    """It is never replaced by an empty one, and its words are in no error."""
    path = tmp_path / ".tokens.json"
    path.touch(mode=0o600)
    path.write_bytes(content)
    for use in (lambda f: f.get("yarn"), lambda f: f.put("yarn", PAIR)):
        with pytest.raises(ConfigurationFault) as caught:
            use(TokenFile(path))
        assert "shprt_1" not in str(caught.value)
        assert caught.value.__cause__ is None
    assert content == path.read_bytes()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """It cannot be kept, and that is said without the token."""
    with pytest.raises(StoreUnavailable) as caught:
        TokenFile(tmp_path / "no" / ".tokens.json").put("yarn", PAIR)
    assert "shp" not in str(caught.value)
    assert [] == list(tmp_path.iterdir())


def test_a_link_at_the_lock_is_not_followed(tmp_path: Path) -> None:
    """Nobody makes us open another file."""
    (tmp_path / ".tokens.json.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable):
        TokenFile(tmp_path / ".tokens.json").put("yarn", PAIR)
    assert not (tmp_path / "elsewhere").exists()
    assert not (tmp_path / ".tokens.json").exists()


def _put_some(path: Path, who: str) -> None:
    for number in range(20):
        TokenFile(path).put(f"{who}{number}", {"access_token": who})


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    """Each puts twenty names; all are there in the end."""
    path = tmp_path / ".tokens.json"
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_put_some, args=(path, who)) for who in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [0, 0, 0] == [writer.exitcode for writer in writers]
    assert 60 == len(json.loads(path.read_bytes()))


def test_a_rotating_pair_outlives_the_process(tmp_path: Path) -> None:
    """The second client goes on with the pair that the first one bought."""
    store = TokenFile(tmp_path / ".tokens.json")
    store.put("yarn", {"access_token": "shpat_0", "refresh_token": "shprt_0"})
    spent: list[str] = []
    used: list[str] = []

    def shopify(request: httpx.Request) -> httpx.Response:
        words = json.loads(request.content)
        if "grant_type" not in words:
            used.append(request.headers["X-Shopify-Access-Token"])
            return httpx.Response(200, json={"data": {}})
        spent.append(words["refresh_token"])
        number = len(spent)
        granted = {"access_token": f"shpat_{number}", "expires_in": 3600}
        return httpx.Response(200, json={**granted, "refresh_token": f"shprt_{number}"})

    now = 1_000_000.0
    for _ in range(2):
        client = ShopifyClient(
            "yarn",
            "https://yarn.myshopify.com",
            Keys(client_id="app", client_secrets=("secret",), token_store=store),
            api_version="2026-10",
            transport=httpx.MockTransport(shopify),
            clock=lambda: now,
        )
        client.ask("shop", {})
        client.close()
    assert (["shprt_0"], ["shpat_1", "shpat_1"]) == (spent, used)
    assert "shprt_1" == (store.get("yarn") or {})["refresh_token"]


def test_of_two_that_renew_at_once_one_buys(tmp_path: Path) -> None:
    """The other waits for it and goes on with what it bought, though Shopify is slow to answer."""
    store = tmp_path / ".tokens.json"
    TokenFile(store).put("yarn", {"access_token": "shpat_0", "refresh_token": "shprt_0"})
    spent: list[str] = []
    asking = threading.Event()

    def shopify(request: httpx.Request) -> httpx.Response:
        words = json.loads(request.content)
        if "grant_type" not in words:
            return httpx.Response(200, json={"data": {}})
        spent.append(words["refresh_token"])
        asking.set()
        time.sleep(0.3)
        granted = {"access_token": f"shpat_{len(spent)}", "expires_in": 3600}
        return httpx.Response(200, json={**granted, "refresh_token": f"shprt_{len(spent)}"})

    def ask() -> None:
        client = ShopifyClient(
            "yarn",
            "https://yarn.myshopify.com",
            Keys(client_id="app", client_secrets=("secret",), token_store=TokenFile(store)),
            api_version="2026-10",
            transport=httpx.MockTransport(shopify),
        )
        client.ask("shop", {})
        client.close()

    first = threading.Thread(target=ask)
    first.start()
    assert asking.wait(10)
    ask()
    first.join()
    assert ["shprt_0"] == spent


CONFIG = """\
shops:
  yarn: {platform: shopify, domain: yarn.myshopify.com, client_id: app%s}
"""


@pytest.mark.parametrize(
    ("top", "more", "place"),
    [
        ("", "", ".tokens.json"),
        ("store: sqlite:///var/connector.db\n", "", "var/.tokens.json"),
        ("store: postgresql+psycopg://me@here/db\n", "", ".tokens.json"),
        ("", ", token_file: secret/pairs.json", "secret/pairs.json"),
    ],
)
def test_it_lies_beside_the_store_or_the_configuration(
    tmp_path: Path, top: str, more: str, place: str
) -> None:
    """Unless it is named."""
    config = tmp_path / "connector.yaml"
    config.write_text(top + CONFIG % more)
    environ = {"CONNECTOR_SHOPS__YARN__CLIENT_SECRET": "0123456789abcdef0123"}
    settings = load_settings(config, environ=environ, secrets=tmp_path / "none")
    assert tmp_path.resolve() / place == settings.shops["yarn"].token_file


def test_a_shop_is_built_with_its_file(tmp_path: Path) -> None:
    """A file that others can open keeps the shop from being opened: so it was looked at."""
    config = tmp_path / "connector.yaml"
    config.write_text(CONFIG % "")
    environ = {"CONNECTOR_SHOPS__YARN__CLIENT_SECRET": "0123456789abcdef0123"}
    settings = load_settings(config, environ=environ, secrets=tmp_path / "none")
    wiring.open_shop("yarn", settings.shops["yarn"])
    (tmp_path / ".tokens.json").touch()
    (tmp_path / ".tokens.json").chmod(0o644)
    with pytest.raises(ConfigurationFault, match="chmod 600"):
        wiring.open_shop("yarn", settings.shops["yarn"])
