"""Bad inputs that a person must hear of apart from all else: status, doctor and metrics say so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connector import cli, doctor, wiring
from connector.doctor import premises, versions
from connector.engine import Engine
from connector.ports import Finding, Grade
from connector.ports.versions import Versioned
from connector.store.connect import Store
from connector.store.schema import deliveries
from connector.store.sql import insert_missing
from webhooks.status import Counters, render_metrics

DOMAIN = "yarn.myshopify.com"
VARIANT = {
    "id": 71,
    "title": "42",
    "sku": "SO-42",
    "price": "99.75",
    "compare_at_price": None,
    "updated_at": "2026-03-01T10:00:00Z",
    "option1": "42",
    "option2": None,
    "option3": None,
    "image_id": None,
    "inventory_policy": "deny",
    "inventory_quantity": 7,
}
PRODUCT = {
    "id": 7,
    "admin_graphql_api_id": "gid://shopify/Product/7",
    "title": "Socks",
    "body_html": "",
    "vendor": "",
    "product_type": "",
    "handle": "socks",
    "status": "active",
    "created_at": "2026-03-01T10:00:00Z",
    "updated_at": "2026-03-01T10:00:00Z",
    "published_at": None,
    "tags": "",
    "category": None,
    "image": None,
    "images": [],
    "options": [{"name": "Size", "position": 1, "values": ["42"]}],
    "variants": [VARIANT],
    "variant_gids": [{"admin_graphql_api_id": "a"}],
}
PERSON = {"id": 5, "email": "zz-marker@x.example", "phone": None}
RENAMED = PRODUCT | {"title": "Long socks", "updated_at": "2026-03-02T10:00:00Z"}
REDACT = {"shop_id": 1, "shop_domain": DOMAIN, "customer": PERSON, "orders_to_redact": []}


@dataclass
class Yarn:
    """A Shopify shop's connector, whose deliveries are written straight into the inbox."""

    config: Path
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.configured = wiring.configure(self.config)
        self.store = wiring.open_store(self.configured.settings)
        self.engine = Engine(wiring.build_house(self.configured, self.store))

    def deliver(self, topic: str, body: Mapping[str, Any], *, version: str = "2026-10") -> None:
        """Let a delivery arrive and be worked on."""
        raw = json.dumps(body).encode()
        row = {
            "key": hashlib.sha256(f"{topic}{version}".encode() + raw).digest(),
            "shop": "yarn",
            "topic": topic,
            "received_at": wiring.wall_clock() - timedelta(seconds=2),
            "headers": {"X-Shopify-API-Version": version, "X-Shopify-Shop-Domain": DOMAIN},
            "body": raw,
            "body_sha256": hashlib.sha256(raw).digest(),
        }
        with self.store.write() as conn:
            conn.execute(insert_missing(conn, deliveries), [row])
        self.engine.drain()

    def status(self) -> tuple[int, Any]:
        """``connector status --json``: how it ends, and the books."""
        ran = CliRunner().invoke(cli.cli, ["status", "--json", "--config", str(self.config)])
        return ran.exit_code, json.loads(ran.stdout)

    def findings(self, words: str) -> list[Finding]:
        """What the doctor says with these words in it."""
        shop = wiring.open_shop("yarn", self.configured.settings.shops["yarn"])
        assert isinstance(shop, Versioned)
        found = [
            *premises.examine_books(self.configured, self.store),
            *(
                replace(each, where="shops.yarn")
                for each in versions.examine("yarn", shop, self.store)
            ),
        ]
        return [each for each in found if each.where == "shops.yarn" and words in each.what]


@pytest.fixture
def yarn(tmp_path: Path) -> Iterator[Yarn]:
    """With its own store; the shop itself answers nothing."""
    config = tmp_path / "connector.yaml"
    config.write_text(
        "mapping: preset:loyalty-ladder\n"
        "shops:\n"
        f"  yarn: {{platform: shopify, domain: {DOMAIN}, base_url: 'http://127.0.0.1:9',\n"
        "         timezone: Europe/Oslo, currency: NOK}\n"
        "destinations:\n"
        "  newsletter: {platform: files, folder: exports}\n",
        encoding="utf-8",
    )
    env = tmp_path / ".env"
    env.touch(mode=0o600)
    env.write_text(
        f"CONNECTOR_SHOPS__YARN__CLIENT_SECRET={'s' * 40}\n"
        "CONNECTOR_SHOPS__YARN__ACCESS_TOKEN=token\n"
        f"CONNECTOR_SECRET_KEY={'k' * 40}\n",
        encoding="utf-8",
    )
    here = Yarn(config)
    yield here
    here.store.close()


def metrics(books: Mapping[str, Any]) -> list[str]:
    """The lines about alarms."""
    text = render_metrics(books, Counters()).decode()
    lines = [line for line in text.splitlines() if line.startswith("connector_alarms{")]
    assert 10 == len(lines)
    return [line for line in lines if not line.endswith(" 0.0")]


@pytest.mark.parametrize(
    "body",
    [
        REDACT | {"shop_domain": "other.myshopify.com"},
        {key: value for key, value in REDACT.items() if key != "shop_domain"},
        REDACT | {"shop_domain": None},
    ],
)
def test_row_55_a_strange_demand_is_an_alarm_of_its_own(yarn: Yarn, body: Any) -> None:
    """Row 55: of another shop or of none: nobody is forgotten, and everybody hears of it."""
    yarn.deliver("products/update", {"nonsense": 1})
    code, books = yarn.status()
    assert (0, []) == (code, books["alarms"])  # in quarantine, as any, and no alarm
    assert [] == metrics(books)  # none that is raised
    assert 1 == len(yarn.findings("deliveries in quarantine: 1"))

    yarn.deliver("customers/redact", body)
    code, books = yarn.status()
    assert 1 == code
    assert 2 == books["shops"]["yarn"]["quarantined"]
    assert 0 == books["requests"]["open"] + books["requests"]["done"]
    (alarm,) = books["alarms"]
    assert ("demand", "shops.yarn") == (alarm["kind"], alarm["where"])
    assert alarm["what"].endswith(": 1")
    assert "connector parked" in alarm["mend"]
    assert ['connector_alarms{kind="demand"} 1.0'] == metrics(books)
    (finding,) = yarn.findings("demands of people in quarantine")
    assert Grade.ALARM is finding.grade
    assert finding.mend
    text = CliRunner().invoke(cli.cli, ["status", "--config", str(yarn.config)]).stdout
    assert "ALARM: shops.yarn: demands of people in quarantine" in text
    assert "zz-marker" not in text + json.dumps(books) + repr(finding)


def test_row_38_another_version_is_a_warning(yarn: Yarn) -> None:
    """Row 38: what came in another version is settled, and the doctor says which and whose it is.

    Once the topic comes in the right version again, it is silent.
    """
    yarn.deliver("products/update", PRODUCT)
    assert [] == yarn.findings("webhooks come in version")
    yarn.deliver("products/update", RENAMED, version="2026-04")
    code, books = yarn.status()
    assert 0 == code
    assert (2, 0) == tuple(books["shops"]["yarn"][part] for part in ("applied", "quarantined"))
    (finding,) = yarn.findings("webhooks come in version")
    assert "webhooks come in version 2026-04 of its API; 2026-10 is expected (products/update)" == (
        finding.what
    )
    assert Grade.WARNING is finding.grade
    assert "API version to 2026-10 in the app's settings" in finding.mend
    assert "whoever runs the connector" == finding.who
    assert finding in doctor.examine(yarn.config).findings
    yarn.deliver("products/update", PRODUCT | {"updated_at": "2026-03-03T10:00:00Z"})
    assert [] == yarn.findings("webhooks come in version")
