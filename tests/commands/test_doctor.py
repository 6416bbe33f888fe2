"""``connector doctor``: each fault by itself, with who mends it, and nothing else changed."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from connector import health, wiring
from connector.flow import accounts, shop_pins
from connector.store import ground, lanes
from tests.commands.conftest import SECRET, Home, open_bare

Findings = Callable[..., list[dict[str, str]]]


def registered(home: Home) -> None:
    assert 0 == home.run("webhooks", "register").exit_code


def test_everything_fine(home: Home) -> None:
    """Exit 0, a line for each thing looked at, on the screen and as JSON."""
    registered(home)
    ran = home.run("doctor")
    assert (0, "") == (ran.exit_code, ran.error)
    assert ran.text.endswith("Everything is fine.\n")
    told = home.run("doctor", "--json").told
    assert told["fine"]
    assert {"settings", "store", "worker", "receiver", "books", "shops.wool"} < {
        each["where"] for each in told["findings"]
    }
    assert {"fine", "note"} == {each["grade"] for each in told["findings"]}


def test_every_fault_says_who_mends_it(home: Home, findings: Findings) -> None:
    """No finding that needs a person is without a mend and a who; the exit code is 1."""
    home.shop.key = "ck_other"
    home.env["CONNECTOR_SHOPS__WOOL__CONSUMER_KEY"] = "ck_wrong"
    home.audience.change_key("f" * 32 + "-us1")
    home.write()
    found = findings()
    assert 1 == home.run("doctor").exit_code
    assert {"shops.wool", "destinations.newsletter"} == {each["where"] for each in found}
    assert all(each["mend"] and each["who"] for each in found)


def test_it_tells_no_secret_and_no_person(home: Home) -> None:
    """Not in the text, not in the JSON, right or wrong."""
    home.env["CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET"] = "cs_this_is_wrong"
    home.write()
    for ran in (home.run("doctor"), home.run("doctor", "--json")):
        for secret in (*home.env.values(), SECRET):
            assert secret not in ran.text + ran.error


def test_faulty_settings_are_told_and_nothing_else_is_tried(home: Home) -> None:
    """Exit 2, every fault at once; no shop was asked."""
    home.settings["listn"] = "x"
    home.env["CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET"] = "short"
    home.write()
    home.audience.calls.clear()
    ran = home.run("doctor", "--json")
    assert 2 == ran.exit_code
    assert {"settings"} == {each["where"] for each in ran.told["findings"]}
    assert any("Did you mean listen?" in each["what"] for each in ran.told["findings"])
    assert {} == dict(home.audience.calls)


def test_a_warning_of_the_settings_needs_a_person(home: Home, findings: Findings) -> None:
    """Row 96 and Threat C7: an unknown variable, and secrets that everybody can read."""
    home.env["CONNECTOR_LISTN"] = "x"
    home.write()
    (home.folder / ".env").chmod(0o644)
    told = [each["what"] for each in findings("settings")]
    assert 2 == len(told)
    assert "Did you mean CONNECTOR_LISTEN?" in told[0]
    assert "chmod 600" in told[1]


def test_row_92_a_secret_that_wordpress_respells(home: Home, findings: Findings) -> None:
    """It works in both spellings, and a person is told why it may not."""
    home.env["CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET"] = "a&amp;b<c>0123456789"
    home.write()
    registered(home)
    (warning,) = findings("shops.wool")
    assert "warning" == warning["grade"]
    assert "decodes HTML before it signs" in warning["cause"]
    assert "a&amp;b<c>" not in str(warning)


def test_row_93_an_api_token_is_no_webhook_secret(home: Home) -> None:
    """A Shopify token in its place is recognised by its beginning, and not shown."""
    home.env["CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET"] = "shpat_0123456789abcdef"
    home.write()
    ran = home.run("doctor", "--json")
    assert 2 == ran.exit_code
    (fault,) = ran.told["findings"]
    assert "is an API token (shpat_…)" in fault["what"]
    assert "0123456789abcdef" not in ran.text


def test_row_97_a_store_without_its_folder(home: Home) -> None:
    """Exit 3, the folder by its name, and everything else is looked at all the same."""
    home.settings["store"] = "sqlite:///nowhere/connector.db"
    home.write()
    ran = home.run("doctor", "--json")
    assert 3 == ran.exit_code
    assert ["store"] == [
        each["where"]
        for each in ran.told["findings"]
        if each["grade"] == "alarm" and each["where"] != "shops.wool"
    ]
    assert "nowhere" in str(ran.told)
    assert any(each["where"] == "destinations.newsletter" for each in ran.told["findings"])
    assert not (home.folder / "nowhere").exists()


def test_row_97_a_store_on_a_network_share(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 3, and the kind of share."""
    table = home.folder / "mounts"
    table.write_text(f"server:/x {home.folder} nfs4 rw 0 0\n", encoding="utf-8")
    monkeypatch.setattr(ground, "MOUNTS", table)
    ran = home.run("doctor", "--json")
    assert 3 == ran.exit_code
    assert "network share (nfs4)" in str(ran.told)
    home.settings["store"] = "sqlite:///another.db"
    home.write()
    ran = home.run("doctor", "--json")
    assert (3, True) == (ran.exit_code, "network share (nfs4)" in str(ran.told))
    assert not (home.folder / "another.db").exists()


def test_row_97_a_store_that_another_process_holds(home: Home) -> None:
    """Exit 3 after the usual patience, with the cause."""
    holder = sqlite3.connect(home.folder / "connector.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        ran = home.run("doctor", "--json")
    finally:
        holder.rollback()
        holder.close()
    assert 3 == ran.exit_code
    (store,) = [each for each in ran.told["findings"] if each["where"] == "store"]
    assert "alarm" == store["grade"]
    assert "locked" in store["cause"]


def test_a_store_that_is_not_there_yet_is_no_fault(home: Home) -> None:
    """It is a note, and looking makes none."""
    home.settings["store"] = "sqlite:///new.db"
    home.write()
    ran = home.run("doctor", "--json")
    (store,) = [each for each in ran.told["findings"] if each["where"] == "store"]
    assert ("note", 1) == (store["grade"], ran.exit_code)
    assert not (home.folder / "new.db").exists()


def test_a_store_that_everybody_can_read(home: Home, findings: Findings) -> None:
    """Threat C7: with the command that mends it."""
    (home.folder / "connector.db").chmod(0o644)
    (warning,) = findings("store")
    assert warning["mend"].startswith("chmod 600 ")


def test_row_100_a_clock_six_minutes_off(
    home: Home, findings: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every guest that tells the time is compared with this machine."""
    registered(home)
    wall = wiring.wall_clock
    monkeypatch.setattr(wiring, "wall_clock", lambda: wall() + timedelta(minutes=6))
    home.beat()
    found = findings()
    assert ["shops.wool", "destinations.newsletter"] == [each["where"] for each in found]
    assert {"warning"} == {each["grade"] for each in found}
    assert all("NTP" in each["mend"] for each in found)


@pytest.mark.parametrize(
    ("public", "mode", "code", "words"),
    [
        ("http://hooks.example.org", "live", 2, "must begin with https://"),
        ("https://localhost", "live", 2, "is this machine"),
        ("http://hooks.example.org", "test", 1, "is not https"),
    ],
)
def test_row_102_a_public_url_that_cannot_be(
    home: Home, public: str, mode: str, code: int, words: str
) -> None:
    """Plain http and this machine's own name are refused in live for a shop outside."""
    home.settings |= {"public_url": public, "mode": mode}
    home.write()
    text = home.config.read_text("utf-8").replace(home.shop.base_url, "https://wool.invalid")
    home.config.write_text(text, encoding="utf-8")
    ran = home.run("doctor", "--json")
    assert code == ran.exit_code
    assert words in str(ran.told)


def test_row_102_a_public_url_that_leads_elsewhere(home: Home, findings: Findings) -> None:
    """The path is missing, or another program answers there: what came back is told."""
    home.settings["public_url"] = f"{home.public}/lost"
    home.write()
    (elsewhere,) = findings("receiver")
    assert "does not lead to the connector: it answers 404" in elsewhere["what"]
    home.settings["public_url"] = home.shop.base_url
    home.write()
    (elsewhere,) = findings("receiver")
    assert ("alarm", True) == (elsewhere["grade"], "does not lead" in elsewhere["what"])


def test_no_public_url(home: Home, findings: Findings) -> None:
    """A note on one machine, a warning for a shop outside; no webhook is judged."""
    del home.settings["public_url"]
    home.write()
    assert [] == findings()


def test_a_receiver_that_does_not_run(home: Home, findings: Findings) -> None:
    """Here and from outside."""
    home.settings |= {"listen": "127.0.0.1:9", "public_url": "http://127.0.0.1:9"}
    home.write()
    found = findings("receiver")
    assert 2 == len(found)
    assert "nobody answers at http://127.0.0.1:9" in found[0]["what"]
    assert "does not answer, seen from here" in found[1]["what"]


def test_another_program_on_the_receivers_address(home: Home, findings: Findings) -> None:
    """It answers, but not as ours."""
    home.settings["listen"] = home.shop.base_url.removeprefix("http://")
    home.write()
    (other,) = findings("receiver")
    assert "another program answers" in other["what"]


def test_row_103_one_audience_for_two_destinations(home: Home) -> None:
    """They would undo each other's work: a fault of the settings."""
    text = home.config.read_text("utf-8")
    twin = f"  second: {{platform: mailchimp, audience: {home.audience.audience}}}\n"
    home.config.write_text(text + twin, encoding="utf-8")
    home.env["CONNECTOR_DESTINATIONS__SECOND__API_KEY"] = home.audience.api_key
    env = home.folder / ".env"
    env.write_text("".join(f"{k}={v}\n" for k, v in home.env.items()), encoding="utf-8")
    ran = home.run("doctor", "--json")
    assert 2 == ran.exit_code
    assert "would undo each other's work" in str(ran.told)


def test_row_104_little_room_is_an_alarm_and_red_health(
    home: Home, findings: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below 200 MB: the store opens all the same, health says no, the doctor says why."""
    registered(home)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=199 * 2**20))
    (alarm,) = findings()
    assert ("store", "alarm") == (alarm["where"], alarm["grade"])
    assert "199 MB are free" in alarm["what"]
    store = home.store()
    told = health.of_store(store, wiring.wall_clock())
    assert (False, "writable", "alive") == (told.ok, told.store, told.worker)
    assert "199 MB are free" in told.detail["disk"]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=200 * 2**20))
    assert health.of_store(store, wiring.wall_clock()).ok
    store.close()


def test_no_worker(home: Home, findings: Findings) -> None:
    """Its last word is too old."""
    registered(home)
    store = home.store()
    with store.write() as conn:
        lanes.beat(conn, now=wiring.wall_clock() - timedelta(seconds=31))
    store.close()
    (alarm,) = findings()
    assert ("worker", "alarm") == (alarm["where"], alarm["grade"])


def test_a_webhook_that_was_switched_off_is_found_and_mended(
    home: Home, findings: Findings
) -> None:
    """The doctor names the shop and the topic, one command puts it right."""
    registered(home)
    home.shop.sender.change(2, {"status": "disabled"}, home.shop.clock())
    (alarm,) = findings("shops.wool")
    assert "switched off for order.updated" in alarm["what"]
    assert "connector webhooks register" in alarm["mend"]
    registered(home)
    assert [] == findings()


def test_o5_swapped_keys_are_told_and_can_be_confirmed(home: Home, findings: Findings) -> None:
    """The key opens another account: an alarm, until a person says that it is meant."""
    registered(home)
    store = home.store()
    accounts.pin(store, "newsletter", "another", now=wiring.wall_clock())
    (alarm,) = findings()
    assert ("destinations.newsletter", "alarm") == (alarm["where"], alarm["grade"])
    assert "--accept newsletter" in alarm["mend"]
    assert [] == findings("", "--accept", "newsletter")
    assert home.audience.world.account == accounts.pinned(store, "newsletter")
    store.close()


def test_another_shop_is_told_and_can_be_confirmed(home: Home, findings: Findings) -> None:
    """A copy elsewhere answers: an alarm with what is different, until a person says it is meant.

    The books and the figures for a machine say it too.
    """
    registered(home)
    assert [] == findings()
    store = home.store()
    with store.read() as conn:
        known = shop_pins.pinned(conn, "wool")
    assert known is not None
    shop_pins.accept(store, "wool", replace(known, currency="SEK"), now=wiring.wall_clock())
    (alarm,) = findings()
    assert ("shops.wool", "alarm") == (alarm["where"], alarm["grade"])
    assert "its currency was SEK and is NOK" in alarm["cause"]
    assert "--accept wool" in alarm["mend"]
    assert "another shop answers" in home.run("status").text
    halted = home.run("status", "--json").told["shops"]["wool"]["halted"]
    assert {"reason", "mend"} == halted.keys()
    assert [] == findings("", "--accept", "wool")
    assert home.run("status", "--json").told["shops"]["wool"]["halted"] is None
    with store.read() as conn:
        assert known == shop_pins.pinned(conn, "wool")
    store.close()


@pytest.mark.parametrize("name", ["crm", "newsleter"])
def test_nothing_else_can_be_confirmed(home: Home, name: str) -> None:
    """A folder has no account, and a name must be one of the configuration."""
    ran = home.run("doctor", "--accept", name)
    assert 2 == ran.exit_code
    assert f"--accept {name}" in ran.error


def test_the_books_are_summed_up(home: Home, findings: Findings) -> None:
    """A paused lane, parked records and quarantined deliveries, each with where to look."""
    registered(home)
    store = home.store()
    now = wiring.wall_clock()
    state = lanes.LaneState(
        paused_until=now + timedelta(hours=1), last_problem="key refused", mend="a new key"
    )
    with store.write() as conn:
        lanes.write(conn, "newsletter", state, now=now)
        _insert(conn, "records", destination="crm", key="k", status="parked", lane=1, revision=1)
        _insert(
            conn,
            "deliveries",
            shop="wool",
            topic="order.created",
            key=b"k",
            received_at=now,
            body=b"{}",
            body_sha256=b"x",
            headers="{}",
            status="quarantined",
        )
    store.close()
    told = {each["where"]: each for each in findings()}
    assert {"shops.wool", "destinations.newsletter", "destinations.crm"} == set(told)
    assert ("key refused", "a new key") == (
        told["destinations.newsletter"]["cause"],
        told["destinations.newsletter"]["mend"],
    )
    assert "records parked: 1" in told["destinations.crm"]["what"]
    assert "deliveries in quarantine: 1" in told["shops.wool"]["what"]


def _insert(conn: Any, table: str, **values: Any) -> None:
    from connector.store import schema

    chosen = schema.metadata.tables[table]
    known = {name: value for name, value in values.items() if name in chosen.c}
    conn.execute(chosen.insert(), [known])


@pytest.mark.xdist_group("pg")
def test_a_store_on_postgresql(home: Home, postgres: str) -> None:
    """Its version and durability are told; its password, if it has one, is not."""
    home.settings["store"] = f'"{postgres}"'
    home.write()
    told = home.run("doctor", "--json").told
    (store,) = [each for each in told["findings"] if each["where"] == "store"]
    assert "synchronous_commit on" in store["what"] or "fsync off" in store["what"]


def test_a_shop_without_a_check_up_is_asked_for_its_currency(
    home: Home, findings: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So of every platform something is told."""
    registered(home)
    monkeypatch.setattr(wiring, "open_shop", open_bare)
    assert [] == findings()
    home.env["CONNECTOR_SHOPS__WOOL__CONSUMER_KEY"] = "ck_wrong"
    home.write()
    assert "cannot be asked" in {each["what"] for each in findings("shops.wool")}
