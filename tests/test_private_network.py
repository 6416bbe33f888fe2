"""A shop in a network of one's own: said in so many words, for that shop, or it is not called."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from connector import guests
from connector.errors import ConfigurationFault, LaneDown, TryLater
from connector.settings import Settings, load_settings

SECRETS = {
    "CONNECTOR_SHOPS__WOOL__CONSUMER_KEY": "ck_1",
    "CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET": "cs_1",
    "CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET": "s" * 40,
    "CONNECTOR_SHOPS__YARN__CLIENT_SECRET": "s" * 40,
    "CONNECTOR_SHOPS__YARN__ACCESS_TOKEN": "token",
}


def load(folder: Path, flag: str) -> Settings:
    """Two shops, both with the flag."""
    file = folder / "connector.yaml"
    file.write_text(
        "shops:\n"
        f"  wool: {{platform: woocommerce, url: 'https://shop.lan:9'{flag}}}\n"
        f"  yarn: {{platform: shopify, domain: yarn.myshopify.com{flag},\n"
        "         base_url: 'https://shop.lan:9'}\n",
        encoding="utf-8",
    )
    file.chmod(0o600)
    return load_settings(file, environ=SECRETS, secrets=folder / "none")


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """``shop.lan`` leads into a network of one's own, and nothing else is real either."""
    called: list[Any] = []

    def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        assert "shop.lan" == host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.168.7.7", port))]

    def connect(address: Any, *_: Any, **__: Any) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    return called


@pytest.mark.parametrize("name", ["wool", "yarn"])
def test_threat_o1_only_with_the_flag(name: str, tmp_path: Path, called: list[Any]) -> None:
    """Threat O1: without it nothing is called, with it the very address that was checked."""
    for flag in ("", ", private_network: false"):
        section = load(tmp_path, flag).shops[name]
        assert section.private_network is False
        shop = guests.SHOPS[section.platform](name, section, None)
        with pytest.raises(LaneDown, match="private_network: true"):
            shop.describe()
    assert [] == called
    section = load(tmp_path, ", private_network: true").shops[name]
    with pytest.raises(TryLater, match="ConnectError"):
        guests.SHOPS[section.platform](name, section, None).describe()
    assert {("192.168.7.7", 9)} == set(called)


def test_the_flag_is_yes_or_no(tmp_path: Path) -> None:
    """A word that is neither opens nothing."""
    with pytest.raises(ConfigurationFault) as refused:
        load(tmp_path, ", private_network: maybe")
    assert 2 == len(refused.value.faults)
    assert "shops.wool.private_network must be true or false" in refused.value.faults[0]
