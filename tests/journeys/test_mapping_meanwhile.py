"""A mapping that is changed while the connector runs: the worker keeps the one it began with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector import wiring
from connector.engine import Engine
from connector.errors import ConfigurationFault
from tests.journeys.town import MAPPING, Town

KARI = "kari@shop.example"
OLA = "ola@shop.example"


def tags(town: Town, email: str) -> list[str]:
    held = town.held(email)
    assert held is not None
    return list(held["tags"])


def start_anew(town: Town) -> None:
    """Another worker takes the place of the one that ran."""
    premises = town.premises
    house = wiring.build_house(wiring.configure(premises.config), premises.store)
    premises.engine = Engine(replace(house, now=town.clock))


def test_row_87_a_mapping_changed_while_running(town: Town) -> None:
    """Half a file changes nothing and a whole one nothing yet; the next start reads it at once."""
    file = town.premises.folder / "mapping.yaml"
    town.buy(KARI, ticks=True)
    town.pass_on()
    assert ["First-time buyer"] == tags(town, KARI)

    file.write_text(MAPPING[: len(MAPPING) // 2], encoding="utf-8")
    town.buy(OLA, ticks=True)
    town.pass_on()
    assert ["First-time buyer"] == tags(town, OLA)
    calls = town.premises.changing_calls()
    with pytest.raises(ConfigurationFault):
        start_anew(town)
    assert calls == town.premises.changing_calls()

    file.write_text(MAPPING.replace('tag: "Returning"', 'tag: "Regular"'), encoding="utf-8")
    town.buy(KARI)
    town.pass_on()
    assert ["Returning"] == [tag for tag in tags(town, KARI) if tag in ("Returning", "Regular")]

    start_anew(town)
    town.buy(OLA)
    town.pass_on()
    assert ["Regular"] == [tag for tag in tags(town, OLA) if tag in ("Returning", "Regular")]
