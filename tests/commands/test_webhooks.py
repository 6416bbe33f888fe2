"""``connector webhooks``: set up by the command, heard by the receiver."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from adapters.woocommerce.sandbox_market import Market
from connector import letterboxes, wiring
from connector.store import lanes
from tests.commands.conftest import SECRET, Home, open_bare


def test_what_is_registered_is_heard(home: Home) -> None:
    """The shop's deliveries, sealed with the derived secrets, arrive under their own topics."""
    assert 0 == home.run("webhooks", "register", "wool").exit_code
    now = home.shop.clock()
    Market(home.shop, seed=3, start=now).sell(3, between=(now - timedelta(hours=1), now))
    assert home.shop.drain()
    tally = home.shop.tally()
    assert tally["accepted"] > 0
    assert 0 == tally.get("failed", 0)
    assert tally["accepted"] == home.run("status", "--json").told["shops"]["wool"]["received"]


def test_registering_again_changes_nothing(home: Home) -> None:
    """What was set is known by a digest; no secret is kept in the store."""
    home.run("webhooks", "register")
    again = home.run("webhooks", "register", "--json")
    assert {"left as it is"} == {row["done"] for row in again.told}
    store = home.store()
    with store.read() as conn:
        kept = str(lanes.get(conn, "webhooks:wool"))
    settings = wiring.configure(home.config).settings
    shop = wiring.open_shop("wool", settings.shops["wool"])
    box = letterboxes.letterbox(settings, shop, store)
    store.close()
    assert 11 == len(box.trusted)
    assert SECRET not in kept
    assert not any(box.secret(row["topic"]) in kept for row in again.told)


def test_a_new_secret_is_set_everywhere(home: Home) -> None:
    """Rotation: the first of two secrets is the one to be set; each webhook is mended."""
    home.run("webhooks", "register")
    home.env["CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET"] = f"another-secret-77aa12,{SECRET}"
    home.write()
    told = home.run("webhooks", "register", "--json").told
    assert {"mended: secret"} == {row["done"] for row in told}
    assert 11 == len(told)


def test_the_list_tells_ours_from_foreign(home: Home) -> None:
    """One of another program is shown, and left alone by registering."""
    other = {"topic": "order.created", "delivery_url": "http://127.0.0.1:9/x", "secret": "x" * 20}
    number = home.shop.sender.register(other, home.shop.clock())["id"]
    home.run("webhooks", "register")
    told = home.run("webhooks", "list", "wool", "--json").told
    assert {str(number)} == {row["id"] for row in told if not row["ours"]}
    assert 12 == len(told)
    text = home.run("webhooks", "list").text
    assert "foreign" in text
    assert 13 == len(text.splitlines())


def test_an_empty_list_is_said(home: Home) -> None:
    """In words, and as an empty list."""
    assert "There are no webhooks.\n" == home.run("webhooks", "list").text
    assert [] == home.run("webhooks", "list", "--json").told


def test_a_key_that_may_not_write_is_exit_one(home: Home) -> None:
    """With the permission that is lacking; nothing was made."""
    home.env["CONNECTOR_SHOPS__WOOL__CONSUMER_KEY"] = home.shop.read_key
    home.write()
    ran = home.run("webhooks", "register")
    assert 1 == ran.exit_code
    assert "'Read/Write'" in ran.error
    assert [] == home.run("webhooks", "list", "--json").told


def test_without_a_public_address_nothing_is_made(home: Home) -> None:
    """The setting is named."""
    del home.settings["public_url"]
    home.write()
    ran = home.run("webhooks", "register")
    assert 1 == ran.exit_code
    assert "public_url is not set" in ran.error
    assert [] == home.run("webhooks", "list", "--json").told


@pytest.mark.parametrize("command", ["register", "list"])
def test_an_unknown_shop_is_named(home: Home, command: str) -> None:
    """With those that there are."""
    ran = home.run("webhooks", command, "wol")
    assert 2 == ran.exit_code
    assert "There are: wool" in ran.error


def test_the_receivers_refusal_of_a_get_is_its_own(home: Home) -> None:
    """What the doctor recognises the receiver by."""
    answer = httpx.get(f"{home.public}/webhooks/wool")
    assert 405 == answer.status_code
    assert answer.text.startswith("405 Method Not Allowed\nrequest ")


def test_a_platform_without_such_an_api_is_passed_over(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless it is asked for by its name: then it is said where its webhooks are set up."""
    monkeypatch.setattr(wiring, "open_shop", open_bare)
    assert 0 == home.run("webhooks", "register").exit_code
    ran = home.run("webhooks", "register", "wool")
    assert 1 == ran.exit_code
    assert "are not set up from here" in ran.error
    assert [] == home.shop.books.rows("webhooks")
