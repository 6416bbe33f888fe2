"""Settings: the promised file, its secrets, and every way in which they can be wrong."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector import guests
from connector.errors import ConfigurationFault
from connector.setting_values import Listen, is_loopback
from connector.settings import Settings, load_settings

# Built at run time: no text that looks like a key stands in this file.
MAILCHIMP_KEY = "0123456789abcdef" * 2 + "-us21"
SIGNING = "s" * 40

PROMISED = """\
store: sqlite:///connector.db
mapping: mapping.yaml
public_url: https://hooks.example.org
listen: 127.0.0.1:8080
mode: live
shops:
  wool:
    platform: woocommerce
    url: https://wool.example/
    timezone: Europe/Oslo
    currency: NOK
  yarn:
    platform: shopify
    domain: yarn-and-more.myshopify.com
    api_version: "2026-10"
destinations:
  newsletter:
    platform: mailchimp
    audience: a1b2c3d4e5
    shops: [wool, yarn]
  catalog:
    platform: meta_catalog
    catalog_id: "1234567890"
    shops: [wool]
  lookalikes:
    platform: meta_audiences
    ad_account: "act_42"
  crm:
    platform: files
    folder: exports
"""
SECRETS = {
    "CONNECTOR_SHOPS__WOOL__CONSUMER_KEY": "ck_1",
    "CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET": "cs_1",
    "CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET": SIGNING,
    "CONNECTOR_SHOPS__YARN__CLIENT_SECRET": SIGNING,
    "CONNECTOR_DESTINATIONS__NEWSLETTER__API_KEY": MAILCHIMP_KEY,
    "CONNECTOR_DESTINATIONS__CATALOG__ACCESS_TOKEN": "token",
    "CONNECTOR_DESTINATIONS__LOOKALIKES__ACCESS_TOKEN": "token",
    "CONNECTOR_SECRET_KEY": "k" * 32,
    "PATH": "/usr/bin",
}


class House:
    """A folder with a configuration in it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "connector.yaml"
        self.secrets = folder / "secrets"
        self.secrets.mkdir()
        self.write(PROMISED)

    def write(self, text: str) -> None:
        """Put another configuration there."""
        self.file.write_text(text, encoding="utf-8")
        self.file.chmod(0o644)

    def load(self, *, without: tuple[str, ...] = (), **changed: str) -> Settings:
        """Load it with all secrets but some, and other variables."""
        kept = {name: value for name, value in SECRETS.items() if name not in without}
        return load_settings(self.file, environ=kept | changed, secrets=self.secrets)

    def faults(self, *, without: tuple[str, ...] = (), **changed: str) -> list[str]:
        """What is wrong with it; the file's own path is written as connector.yaml."""
        with pytest.raises(ConfigurationFault) as caught:
            self.load(without=without, **changed)
        folder = str(self.file.parent)
        return [each.replace(f"{folder}/", "") for each in caught.value.faults]


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The promised configuration with all its secrets."""
    return House(tmp_path)


def test_the_promised_file_is_read(house: House, tmp_path: Path) -> None:
    """Every key of the documented example arrives, paths made whole."""
    settings = house.load()
    wool, yarn = settings.shops["wool"], settings.shops["yarn"]
    newsletter, crm = settings.destinations["newsletter"], settings.destinations["crm"]
    assert f"sqlite:///{tmp_path}/connector.db" == settings.store
    assert str(tmp_path / "mapping.yaml") == settings.mapping
    assert "https://hooks.example.org" == settings.public_url
    assert Listen(host="127.0.0.1", port=8080) == settings.listen
    assert ("live", None, ()) == (settings.mode, settings.clock, settings.warnings)
    assert ("wool", "woocommerce", "https://wool.example") == (wool.name, wool.platform, wool.url)
    assert ("Europe/Oslo", "NOK") == (wool.timezone, wool.currency)
    assert wool.consumer_key is not None
    assert "ck_1" == wool.consumer_key.get_secret_value()
    assert [SIGNING] == [each.get_secret_value() for each in wool.webhook_secret]
    assert ("https://yarn-and-more.myshopify.com", "2026-10") == (yarn.address, yarn.api_version)
    assert ("a1b2c3d4e5", ("wool", "yarn")) == (newsletter.audience, newsletter.shops)
    assert "1234567890" == settings.destinations["catalog"].catalog_id
    assert "act_42" == settings.destinations["lookalikes"].ad_account
    assert (tmp_path / "exports", ()) == (crm.folder, crm.shops)
    assert ("wool", "yarn") == tuple(settings.shops)


def test_defaults_are_the_documented_ones(house: House) -> None:
    """A shop alone is enough."""
    house.write("shops: {wool: {platform: woocommerce, url: https://wool.example}}")
    settings = house.load()
    assert Listen(host="127.0.0.1", port=8080) == settings.listen
    assert ("live", {}, None) == (settings.mode, settings.destinations, settings.public_url)
    assert (8, 5 * 2**20) == (settings.threads, settings.body_limit)
    assert settings.store.endswith("/connector.db")
    assert settings.mapping.endswith("/mapping.yaml")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", timedelta(minutes=10)),
        ("reconcile: 2h", timedelta(hours=2)),
        ("reconcile: 'off'", None),
    ],
)
def test_how_often_a_shop_is_asked_what_changed(
    house: House, value: str, expected: timedelta | None
) -> None:
    """Every ten minutes, another span, or never."""
    more = f", {value}" if value else ""
    house.write(f"shops: {{wool: {{platform: woocommerce, url: https://wool.example{more}}}}}")
    assert expected == house.load().shops["wool"].reconcile


def test_how_often_must_be_a_span(house: House) -> None:
    """Both forms are told."""
    name = "CONNECTOR_SHOPS__WOOL__RECONCILE"
    expected = (
        f"{name} in the environment must look like 30m, 24h or 7d, and be at most 31 days; or off"
    )
    assert [expected] == house.faults(**{name: "often"})


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", (4, None)),
        (", requests_at_once: 2, requests_a_second: 5", (2, 5)),
        (", requests_at_once: 16", (16, None)),
    ],
)
def test_how_politely_a_shop_is_read(
    house: House, more: str, expected: tuple[int, int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four pages at a time and as fast as it answers, unless the shop is to be spared."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(guests, "WooCommerceShop", lambda *_, **named: given.update(named))
    house.write(f"shops: {{wool: {{platform: woocommerce, url: https://wool.example{more}}}}}")
    guests.SHOPS["woocommerce"]("wool", house.load().shops["wool"], None)
    assert expected == (given["manners"].at_once, given["manners"].a_second)


@pytest.mark.parametrize(
    ("name", "value"), [("AT_ONCE", "0"), ("AT_ONCE", "17"), ("A_SECOND", "0"), ("A_SECOND", "5m")]
)
def test_how_politely_must_be_a_number(house: House, name: str, value: str) -> None:
    """Never is not a speed, and so much at once leaves no room for customers."""
    (fault,) = house.faults(**{f"CONNECTOR_SHOPS__WOOL__REQUESTS_{name}": value})
    assert "must be a whole number from 1 to" in fault


@pytest.mark.parametrize(
    ("shops", "second", "refused"),
    [
        ("", "woocommerce, url: https://yarn.example", True),
        (", shops: [wool, yarn]", "woocommerce, url: https://yarn.example", True),
        (", shops: [wool]", "woocommerce, url: https://yarn.example", False),
        ("", "shopify, domain: yarn-and-more.myshopify.com", False),
    ],
)
def test_one_pixel_is_for_one_shop_that_counts_from_one(
    house: House, shops: str, second: str, *, refused: bool
) -> None:
    """Both have an order 12, and Meta would count the second as told already."""
    house.write(
        "shops:\n"
        "  wool: {platform: woocommerce, url: https://wool.example}\n"
        f"  yarn: {{platform: {second}}}\n"
        "destinations:\n"
        f'  buys: {{platform: meta_conversions, pixel_id: "123"{shops}}}\n'
    )
    keys = ("CONSUMER_KEY", "CONSUMER_SECRET", "WEBHOOK_SECRET", "CLIENT_SECRET")
    secrets = {f"CONNECTOR_SHOPS__YARN__{key}": SIGNING for key in keys}
    secrets["CONNECTOR_DESTINATIONS__BUYS__ACCESS_TOKEN"] = SIGNING
    if refused:
        (fault,) = house.faults(**secrets)
        assert "orders of wool and yarn, which have the same numbers" in fault
        assert fault.endswith("shops: [wool]")
    else:
        assert "buys" in house.load(**secrets).destinations


def test_no_secret_is_ever_shown(house: House) -> None:
    """Threat E4: neither the settings nor a fault repeat a secret or the store's password."""
    store = {"CONNECTOR_STORE": "postgresql+psycopg://u:pa55word@db/x"}
    shown = repr(house.load(**store)) + str(house.load(**store))
    bad = dict.fromkeys(SECRETS.keys() - {"PATH"}, "hush hush\n")
    shown += "\n".join(house.faults(**bad, CONNECTOR_STORE="mysql://u:pa55word@db/x"))
    for hidden in (MAILCHIMP_KEY, SIGNING, "ck_1", "cs_1", "kkkk", "hush", "pa55word"):
        assert hidden not in shown


def test_the_first_place_wins(house: House) -> None:
    """Environment before /run/secrets before .env; files lose the line end editors add."""
    name = "CONNECTOR_SHOPS__WOOL__CONSUMER_KEY"
    dotenv = house.file.parent / ".env"
    dotenv.write_text(
        f'# keys\n{name}="from .env"\nexport CONNECTOR_MODE=test\n'.replace(" .", ".")
    )
    dotenv.chmod(0o600)

    def key(settings: Settings) -> str:
        found = settings.shops["wool"].consumer_key
        assert found is not None
        return found.get_secret_value()

    lone = house.load(without=(name,))
    assert ("from.env", "test", ()) == (key(lone), lone.mode, lone.warnings)
    (house.secrets / name.lower()).write_text("from-file\n")
    assert "from-file" == key(house.load(without=(name,)))
    (house.secrets / name).write_text("from-upper-file\r\n")
    assert "from-upper-file" == key(house.load(without=(name,)))
    assert "ck_1" == key(house.load())


def test_variables_override_the_file_and_the_command_line_both(house: House) -> None:
    """CONNECTOR_LISTEN beats the file, --listen beats it; --mapping is from where it was typed."""
    assert 9000 == house.load(CONNECTOR_LISTEN="0.0.0.0:9000").listen.port
    url = house.load(CONNECTOR_SHOPS__WOOL__BASE_URL="http://127.0.0.1:9").shops["wool"].address
    assert "http://127.0.0.1:9" == url
    names = house.load(CONNECTOR_DESTINATIONS__CRM__SHOPS="wool, yarn").destinations["crm"].shops
    assert ("wool", "yarn") == names
    environ = SECRETS | {"CONNECTOR_LISTEN": "0.0.0.0:9000"}
    typed = load_settings(
        house.file,
        environ=environ,
        listen="[::1]:7000",
        mapping="other.yaml",
        secrets=house.secrets,
    )
    assert Listen(host="::1", port=7000) == typed.listen
    assert str(Path("other.yaml").resolve()) == typed.mapping
    assert "preset:x" == house.load(CONNECTOR_MAPPING="preset:x").mapping


def test_absolute_paths_and_servers_stay(house: House) -> None:
    """Only relative files are from the configuration's folder."""
    for store in ("sqlite:////var/c.db", "postgresql+psycopg://u@h/d", "sqlite:///:memory:"):
        assert store == house.load(CONNECTOR_STORE=store).store
    folder = house.load(CONNECTOR_DESTINATIONS__CRM__FOLDER="/srv/out").destinations["crm"].folder
    assert Path("/srv/out") == folder


def test_several_webhook_secrets_are_accepted(house: House) -> None:
    """Old and new while they are being changed."""
    settings = house.load(CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET=f"{SIGNING},{'t' * 16}")
    found = [each.get_secret_value() for each in settings.shops["wool"].webhook_secret]
    assert [SIGNING, "t" * 16] == found


def test_names_with_dashes_have_variables_with_underscores(house: House) -> None:
    """No shell takes a dash in a name."""
    house.write("shops: {my-wool: {platform: woocommerce, url: https://w.example}}")
    variables = {
        f"CONNECTOR_SHOPS__MY_WOOL__{key}": SIGNING
        for key in ("CONSUMER_KEY", "CONSUMER_SECRET", "WEBHOOK_SECRET")
    }
    settings = load_settings(house.file, environ=variables, secrets=house.secrets)
    assert ["my-wool"] == list(settings.shops)
    assert () == settings.warnings


def test_a_missing_file_says_how_to_get_one(house: House) -> None:
    """Not a traceback."""
    house.file.unlink()
    expected = (
        "connector.yaml: cannot be read (No such file or directory). "
        "`connector init` writes one; --config names another"
    )
    assert [expected] == house.faults()


# --- Part 4 D of the list of bad inputs, by number ----------------------------------------------


def test_d90_a_missing_secret_names_its_variable_and_every_place(house: House) -> None:
    """90: the variable, who needs it, and where it was looked for."""
    name = "CONNECTOR_DESTINATIONS__NEWSLETTER__API_KEY"
    expected = (
        f"{name} is not set and destinations.newsletter needs it. "
        f"Looked in the environment, secrets/{name} (or in lower case), .env"
    )
    assert [expected] == house.faults(without=(name,))


def test_d90_all_missing_secrets_at_once(house: House) -> None:
    """90: one sentence for each of the seven."""
    faults = house.faults(without=tuple(SECRETS))
    assert 7 == len(faults)
    assert sorted(SECRETS.keys() - {"PATH", "CONNECTOR_SECRET_KEY"}) == sorted(
        each.split()[0] for each in faults
    )


BARE = "characters, not shown): set the bare secret"
ANEW = "characters, not shown): copy it anew"


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (f'"{SIGNING}"', f"has quotes around it (42 {BARE}"),
        (f"'{SIGNING}", f"has quotes around it (41 {BARE}"),
        (f" {SIGNING}", f"has a space or line end in it (41 {BARE}"),
        (f"{SIGNING}\n", f"has a space or line end in it (41 {BARE}"),
        (f"{SIGNING}\x07", f"has invisible characters in it (41 {ANEW}"),
        ("", "is empty"),
    ],
)
def test_d91_a_secret_that_was_copied_badly(house: House, value: str, what: str) -> None:
    """91: its length is shown, the secret is not."""
    name = "CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET"
    assert [f"{name} in the environment {what}"] == house.faults(**{name: value})


@pytest.mark.parametrize("value", ["changeme", "s" * 15, f"{SIGNING},short", f"{SIGNING},"])
def test_d91_a_short_webhook_secret_is_refused(house: House, value: str) -> None:
    """Threat R2: a signature under a guessable secret proves nothing."""
    faults = house.faults(CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET=value)
    assert 1 == len(faults)
    assert "is too short" in faults[0] or "is empty" in faults[0]
    assert value not in faults[0]


def test_d92_signs_that_html_changes_are_taken_as_they_are(house: House) -> None:
    """92: ampersands and the like belong to the secret; nothing is decoded here."""
    odd = "a&amp;b<c>d&e" * 3
    found = house.load(CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET=odd).shops["wool"].webhook_secret
    assert [odd] == [each.get_secret_value() for each in found]


def test_d93_an_api_token_is_no_signing_secret(house: House) -> None:
    """93: Shopify's access token in the place of the client secret."""
    name = "CONNECTOR_SHOPS__YARN__CLIENT_SECRET"
    expected = (
        f"{name} in the environment is an API token (shpat_…); "
        "webhooks are signed with the client secret"
    )
    assert [expected] == house.faults(**{name: "shpat_" + "0" * 32})


@pytest.mark.parametrize("tail", ["", "-", "-us", "-us1234", "-evil.com/", "-us1/x", "-US1", "-u1"])
def test_d94_a_mailchimp_key_needs_its_data_centre(house: House, tail: str) -> None:
    """94, Threat O2: the data centre decides which host is called; nothing else is let through."""
    name = "CONNECTOR_DESTINATIONS__NEWSLETTER__API_KEY"
    value = "0" * 32 + tail
    expected = (
        f"{name} in the environment must end in its data centre, such as -us21: "
        f"copy the whole key from Mailchimp ({len(value)} characters, not shown)"
    )
    assert [expected] == house.faults(**{name: value})


@pytest.mark.parametrize("value", ["5m", "-1", "1e9", "0", "129", "1_0", "٣", "9" * 5000])
def test_d95_numbers_have_a_range(house: House, value: str) -> None:
    """95: the range is told."""
    expected = "CONNECTOR_THREADS in the environment must be a whole number from 1 to 128"
    assert [expected] == house.faults(CONNECTOR_THREADS=value)


def test_d95_an_empty_number_is_no_number(house: House) -> None:
    """95: set to nothing is set wrong."""
    expected = (
        "CONNECTOR_BODY_LIMIT in the environment must be a whole number from 1024 to 67108864"
    )
    assert [expected] == house.faults(CONNECTOR_BODY_LIMIT="")


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("127.0.0.1:5m", "needs a port from 0 to 65535 after the colon"),
        ("127.0.0.1:-1", "needs a port from 0 to 65535 after the colon"),
        ("127.0.0.1:", "needs a port from 0 to 65535 after the colon"),
        ("127.0.0.1:65536", "needs a port from 0 to 65535 after the colon"),
        ("8080", "must be HOST:PORT, such as 127.0.0.1:8080"),
        (":8080", "must be HOST:PORT, such as 127.0.0.1:8080"),
        ("::1:8080", "must be HOST:PORT, such as 127.0.0.1:8080"),
        ("", "is empty"),
    ],
)
def test_d101_the_address_to_listen_on(house: House, value: str, what: str) -> None:
    """101: whether it is free is seen later; that it is one is seen here."""
    expected = f"CONNECTOR_LISTEN in the environment {what}"
    assert [expected] == house.faults(CONNECTOR_LISTEN=value)


def test_d96_unknown_variables_are_warned_of(house: House) -> None:
    """96: with the nearest known name, from the environment and from .env; nothing stops."""
    dotenv = house.file.parent / ".env"
    dotenv.write_text("CONNECTOR_LISTN=1.2.3.4:5\n")
    dotenv.chmod(0o600)
    settings = house.load(
        CONNECTOR_SHOPS__WOOL__CONSUMER_KEI="x", CONNECTOR_CORPUS="/srv", CONNECTORS="y"
    )
    expected = (
        "CONNECTOR_SHOPS__WOOL__CONSUMER_KEI in the environment is not known and not used."
        " Did you mean CONNECTOR_SHOPS__WOOL__CONSUMER_KEY?",
        f"CONNECTOR_LISTN in {dotenv} is not known and not used. Did you mean CONNECTOR_LISTEN?",
    )
    assert expected == settings.warnings
    assert Listen(host="127.0.0.1", port=8080) == settings.listen


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("http://hooks.example.org", "must begin with https:// in mode live"),
        ("http://localhost:8080", "is this machine: no shop outside can call it"),
        ("https://127.0.0.1", "is this machine: no shop outside can call it"),
    ],
)
def test_d102_shops_must_be_able_to_call(house: House, url: str, what: str) -> None:
    """102: http and this machine are refused in mode live, and fine in mode test."""
    assert [f"public_url {url} {what}"] == house.faults(CONNECTOR_PUBLIC_URL=url)
    assert url == house.load(CONNECTOR_PUBLIC_URL=url, CONNECTOR_MODE="test").public_url


def test_d102_shops_on_this_machine_may_call_this_machine(house: House) -> None:
    """102: with every shop on loopback, a loopback address is right."""
    house.write("shops: {wool: {platform: woocommerce, url: 'http://127.0.0.1:8090'}}")
    assert (
        "http://localhost:8080"
        == house.load(CONNECTOR_PUBLIC_URL="http://localhost:8080").public_url
    )


@pytest.mark.parametrize("url", ["https://", "https:///hooks", "hooks.example.org", "https://h:0"])
def test_d102_a_public_url_needs_a_host(house: House, url: str) -> None:
    """102: without a host it is no address."""
    faults = house.faults(CONNECTOR_PUBLIC_URL=url)
    assert 1 == len(faults)
    assert faults[0].startswith("CONNECTOR_PUBLIC_URL in the environment must be a ")


def test_a_pixel_is_digits_and_has_a_token(house: House) -> None:
    """What a destination of conversions must be given, each fault told."""
    section = "  sales: {{platform: meta_conversions, pixel_id: {}}}\n"
    house.write(PROMISED + section.format('"1234567890123456"'))
    settings = house.load(CONNECTOR_DESTINATIONS__SALES__ACCESS_TOKEN="token")
    assert "1234567890123456" == settings.destinations["sales"].pixel_id
    assert ["CONNECTOR_DESTINATIONS__SALES__ACCESS_TOKEN is not set"] == [
        fault.partition(" and ")[0] for fault in house.faults()
    ]
    house.write(PROMISED + section.format("pixel"))
    (fault,) = house.faults(CONNECTOR_DESTINATIONS__SALES__ACCESS_TOKEN="token")
    assert "destinations.sales.pixel_id" in fault


def test_two_destinations_cannot_share_an_ad_account(house: House) -> None:
    """Nor a pixel: each would take people out whom the other put in, or tell a purchase twice."""
    house.write(
        PROMISED
        + "  others: {platform: meta_audiences, ad_account: act_42}\n"
        + '  one: {platform: meta_conversions, pixel_id: "1"}\n'
        + '  two: {platform: meta_conversions, pixel_id: "1"}\n'
    )
    names = ("OTHERS", "ONE", "TWO")
    tokens = {f"CONNECTOR_DESTINATIONS__{name}__ACCESS_TOKEN": "token" for name in names}
    assert [
        "destinations.others.ad_account is also that of destinations.lookalikes",
        "destinations.two.pixel_id is also that of destinations.one",
    ] == [fault.partition(":")[0] for fault in house.faults(**tokens)]


def test_d103_two_destinations_cannot_share_an_audience(house: House) -> None:
    """103: each would take away the tags of the other."""
    twin = "  letters: {platform: mailchimp, audience: a1b2c3d4e5, shops: [wool]}\n"
    house.write(PROMISED + twin + "  out: {platform: files, folder: ./exports}\n")
    faults = house.faults(CONNECTOR_DESTINATIONS__LETTERS__API_KEY=MAILCHIMP_KEY)
    ending = "they would undo each other's work. One destination takes several shops"
    expected = [
        f"destinations.letters.audience is also that of destinations.newsletter: {ending}",
        f"destinations.out.folder is also that of destinations.crm: {ending}",
    ]
    assert expected == faults


@pytest.mark.parametrize(
    ("section", "secret"),
    [
        ("{platform: mailchimp, audience: b1}", {"API_KEY": MAILCHIMP_KEY}),
        ("{platform: http, url: https://crm.example/hooks}", {"SIGNING_SECRET": SIGNING}),
    ],
)
def test_d103_one_audience_for_two_shops_needs_a_yes(
    house: House, section: str, secret: dict[str, str]
) -> None:
    """103: whoever writes to people says whose; naming all the shops is the yes."""
    around = {f"CONNECTOR_DESTINATIONS__LETTERS__{key}": value for key, value in secret.items()}
    house.write(f"{PROMISED}  letters: {section}\n")
    assert [
        "destinations.letters does not say whose people it holds, and there are several shops. "
        "If they are to share it: shops: [wool, yarn]"
    ] == house.faults(**around)
    for shops in ("[wool, yarn]", "[yarn]"):
        house.write(f"{PROMISED}  letters: {section[:-1]}, shops: {shops}}}\n")
        assert shops == f"[{', '.join(house.load(**around).destinations['letters'].shops)}]"


def test_d103_with_one_shop_there_is_nothing_to_say(house: House) -> None:
    """103: nor for files, which are the shop's own."""
    house.write(
        "shops: {wool: {platform: woocommerce, url: https://wool.example}}\n"
        "destinations: {newsletter: {platform: mailchimp, audience: a1b2c3d4e5}}\n"
    )
    assert () == house.load().destinations["newsletter"].shops


# --- Beyond the list ----------------------------------------------------------------------------


def test_every_fault_at_once_with_its_line(house: House) -> None:
    """Unknown keys with the nearest, wrong values, secrets in the file, missing ones: all told."""
    house.write(
        """\
stor: sqlite:///x.db
mode: lve
shops:
  wool:
    platform: woocommerce
    url: http://wool.example
    curency: NOK
    timezone: Europe/Olso
    api_version: "2026-10"
    consumer_key: ck_5ecret
  Yarn: {platform: shopify}
  thread: {platform: woocomerce}
  silk: {platform: woocommerce, currency: kr}
  cord: text
destinations:
  news: {platform: mailchimp, audience: [a]}
"""
    )
    environ = {
        f"CONNECTOR_SHOPS__{shop}__{key}": SIGNING
        for shop in ("WOOL", "SILK")
        for key in ("CONSUMER_KEY", "CONSUMER_SECRET", "WEBHOOK_SECRET")
    }
    expected = [
        "connector.yaml:1 stor is no setting here. Did you mean store?",
        "connector.yaml:7 shops.wool.curency is no setting here. Did you mean currency?",
        "connector.yaml:9 shops.wool.api_version is no setting here.",
        "connector.yaml:10 shops.wool.consumer_key is a secret: "
        "set CONNECTOR_SHOPS__WOOL__CONSUMER_KEY instead",
        "connector.yaml:11 shops.Yarn must be a name of a-z, 0-9, - and _ "
        "that begins with a letter",
        "connector.yaml:12 shops.thread.platform must be one of woocommerce, shopify. "
        "Did you mean woocommerce?",
        "connector.yaml:13 shops.silk needs `url`",
        "connector.yaml:14 shops.cord must be a mapping with its `platform`",
        "connector.yaml:2 mode must be live or test, not 'lve'. Did you mean live?",
        "connector.yaml:6 shops.wool.url must begin with https:// "
        "(plain http only on this machine)",
        "connector.yaml:8 shops.wool.timezone is no time zone: 'Europe/Olso'. "
        "Did you mean Europe/Oslo?",
        "connector.yaml:13 shops.silk.currency must look like EUR",
        "connector.yaml:16 destinations.news.audience must be a text, not a list",
    ]
    faults = house.faults(**environ, CONNECTOR_DESTINATIONS__NEWS__API_KEY=MAILCHIMP_KEY)
    assert expected == faults


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "connector.yaml:1: must hold settings, such as `shops:`"),
        ("- a", "connector.yaml:1: must hold settings, such as `shops:`"),
        (
            "mode: test",
            "connector.yaml: shops is missing: without a shop nothing would ever arrive",
        ),
        (
            "a: &x 1",
            "connector.yaml:1 a: the anchor &x is not read; write the value out where it is used",
        ),
    ],
)
def test_a_file_of_another_kind(house: House, text: str, expected: str) -> None:
    """Empty, a list, without shops, with an anchor."""
    house.write(text)
    assert [expected] == house.faults()


def test_shops_and_destinations_share_their_addresses(house: House) -> None:
    """A destination with a shop's name, or one that differs in a dash only, is refused."""
    house.write(
        PROMISED
        + "  wool: {platform: files, folder: out}\n  news-letter: {platform: files, folder: a}\n"
        + "  news_letter: {platform: files, folder: b}\n"
    )
    line = PROMISED.count("\n")
    expected = [
        f"connector.yaml:{line + 1} destinations.wool has the name of shops.wool: "
        "addresses would be the same",
        f"connector.yaml:{line + 3} destinations.news_letter has the name of "
        "destinations.news-letter: addresses would be the same",
    ]
    assert expected == house.faults()


def test_destinations_name_shops_that_exist(house: House) -> None:
    """A misspelt shop is told with the nearest."""
    house.write(PROMISED.replace("shops: [wool]", "shops: [wol]"))
    expected = "destinations.catalog.shops names 'wol', which is no shop. Did you mean wool?"
    assert [expected] == house.faults()


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:80", True),
        ("http://localhost", True),
        ("http://mc.localhost", True),
        ("https://eu.proxy.example/mc", True),
        ("http://proxy.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://10.0.0.1", False),
        ("ftp://127.0.0.1", False),
        ("https://user:pw@proxy.example", False),
        ("https://proxy.example/?q=1", False),
        ("https://proxy.example\\@evil.example", False),
        ("https://[::1", False),
    ],
)
def test_plain_http_only_on_this_machine(house: House, address: str, *, good: bool) -> None:
    """A stand-in for a platform may be plain http only on loopback."""
    variable = {"CONNECTOR_DESTINATIONS__NEWSLETTER__BASE_URL": address}
    if good:
        newsletter = house.load(**variable).destinations["newsletter"]
        assert (address, is_loopback(address)) == (newsletter.base_url, newsletter.is_local)
    else:
        faults = house.faults(**variable)
        assert 1 == len(faults)
        assert "pw" not in faults[0]


CLOCK = "2026-11-24T00:30:00+01:00"


def test_a_rehearsal_must_not_reach_anybody(house: House) -> None:
    """CONNECTOR_CLOCK is refused in mode live while a destination is not on loopback."""
    base = {
        f"CONNECTOR_DESTINATIONS__{name}__BASE_URL": "http://127.0.0.1:1"
        for name in ("NEWSLETTER", "CATALOG", "LOOKALIKES")
    }
    expected = [
        f"CONNECTOR_CLOCK is set: a rehearsal must not reach destinations.{name}"
        for name in ("newsletter", "catalog", "lookalikes")
    ]
    moment = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert expected == house.faults(CONNECTOR_CLOCK=CLOCK)
    assert moment == house.load(CONNECTOR_CLOCK=CLOCK, CONNECTOR_MODE="test").clock
    assert moment == house.load(CONNECTOR_CLOCK=CLOCK, **base).clock


@pytest.mark.parametrize("value", ["2026-11-23T23:30:00", "now", "9999-12-31T23:59:59-12:00"])
def test_a_clock_is_a_moment(house: House, value: str) -> None:
    """With its offset, and within what can be counted."""
    expected = (
        "CONNECTOR_CLOCK in the environment must be a moment with an offset, "
        "such as 2026-11-23T23:30:00Z"
    )
    assert [expected] == house.faults(CONNECTOR_CLOCK=value, CONNECTOR_MODE="test")


def test_files_that_others_may_change_or_read(house: House) -> None:
    """A configuration that everybody may change is refused; an open .env is warned of."""
    dotenv = house.file.parent / ".env"
    dotenv.write_text("")
    dotenv.chmod(0o644)
    expected = f"{dotenv} holds secrets and is open to everybody here: chmod 600 {dotenv}"
    assert (expected,) == house.load().warnings
    house.file.chmod(0o666)
    expected = "connector.yaml: everybody here may change it: chmod o-w connector.yaml"
    assert [expected] == house.faults()
    house.write("a: !!int 1\na: *x\n")
    house.file.chmod(0o666)
    assert [
        expected,
        "connector.yaml:1 a: the tag !!int is not read; remove it",
        "connector.yaml:2 a: the alias *x is not read; write the value out",
        "connector.yaml:2 a: is here for the second time; the first is in line 1",
    ] == house.faults()


@pytest.mark.parametrize(
    ("every", "expected"),
    [("30m", timedelta(minutes=30)), ("24h", timedelta(days=1)), ("31d", timedelta(days=31))],
)
def test_how_often_files_are_exported(house: House, every: str, expected: timedelta) -> None:
    """Minutes, hours or days; nothing else is needed."""
    house.write(PROMISED + f"    every: {every}\n")
    assert expected == house.load().destinations["crm"].every
    house.write(PROMISED)
    assert house.load().destinations["crm"].every is None


@pytest.mark.parametrize("every", ["0h", "32d", "24", "1.5h", "-1h", "daily", "99999d", "1w"])
def test_times_between_exports_that_are_none(house: House, every: str) -> None:
    """Said at the line; at most a month."""
    house.write(PROMISED + f"    every: {every}\n")
    ending = "destinations.crm.every must look like 30m, 24h or 7d, and be at most 31 days"
    [fault] = house.faults()
    assert fault.endswith(ending)


CRM = PROMISED + "  desk: {platform: http, url: https://crm.example/hooks, shops: [wool]}\n"
WHSEC = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.mark.parametrize("secret", [WHSEC, "t" * 24, f"{WHSEC},{'t' * 24}"])
def test_a_signing_secret_is_read(house: House, secret: str) -> None:
    """With the prefix or without, one or several, in their order."""
    house.write(CRM)
    desk = house.load(CONNECTOR_DESTINATIONS__DESK__SIGNING_SECRET=secret).destinations["desk"]
    assert secret.split(",") == [each.get_secret_value() for each in desk.signing_secret]
    assert (False, False) == (desk.is_local, desk.private_network)


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("t" * 23, "is too short: at least 24 bytes"),
        ("whsec_" + base64.b64encode(b"short").decode(), "holds 5 bytes: 24 to 64 are needed"),
        ("whsec_" + base64.b64encode(b"x" * 65).decode(), "holds 65 bytes: 24 to 64 are needed"),
        ("whsec_***", "is not whsec_ followed by base64"),
        (f"{WHSEC},short", "is too short"),
    ],
)
def test_a_signing_secret_that_is_none(house: House, secret: str, words: str) -> None:
    """It says why, and does not show it."""
    house.write(CRM)
    [fault] = house.faults(CONNECTOR_DESTINATIONS__DESK__SIGNING_SECRET=secret)
    assert words in fault
    assert secret not in fault


def test_two_destinations_cannot_share_an_address(house: House) -> None:
    """They would undo each other's work."""
    house.write(CRM + "  twin: {platform: http, url: https://crm.example/hooks, shops: [yarn]}\n")
    [fault] = house.faults(
        CONNECTOR_DESTINATIONS__DESK__SIGNING_SECRET=WHSEC,
        CONNECTOR_DESTINATIONS__TWIN__SIGNING_SECRET=WHSEC,
    )
    assert fault.startswith("destinations.twin.url is also that of destinations.desk")
