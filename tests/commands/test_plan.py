"""``connector plan`` and ``connector apply``: looked at first, then taken, or refused with why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connector import cli, log_lines, wiring
from connector.engine import Engine
from connector.errors import ConnectorError
from connector.flow.settling import Told, settle
from connector.model import Claim
from connector.store import lanes, segments
from connector.store.connect import Store
from tests.erasure.place import NOON, account, order, said

MAPPING = """\
version: 1
segments:
  buyers: {when: "number_of_orders >= 1", tag: Buyer}
  many: {when: "number_of_orders >= 2", tag: Many}
destinations:
  crm:
    fields: {ORDERS: number_of_orders}
"""
EDITED = MAPPING.replace("number_of_orders >= 2", "number_of_orders >= 0").replace(
    "{ORDERS: number_of_orders}", "{NAME: first_name}"
)


@dataclass
class Desk:
    """A configuration with a folder of files, whose worker is run by hand."""

    folder: Path
    store: Store = field(init=False)

    @property
    def config(self) -> Path:
        return self.folder / "connector.yaml"

    def __post_init__(self) -> None:
        self.edit(MAPPING)
        self.config.write_text(
            "shops:\n"
            "  wool: {platform: woocommerce, url: 'https://wool.example',\n"
            "         timezone: Europe/Oslo, currency: NOK}\n"
            "destinations:\n"
            "  crm: {platform: files, folder: exports}\n",
            encoding="utf-8",
        )
        env = self.folder / ".env"
        env.touch(mode=0o600)
        env.write_text(
            "CONNECTOR_SHOPS__WOOL__CONSUMER_KEY=ck\n"
            "CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET=cs\n"
            f"CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET={'s' * 40}\n",
            encoding="utf-8",
        )
        self.store = Store.open(f"sqlite:///{self.folder}/connector.db")

    def edit(self, mapping: str) -> None:
        """Write the mapping anew."""
        (self.folder / "mapping.yaml").write_text(mapping, encoding="utf-8")

    def buy(self, numbers: range, *, first: int = 0) -> None:
        """These people order once."""
        house = wiring.build_house(wiring.configure(self.config), self.store)
        told = Told()
        for number in numbers:
            who = f"p{number:03d}@x.example"
            sold = order(first + number, who)
            told.state(sold, first + number, house.rules, shop="wool", received_at=NOON)
            told.said.append((said(Claim.GRANT, who), first + number))
            known = account(number, who)
            told.state(known, first + number, house.rules, shop="wool", received_at=NOON)
        with self.store.write() as conn:
            settle(conn, told, house.rules, now=NOON)

    def work(self) -> None:
        """A worker begins, does all it can and ends."""
        Engine(wiring.build_house(wiring.configure(self.config), self.store)).drain()

    def run(self, *arguments: str) -> str:
        """What ``connector …`` says. Raises as it does."""
        ran = CliRunner().invoke(
            cli.cli, [*arguments, "--config", str(self.config)], standalone_mode=False
        )
        if ran.exception is not None:
            raise ran.exception
        return ran.stdout

    def plan(self, *more: str) -> Any:
        return json.loads(self.run("plan", "--json", *more))

    def sizes(self) -> dict[str, int]:
        with self.store.read() as conn:
            return segments.sizes(conn)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Sixty people, of whom twenty ordered twice, evaluated and written into files."""
    monkeypatch.setattr(log_lines, "speak_in_lines", lambda: None)
    desk = Desk(tmp_path)
    desk.buy(range(60))
    desk.buy(range(20), first=1000)
    desk.work()
    assert {"buyers": 60, "many": 20} == desk.sizes()
    yield desk
    desk.store.close()


def test_a_plan_changes_nothing_and_tells_all(desk: Desk) -> None:
    """Who gains and loses which segment, tag and field; keys are told only if asked for."""
    assert not desk.plan()["changed"]
    desk.edit(EDITED)
    told = desk.plan()
    assert told["changed"]
    assert {"before": 20, "after": 60, "gains": 40, "losses": 0} == told["segments"]["many"]
    crm = told["destinations"]["crm"]
    assert (60, 60) == (crm["compared"], crm["changed"])
    assert {"Many": 40} == crm["tags gained"]
    assert "tags lost" not in crm
    assert ({"NAME": 60}, {"ORDERS": 60}) == (crm["fields gained"], crm["fields lost"])
    assert ["segment many would hold everybody (60)"] == told["confirm"]
    assert "x.example" not in json.dumps(told)
    assert {"buyers": 60, "many": 20} == desk.sizes()

    text = desk.run("plan")
    assert "fields gained: NAME: 60" in text
    assert "large: segment many would hold everybody (60)" in text
    assert text.endswith("To take it: `connector apply --confirm`.\n")
    assert "x.example" not in text
    verbose = desk.plan("--verbose")
    assert [f"p{number:03d}@x.example" for number in range(20, 30)] == (
        verbose["segments"]["many"]["come"]
    )
    assert 10 == len(verbose["destinations"]["crm"]["examples"]["tags gained"]["Many"])
    assert "p020@x.example" in desk.run("plan", "--verbose")


def test_a_permission_that_changes_is_told(desk: Desk) -> None:
    """Where consent is asked for twice, who said it once is not yet sendable."""
    desk.edit(MAPPING.replace("segments:", "consent: {double_opt_in: true}\nsegments:"))
    crm = desk.plan()["destinations"]["crm"]
    assert {"send to confirm": 60} == crm["consent"]


def test_tables_change_only_where_they_do(desk: Desk) -> None:
    """Who stays in a segment stays in it since they came: their rows are the same."""
    tables = MAPPING.replace("fields: {ORDERS: number_of_orders}", "tables: [segments]")
    desk.edit(tables)
    desk.work()
    assert 0 == desk.plan()["destinations"]["crm"]["changed"]
    desk.edit(tables.replace("number_of_orders >= 2", "number_of_orders >= 0"))
    crm = desk.plan()["destinations"]["crm"]
    assert (40, {"changed": 40}) == (crm["changed"], crm["tables"])


def test_apply_wants_a_plan(desk: Desk) -> None:
    """None, or one of another text, is not enough."""
    desk.edit(EDITED)
    with pytest.raises(ConnectorError, match="There is no plan"):
        desk.run("apply", "--confirm")
    desk.plan()
    desk.edit(EDITED.replace(">= 0", ">= 1"))
    with pytest.raises(ConnectorError, match="edited since the plan"):
        desk.run("apply", "--confirm")


def test_apply_refuses_when_the_state_moved(desk: Desk) -> None:
    """Somebody new came: the plan was of another house."""
    desk.edit(EDITED)
    desk.plan()
    desk.edit(MAPPING)
    desk.buy(range(70, 71), first=2000)
    desk.work()
    desk.edit(EDITED)
    with pytest.raises(ConnectorError, match="state moved since the plan"):
        desk.run("apply", "--confirm")
    assert {"buyers": 61, "many": 20} == desk.sizes()


def test_row_86_a_large_change_needs_a_word(desk: Desk) -> None:
    """Row 86: without ``--confirm`` refused, with it taken at the worker's next start."""
    desk.edit(EDITED)
    desk.work()
    assert {"buyers": 60, "many": 20} == desk.sizes()
    status = CliRunner().invoke(cli.cli, ["status", "--json", "--config", str(desk.config)])
    assert 1 == status.exit_code
    (alarm,) = json.loads(status.stdout)["alarms"]
    assert ("mapping", "mapping") == (alarm["kind"], alarm["where"])
    assert "connector apply --confirm" in alarm["mend"]

    desk.plan()
    with pytest.raises(ConnectorError, match="The change is large: segment many would hold"):
        desk.run("apply")
    desk.work()
    assert {"buyers": 60, "many": 20} == desk.sizes()
    assert "Confirmed." in desk.run("apply", "--confirm")
    with desk.store.write() as conn:  # the destination is not left alone any longer
        lanes.write(conn, "crm", lanes.LaneState(), now=wiring.wall_clock())
    desk.work()
    assert {"buyers": 60, "many": 60} == desk.sizes()
    status = CliRunner().invoke(cli.cli, ["status", "--json", "--config", str(desk.config)])
    assert (0, []) == (status.exit_code, json.loads(status.stdout)["alarms"])
    told = desk.plan()
    assert not told["changed"]
    assert 0 == told["destinations"]["crm"]["changed"]
    assert "nothing to apply" in desk.run("apply")
