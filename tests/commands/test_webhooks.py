"""``connector webhooks``: set up by the command, heard by the receiver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from adapters.mailchimp import sandbox_audience
from adapters.woocommerce.sandbox_market import Market
from connector import letterboxes, wiring
from connector.engine import Engine
from connector.ports import Subscribing
from connector.store import lanes, watching
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
    assert 15 == len(box.trusted)
    assert SECRET not in kept
    assert not any(box.secret(row["topic"]) in kept for row in again.told)


def test_a_new_secret_is_set_everywhere(home: Home) -> None:
    """Rotation: the first of two secrets is the one to be set; each webhook is mended."""
    home.run("webhooks", "register")
    home.env["CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET"] = f"another-secret-77aa12,{SECRET}"
    home.write()
    told = home.run("webhooks", "register", "--json").told
    assert {"mended: secret"} == {row["done"] for row in told}
    assert 15 == len(told)


def test_the_list_tells_ours_from_foreign(home: Home) -> None:
    """One of another program is shown, and left alone by registering."""
    other = {"topic": "order.created", "delivery_url": "http://127.0.0.1:9/x", "secret": "x" * 20}
    number = home.shop.sender.register(other, home.shop.clock())["id"]
    home.run("webhooks", "register")
    told = home.run("webhooks", "list", "wool", "--json").told
    assert {str(number)} == {row["id"] for row in told if not row["ours"]}
    assert 16 == len(told)
    text = home.run("webhooks", "list").text
    assert "foreign" in text
    assert 17 == len(text.splitlines())


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


# --- The watch -----------------------------------------------------------------------------------


def switch_off(home: Home, *topics: str) -> None:
    """As the shop itself does after failures."""
    for row in home.shop.books.rows("webhooks"):
        if row["topic"] in topics:
            home.shop.sender.change(row["id"], {"status": "disabled"}, home.shop.clock())


def off(home: Home) -> set[str]:
    """The topics whose webhook is switched off."""
    rows = home.shop.books.rows("webhooks")
    return {row["topic"] for row in rows if row["status"] == "disabled"}


def test_the_watch_finds_nothing_wrong(home: Home) -> None:
    """After registering; in words and as JSON."""
    home.run("webhooks", "register", "wool")
    ran = home.run("webhooks", "watch")
    assert (0, "wool: nothing is wrong with its webhooks\n") == (ran.exit_code, ran.text)
    told = home.run("webhooks", "watch", "wool", "--json").told
    assert {"wool"} == set(told)
    assert (True, [], None) == tuple(told["wool"][k] for k in ("ok", "findings", "silent_since"))


def test_the_doctor_names_the_shop_until_the_watch_has_mended(
    home: Home, findings: Callable[..., list[dict[str, str]]]
) -> None:
    """What the shop switched off is on again, and hears; another's webhook is as it was."""
    other = {"topic": "order.deleted", "delivery_url": "http://127.0.0.1:9/x", "secret": "x" * 20}
    number = home.shop.sender.register({**other, "status": "disabled"}, home.shop.clock())["id"]
    home.run("webhooks", "register", "wool")
    switch_off(home, "order.created", "order.updated")
    assert 1 == home.run("doctor").exit_code
    assert any("order.created, order.updated" in each["what"] for each in findings("shops.wool"))
    ran = home.run("webhooks", "watch")
    assert 0 == ran.exit_code
    fault = "webhooks order.created, order.updated: the webhook is disabled"
    assert f"wool: {fault}; mended\n" == ran.text
    assert [] == findings("shops.wool")
    assert {"order.deleted"} == off(home)
    assert "disabled" == home.shop.sender.get(number)["status"]
    now = home.shop.clock()
    Market(home.shop, seed=3, start=now).sell(1, between=(now - timedelta(hours=1), now))
    assert home.shop.drain()
    assert 0 == home.shop.tally().get("failed", 0)


def test_status_and_figures_say_what_the_watch_saw(home: Home) -> None:
    """What nobody mended is an alarm; what was never looked at is null."""
    assert home.run("status", "--json").told["shops"]["wool"]["webhooks"] is None
    home.run("webhooks", "register", "wool")
    home.settings["mode"] = "test"
    home.write()
    switch_off(home, "order.created")
    assert 1 == home.run("webhooks", "watch").exit_code
    seen = home.run("status", "--json").told["shops"]["wool"]["webhooks"]
    assert {"checked_at", "ok", "findings", "silent_since"} == set(seen)
    assert {
        "topic": "order.created",
        "what": "the webhook is disabled",
        "done": "mode test: it would be mended",
        "mend": "",
    } == seen["findings"][0]
    assert (
        "wool: webhooks order.created: the webhook is disabled; mode test: it would be mended"
        in home.run("status").text
    )
    figures = httpx.get(f"{home.public}/metrics").text
    for figure in ("webhooks_ok", "webhook_problems", "silent"):
        assert f'connector_{figure}{{shop="wool"}} {float(figure == "webhook_problems")}' in figures
    assert {"order.created"} == off(home)


def test_a_shop_that_is_only_told_of_is_not_written_to(home: Home) -> None:
    """``watch: tell``: an alarm says what a person does."""
    home.run("webhooks", "register", "wool")
    home.env["CONNECTOR_SHOPS__WOOL__WATCH"] = "tell"
    home.write()
    switch_off(home, "order.created")
    ran = home.run("webhooks", "watch")
    assert 1 == ran.exit_code
    assert "Run `connector webhooks register wool`." in ran.text
    assert {"order.created"} == off(home)
    lines = [line for line in home.run("status").text.splitlines() if "order.created" in line]
    assert 1 == len(lines)
    assert lines[0].startswith("ALARM: shops.wool: webhooks order.created: the webhook is disabled")
    assert [{"webhook", "shops.wool"}] == [
        {each["kind"], each["where"]} for each in home.run("status", "--json").told["alarms"]
    ]


def test_a_key_that_may_only_read_is_said_with_who_mends_it(home: Home) -> None:
    """The shop's owner; nothing changed."""
    home.run("webhooks", "register", "wool")
    home.env["CONNECTOR_SHOPS__WOOL__CONSUMER_KEY"] = home.shop.read_key
    home.write()
    switch_off(home, "order.created")
    ran = home.run("webhooks", "watch")
    assert 1 == ran.exit_code
    assert "'Read/Write'" in ran.text
    assert {"order.created"} == off(home)


def test_nothing_is_revived_where_the_public_address_leads_elsewhere(home: Home) -> None:
    """The shop would only fail again; the finding says what does not answer."""
    home.run("webhooks", "register", "wool")
    hooks = home.shop.books.rows("webhooks")
    home.settings["public_url"] = "http://127.0.0.1:9"
    home.write()
    ran = home.run("webhooks", "watch")
    assert 1 == ran.exit_code
    assert "http://127.0.0.1:9/webhooks/wool does not answer" in ran.text
    assert hooks == home.shop.books.rows("webhooks")


def test_an_audience_is_watched_as_well(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person deleted in Mailchimp is made again; its token is not shown."""
    monkeypatch.setattr(sandbox_audience, "_answers", lambda _: True)
    token = "a-token-of-the-audience-7d1e"
    home.env["CONNECTOR_DESTINATIONS__NEWSLETTER__WEBHOOK_TOKEN"] = token
    home.write()
    assert 0 == home.run("webhooks", "register", "newsletter").exit_code
    made = home.run("webhooks", "list", "newsletter", "--json").told
    gone = f"{home.audience.url}/3.0/lists/{home.audience.audience}/webhooks/{made[0]['id']}"
    assert httpx.delete(gone, auth=("x", home.audience.api_key)).is_success
    ran = home.run("webhooks", "watch", "newsletter")
    assert (0, True) == (ran.exit_code, ran.text.endswith("there is no webhook; mended\n"))
    assert token not in ran.text
    again = home.run("webhooks", "list", "newsletter", "--json").told
    assert 1 == len(again)
    assert made[0]["id"] != again[0]["id"]


def test_the_worker_watches_by_itself(home: Home) -> None:
    """Its first look mends; with `mode: test` it would not."""
    home.run("webhooks", "register", "wool")
    switch_off(home, "order.created")
    for mode, down in (("test", {"order.created"}), ("live", set())):
        home.settings["mode"] = mode
        home.write()
        configured = wiring.configure(home.config)
        store = wiring.open_store(configured.settings)
        with capture_logs():
            Engine(wiring.build_house(configured, store)).watch()
        store.close()
        assert down == off(home)


def test_the_doctor_says_what_was_left_to_a_person(
    home: Home, findings: Callable[..., list[dict[str, str]]]
) -> None:
    """Of a webhook that falls over again and again, and of a silence; so does status."""
    home.run("webhooks", "register", "wool")
    now = wiring.wall_clock()
    left = watching.Noticed(topic="order.created", what="off", done="left", mend="See.", alarm=True)
    since = now - timedelta(hours=9)
    seen = watching.Seen(checked_at=now, where="shops.wool", silent_since=since, findings=(left,))
    store = home.store()
    with store.write() as conn:
        watching.write(conn, "wool", seen, now=now)
    store.close()
    assert ["webhooks order.created: off; left", "nothing was delivered since"] == [
        each["what"].partition(" 20")[0] for each in findings("shops.wool")
    ]
    lines = home.run("status").text.splitlines()
    assert 2 == sum(line.startswith("ALARM: shops.wool: ") for line in lines)
    assert 0 == sum(line.startswith("wool: ") for line in lines)


def test_what_was_known_of_a_webhook_that_was_left_stands(home: Home) -> None:
    """It carries the right secret still, whenever a person switches it on again."""
    home.run("webhooks", "register", "wool")
    settings = wiring.configure(home.config).settings
    shop = wiring.open_shop("wool", settings.shops["wool"])
    store = home.store()
    box = letterboxes.letterbox(settings, shop, store)
    limited = replace(box, left=("order.created",))
    assert isinstance(shop, Subscribing)
    done = shop.register_webhooks(limited)
    assert 14 == len(done)
    letterboxes.remember(store, "wool", limited, done, now=wiring.wall_clock())
    assert box.trusted == letterboxes.letterbox(settings, shop, store).trusted
    store.close()


def test_registering_ends_an_alarm(home: Home) -> None:
    """A person mended what was left; nothing has to be waited for."""
    home.run("webhooks", "register", "wool")
    home.env["CONNECTOR_SHOPS__WOOL__WATCH"] = "tell"
    home.write()
    switch_off(home, "order.created")
    home.run("webhooks", "watch")
    assert 1 == len(home.run("status", "--json").told["alarms"])
    assert 0 == home.run("webhooks", "register", "wool").exit_code
    assert [] == home.run("status", "--json").told["alarms"]


def test_what_nobody_watches_is_said(home: Home) -> None:
    """Files tell nothing; neither does an audience without a token."""
    for name in ("crm", "newsletter"):
        ran = home.run("webhooks", "watch", name)
        assert 1 == ran.exit_code
        assert "there is nothing to watch" in ran.error


def test_a_shop_without_a_public_address_is_only_listened_to(home: Home) -> None:
    """Nothing is known of its webhooks, so nothing is said of them, nor is the shop asked."""
    del home.settings["public_url"]
    home.write()
    told = home.run("webhooks", "watch", "--json").told
    assert (True, []) == (told["wool"]["ok"], told["wool"]["findings"])
    assert [] == home.shop.books.rows("webhooks")


def test_watch_is_one_of_two_words(home: Home) -> None:
    """Anything else is refused with both."""
    home.env["CONNECTOR_SHOPS__WOOL__WATCH"] = "sleep"
    home.write()
    ran = home.run("webhooks", "watch")
    assert 2 == ran.exit_code
    assert "must be mend or tell" in ran.error


def test_in_mode_test_nothing_is_registered_without_a_yes(home: Home) -> None:
    """The shop is as it was, and the command says how to do it all the same."""
    home.settings["mode"] = "test"
    home.write()
    ran = home.run("webhooks", "register")
    assert 1 == ran.exit_code
    assert "connector webhooks register --yes" in ran.error
    assert [] == home.shop.books.rows("webhooks")
    assert 0 == home.run("webhooks", "register", "--yes").exit_code
    assert [] != home.shop.books.rows("webhooks")
