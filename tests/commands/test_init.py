"""``connector init``: what is asked, what is tried, what is written, and what never happens."""

from __future__ import annotations

import socket
import stat
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import click
import httpx
import pytest
from click.testing import CliRunner

from adapters.mailchimp.sandbox import Sandbox as Audience
from adapters.woocommerce.sandbox import Sandbox as Shop
from connector import cli, wiring
from connector import settings as setting_places
from connector.commands import trying
from connector.errors import ConnectorError
from tests.commands.conftest import Ran

KEY = "CONNECTOR_SHOPS__WOOL__CONSUMER_KEY"
SECRET = "CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET"
API_KEY = "CONNECTOR_DESTINATIONS__NEWSLETTER__API_KEY"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No secret of this machine is found, and each command runs in an empty folder."""
    folder = tmp_path / "run-secrets"
    monkeypatch.setattr(setting_places, "SECRETS_FOLDER", folder)
    monkeypatch.setattr(wiring, "load_settings", partial(wiring.load_settings, secrets=folder))
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, typed: str | None = None, env: dict[str, str] | None = None) -> Ran:
    ran = CliRunner().invoke(
        cli.cli, ["init", *arguments], input=typed, env=env, standalone_mode=False
    )
    problem = ran.exception
    if isinstance(problem, (ConnectorError, click.ClickException)):
        return Ran(problem.exit_code, ran.stdout, f"{ran.stderr}{problem}")
    if isinstance(problem, click.Abort):
        return Ran(130, ran.stdout, ran.stderr)
    if problem is not None and not isinstance(problem, SystemExit):
        raise problem
    return Ran(ran.exit_code, ran.stdout, ran.stderr)


def silent(shop: Shop, audience: Audience, *more: str, **env: str) -> Ran:
    known = {KEY: shop.key, SECRET: shop.secret, API_KEY: audience.api_key, **env}
    base = ["--yes", "--shop", shop.base_url, "--shop-name", "wool", "--audience", ""]
    return run(*base, *more, env=known)


def modes() -> dict[str, int]:
    return {name: stat.S_IMODE(Path(name).stat().st_mode) for name in FILES}


FILES = ("connector.yaml", "mapping.yaml", ".env")


def test_a_script_gets_three_files_that_work(shop: Shop, audience: Audience) -> None:
    """Options, defaults and the environment are enough; the secrets are for our eyes only."""
    ran = silent(shop, audience, "--preset", "winback", "--public-url", "https://h.example.org/")
    assert 0 == ran.exit_code
    assert {"connector.yaml": 0o644, "mapping.yaml": 0o644, ".env": 0o600} == modes()
    configured = wiring.configure(Path("connector.yaml"))
    assert "https://h.example.org" == configured.settings.public_url
    assert {"wool"} == set(configured.settings.shops)
    assert {"crm"} == set(configured.settings.destinations)
    assert "slipping" in configured.mapping.segments
    assert () == configured.settings.warnings
    for step in (
        *("connector check", "connector run", "connector webhooks register wool"),
        "connector backfill wool",
    ):
        assert step in ran.text


def test_nothing_secret_is_printed_or_in_the_open_files(shop: Shop, audience: Audience) -> None:
    """What was found, and what was made."""
    ran = silent(shop, audience)
    values = dict(
        line.split("=", 1) for line in Path(".env").read_text("utf-8").splitlines() if "=" in line
    )
    assert 4 == len(values)
    opened = "".join(Path(name).read_text("utf-8") for name in ("connector.yaml", "mapping.yaml"))
    for secret in values.values():
        assert secret not in ran.text + ran.error + opened
    assert 48 == len(values["CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET"])
    assert 64 == len(values["CONNECTOR_SECRET_KEY"])


def test_a_person_is_asked_and_sees_no_secret(shop: Shop, audience: Audience) -> None:
    """Prompts in their order; the keys are not shown while they are typed."""
    answers = [
        shop.base_url,
        "wool",
        "",  # no public address yet
        "",  # listen
        "",  # store
        shop.key,
        shop.secret,
        audience.audience,
        audience.api_key,
        "",  # exports
        "minimal-newsletter",
    ]
    # The stand-in of Mailchimp is not where the key would lead, so nothing is tried.
    ran = run("--platform", "woocommerce", "--untested", typed="\n".join([*answers, ""]))
    assert 0 == ran.exit_code
    assert shop.secret not in ran.text
    assert audience.api_key not in ran.text
    settings = wiring.configure(Path("connector.yaml")).settings
    assert ["newsletter", "crm"] == list(settings.destinations)
    key = settings.shops["wool"].consumer_key
    assert key is not None
    assert shop.key == key.get_secret_value()
    mapping = Path("mapping.yaml").read_text("utf-8")
    assert "  newsletter:\n" in mapping
    assert "  crm:\n" in mapping
    assert "  mailchimp:\n" not in mapping


def test_a_wrong_answer_is_asked_for_again(shop: Shop) -> None:
    """With what is wrong about it."""
    answers = [
        *("wool.example", shop.base_url),
        *("Wool Shop", "wool"),
        *("", "8080", "127.0.0.1:8099", ""),
        *(shop.key, shop.secret),
    ]
    typed = "\n".join([*answers, ""])
    rest = ["--platform", "woocommerce", "--audience", "", "--exports", "", "--preset", "winback"]
    ran = run(*rest, typed=typed)
    assert 0 == ran.exit_code
    for words in ("must be a web address", "must look like wool", "must be HOST:PORT"):
        assert words in ran.text
    assert 8099 == wiring.configure(Path("connector.yaml")).settings.listen.port


def test_a_wrong_key_is_found_at_once(shop: Shop, audience: Audience) -> None:
    """It is tried as it goes; the second try is right."""
    options = ["--platform", "woocommerce", "--shop", shop.base_url, "--shop-name", "wool"]
    options += ["--public-url", "", "--listen", "127.0.0.1:8080", "--store", "sqlite:///c.db"]
    options += ["--audience", "", "--exports", "", "--preset", "winback"]
    typed = f"ck_wrong\ncs_wrong\ny\n{shop.key}\n{shop.secret}\n"
    ran = run(*options, typed=typed)
    assert 0 == ran.exit_code
    assert "does not take the key" in ran.text
    assert "WooCommerce takes the key" in ran.text
    assert shop.key in Path(".env").read_text("utf-8")
    assert "ck_wrong" not in Path(".env").read_text("utf-8") + ran.text


@pytest.mark.parametrize(("answer", "code", "written"), [("n", 130, False), ("y", 0, True)])
def test_a_person_may_go_on_without_a_connection(
    shop: Shop, answer: str, code: int, *, written: bool
) -> None:
    """Or stop, and then nothing is written."""
    options = ["--platform", "woocommerce", "--shop", shop.base_url, "--shop-name", "wool"]
    options += ["--public-url", "", "--listen", "127.0.0.1:8080", "--store", "sqlite:///c.db"]
    options += ["--audience", "", "--exports", "", "--preset", "winback"]
    ran = run(*options, typed=f"ck_wrong\ncs_wrong\nn\n{answer}\n")
    assert code == ran.exit_code
    assert written == Path("connector.yaml").exists() == Path(".env").exists()


def test_a_script_with_a_wrong_key_writes_nothing(shop: Shop, audience: Audience) -> None:
    """Exit 1, unless it says that nothing is to be tried."""
    wrong = {SECRET: "cs_wrong"}
    ran = silent(shop, audience, **wrong)
    assert 1 == ran.exit_code
    assert "Nothing was written" in ran.error
    assert not any(Path(name).exists() for name in FILES)
    assert 0 == silent(shop, audience, "--untested", **wrong).exit_code


def test_a_script_without_a_secret_is_told_its_variable(shop: Shop) -> None:
    """Exit 2, with every place looked in."""
    ran = run("--yes", "--shop", shop.base_url, "--shop-name", "wool")
    assert 2 == ran.exit_code
    assert KEY in ran.error
    assert "run-secrets" in ran.error
    assert not Path("connector.yaml").exists()


@pytest.mark.parametrize("name", FILES)
def test_no_file_is_overwritten(shop: Shop, audience: Audience, name: str) -> None:
    """Before anything is asked or tried; --force replaces them."""
    Path(name).write_text("OLD=1\n", encoding="utf-8")
    ran = silent(shop, audience, **{SECRET: "cs_wrong"})
    assert 1 == ran.exit_code
    assert f"{name} is there already" in ran.error
    assert "OLD=1\n" == Path(name).read_text("utf-8")
    assert [name] == [each for each in FILES if Path(each).exists()]
    assert 0 == silent(shop, audience, "--force").exit_code
    assert "wool" in Path("connector.yaml").read_text("utf-8")


def test_with_force_the_secrets_that_are_there_stay(shop: Shop, audience: Audience) -> None:
    """The webhooks in the shop go on being right, and other variables are kept."""
    silent(shop, audience)
    env = Path(".env")
    before = env.read_text("utf-8")
    env.write_text(before + "POSTGRES_PASSWORD=pg\n", encoding="utf-8")
    assert 0 == silent(shop, audience, "--force").exit_code
    assert set(before.splitlines()) < set(env.read_text("utf-8").splitlines())
    assert "POSTGRES_PASSWORD=pg" in env.read_text("utf-8")
    assert 0o600 == modes()[".env"]


def test_c6_no_symbolic_link_is_followed(shop: Shop, audience: Audience, tmp_path: Path) -> None:
    """Not even with --force."""
    target = tmp_path / "elsewhere"
    target.write_text("mine", encoding="utf-8")
    Path(".env").symlink_to(target)
    ran = silent(shop, audience, "--force")
    assert 1 == ran.exit_code
    assert "symbolic link" in ran.error
    assert "mine" == target.read_text("utf-8")
    assert not Path("connector.yaml").exists()


def test_a_secret_file_is_used_and_not_copied(
    shop: Shop, audience: Audience, tmp_path: Path
) -> None:
    """What stands in /run/secrets stays there alone."""
    folder = tmp_path / "run-secrets"
    folder.mkdir()
    (folder / KEY.lower()).write_text(f"{shop.key}\n", encoding="utf-8")
    base = ["--yes", "--shop", shop.base_url, "--shop-name", "wool", "--audience", ""]
    assert 0 == run(*base, env={SECRET: shop.secret}).exit_code
    text = Path(".env").read_text("utf-8")
    assert SECRET in text
    assert KEY not in text


@pytest.mark.parametrize("secret", ["cs_${HOME}xyz", "cs_it's-one", "cs_back\\slash"])
def test_a_secret_that_the_file_would_change_is_refused(
    shop: Shop, audience: Audience, secret: str
) -> None:
    """Its length only is told, and nothing is written."""
    ran = silent(shop, audience, "--untested", **{SECRET: secret})
    assert 2 == ran.exit_code
    assert f"({len(secret)} characters, not shown)" in ran.error
    assert secret not in ran.error
    assert not Path("connector.yaml").exists()


def test_c5_no_command_takes_a_secret_as_an_argument() -> None:
    """Everybody on a machine can read what is typed after a command."""
    words = ("secret", "token", "password", "consumer", "api-key", "api_key")

    def options(command: click.Command) -> Iterator[str]:
        for option in command.params:
            yield from option.opts
        if isinstance(command, click.Group):
            for each in command.commands.values():
                yield from options(each)

    known = list(options(cli.cli))
    assert "--shop-name" in known
    assert [] == [name for name in known if any(word in name for word in words)]


@pytest.fixture
def port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_shops_own_page_makes_the_key(
    shop: Shop, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner says yes there, the shop posts the key to a door that is open for that long."""
    monkeypatch.setattr(trying, "_WAIT", 20.0)
    shown: list[str] = []
    really_say = click.echo

    def say(message: object = None, **how: object) -> None:
        shown.append(str(message))
        really_say(message, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(click, "echo", say)

    def owner() -> None:
        while not (page := next((s for s in shown if "/wc-auth/" in s), "")):
            time.sleep(0.02)
        told = parse_qs(urlsplit(page.split()[-1]).query)
        callback = urlsplit(told["callback_url"][0])
        assert ("https", "hooks.example.org") == (callback.scheme, callback.netloc)
        keys = {"user_id": told["user_id"][0], "consumer_key": shop.key}
        body = keys | {"consumer_secret": shop.secret, "key_permissions": "read_write"}
        while True:
            try:
                answer = httpx.post(f"http://127.0.0.1:{port}{callback.path}", json=body)
            except httpx.ConnectError:
                time.sleep(0.02)
                continue
            assert 200 == answer.status_code
            return

    thread = threading.Thread(target=owner, daemon=True)
    thread.start()
    monkeypatch.setattr(shop, "key", "ck_sandbox")
    options = ["--platform", "woocommerce", "--shop", shop.base_url, "--shop-name", "wool"]
    options += ["--public-url", "https://hooks.example.org", "--listen", f"127.0.0.1:{port}"]
    options += ["--store", "sqlite:///c.db", "--audience", "", "--exports", ""]
    ran = run(*options, "--preset", "winback", typed="y\n")
    thread.join(20)
    assert 0 == ran.exit_code
    assert "The key is here." in ran.text
    assert "WooCommerce takes the key" in ran.text
    assert f"{KEY}={shop.key}" in Path(".env").read_text("utf-8")
    assert shop.secret not in ran.text


def test_without_a_key_from_the_page_it_goes_on_by_hand(shop: Shop) -> None:
    """When the address is taken, say, by a connector that runs already."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        options = ["--platform", "woocommerce", "--shop", shop.base_url, "--shop-name", "wool"]
        options += ["--public-url", "https://hooks.example.org", "--listen", listen]
        options += ["--store", "sqlite:///c.db", "--audience", "", "--exports", ""]
        typed = f"y\n{shop.key}\n{shop.secret}\n"
        ran = run(*options, "--preset", "winback", typed=typed)
    assert 0 == ran.exit_code
    assert "Make one by hand" in ran.text
    assert listen in ran.text
