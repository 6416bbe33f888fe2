"""A shop, an audience and a configuration of their own, and the command in this very process."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from werkzeug.serving import WSGIRequestHandler, make_server

from adapters.mailchimp.sandbox import Sandbox as Audience
from adapters.woocommerce.sandbox import Sandbox as Shop
from adapters.woocommerce.shop import WooCommerceShop
from connector import cli, log_lines, reception, wiring
from connector.errors import ConnectorError
from connector.ports import ShopAdapter
from connector.settings import ShopSettings
from connector.store import lanes
from connector.store.connect import Store

SECRET = "a-webhook-secret-2f9c1b"
OTHER_ACCOUNT = "another-account"


@dataclass
class Ran:
    """How a command ended, and what it said."""

    exit_code: int
    text: str
    error: str

    @property
    def told(self) -> Any:
        """What it said, as JSON."""
        return json.loads(self.text)


class BareShop(WooCommerceShop):
    """A shop of a platform that builds nothing but what it must."""

    check_up = None  # type: ignore[assignment]
    list_webhooks = None  # type: ignore[assignment]


def open_bare(name: str, section: ShopSettings) -> ShopAdapter:
    """Stands in for `wiring.open_shop`."""
    key, secret = section.consumer_key, section.consumer_secret
    assert key is not None
    assert secret is not None
    known = (key.get_secret_value(), secret.get_secret_value())
    return BareShop(name, section.address, *known, None)


@dataclass
class Home:
    """A folder with a configuration whose shop and audience are stand-ins on this machine."""

    folder: Path
    shop: Shop
    audience: Audience
    env: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 0
    running: list[Store] = field(default_factory=list)
    """What the receiver in this process holds open."""

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "connector.yaml"

    @property
    def public(self) -> str:
        """The address under which the shop reaches us."""
        return f"http://127.0.0.1:{self.port}"

    def write(self) -> None:
        """Write the two files anew."""
        lines = [f"{key}: {value}" for key, value in self.settings.items()]
        self.config.write_text(
            "\n".join(
                [
                    *lines,
                    "shops:",
                    f"  wool: {{platform: woocommerce, url: '{self.shop.base_url}'}}",
                    "destinations:",
                    f"  newsletter: {{platform: mailchimp, audience: {self.audience.audience}, "
                    f"base_url: '{self.audience.url}'}}",
                    "  crm: {platform: files, folder: exports}",
                    "",
                ]
            ),
            encoding="utf-8",
        )
        env = self.folder / ".env"
        env.touch(mode=0o600)
        env.write_text("".join(f"{k}={v}\n" for k, v in self.env.items()), encoding="utf-8")

    def store(self) -> Store:
        """The store, opened; the caller closes it."""
        return Store.open(f"sqlite:///{self.folder}/connector.db")

    def beat(self) -> None:
        """Say as a worker would that it lives."""
        store = self.store()
        with store.write() as conn:
            lanes.beat(conn, now=wiring.wall_clock())
        store.close()

    def run(self, *arguments: str, typed: str | None = None) -> Ran:
        """Run ``connector …`` here, as `connector.cli.main` would."""
        ran = CliRunner().invoke(
            cli.cli, [*arguments, "--config", str(self.config)], input=typed, standalone_mode=False
        )
        problem = ran.exception
        code, error = ran.exit_code, ran.stderr
        if isinstance(problem, (ConnectorError, click.ClickException)):
            code, error = problem.exit_code, f"{error}{problem}"
        elif problem is not None and not isinstance(problem, SystemExit):
            raise problem
        return Ran(code, ran.stdout, error)


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Say nothing of each request."""


def _nobody(_environ: Any, _start: Any) -> list[bytes]:
    raise AssertionError("asked before there is an application")


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop that sends only when it is told to."""
    with Shop(auto=False) as shop:
        yield shop


@pytest.fixture
def audience() -> Iterator[Audience]:
    """A Mailchimp of our own."""
    with Audience() as audience:
        yield audience


@pytest.fixture
def home(
    tmp_path: Path, shop: Shop, audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Home]:
    """A right configuration with its receiver running and a worker that has just said it lives."""
    monkeypatch.setattr(log_lines, "speak_in_lines", lambda: None)  # pytest owns standard error
    here = Home(tmp_path, shop, audience)
    server = make_server("127.0.0.1", 0, _nobody, threaded=True, request_handler=_Quiet)
    here.port = server.server_port
    here.settings = {
        "store": "sqlite:///connector.db",
        "mapping": "preset:loyalty-ladder",
        "public_url": here.public,
        "listen": f"127.0.0.1:{here.port}",
    }
    here.env = {
        "CONNECTOR_SHOPS__WOOL__CONSUMER_KEY": shop.key,
        "CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET": shop.secret,
        "CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET": SECRET,
        "CONNECTOR_DESTINATIONS__NEWSLETTER__API_KEY": audience.api_key,
    }
    here.write()
    here.beat()
    opened: list[Store] = []
    really_open = Store.open

    def open_and_note(*given: Any, **named: Any) -> Store:
        opened.append(really_open(*given, **named))
        return opened[-1]

    with monkeypatch.context() as patch:
        patch.setattr(Store, "open", open_and_note)
        patch.setenv(reception.CONFIG, str(here.config))
        server.app = reception.receiver_app()
    here.running = opened
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield here
    server.shutdown()
    thread.join()
    server.server_close()
    for store in opened:
        store.close()


@pytest.fixture
def findings(home: Home) -> Callable[..., list[dict[str, str]]]:
    """What the doctor says that is not fine, of one place if it is named."""

    def ask(where: str = "", *arguments: str) -> list[dict[str, str]]:
        told = home.run("doctor", "--json", *arguments).told
        return [
            each
            for each in told["findings"]
            if each["grade"] not in ("fine", "note") and each["where"].startswith(where)
        ]

    return ask
