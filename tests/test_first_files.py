"""The three files of ``connector init``: written whole, read back the same, never over others."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector import places, plain_yaml
from connector.errors import ConfigurationFault, ConnectorError
from connector.first_files import Answers, Home, config_text, dotenv_text, mapping_text, write

ANSWERS = Answers(
    settings={"store": "sqlite:///connector.db", "mapping": "mapping.yaml"},
    shops={"wool": {"platform": "woocommerce", "url": "https://wool.example"}},
    destinations={
        "newsletter": {"platform": "mailchimp", "audience": "a1b2c3d4e5"},
        "crm": {"platform": "files", "folder": "my exports: a #1"},
    },
    preset="loyalty-ladder",
    secrets={"CONNECTOR_SECRET_KEY": "0123456789abcdef"},
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Values that YAML would take for something else are quoted."""
    tree = plain_yaml.plain(plain_yaml.read(config_text(ANSWERS)).tree)
    assert dict(ANSWERS.destinations["crm"]) == tree["destinations"]["crm"]
    assert dict(ANSWERS.shops["wool"]) == tree["shops"]["wool"]
    secrets = {"A": "plain-1_.+/=", "B": 'with # and ; and "quotes"', "C": "æøå", "D": "x$y"}
    env = tmp_path / ".env"
    env.write_text(dotenv_text(secrets), encoding="utf-8")
    assert secrets == dict(places.places({}, tmp_path, env).dotenv_values)


def test_two_of_one_platform_keep_the_common_section() -> None:
    """Only a section that stands for one destination takes its name."""
    twins = {
        name: {"platform": "mailchimp", "audience": name} for name in ("newsletter", "members")
    }
    text = mapping_text(Answers(**{**_parts(), "destinations": twins}))
    assert "  mailchimp:\n" in text
    assert "  newsletter:\n" not in text


def test_a_file_that_came_meanwhile_is_left(tmp_path: Path) -> None:
    """While questions were answered, somebody else may have written one."""
    home = Home(tmp_path / "connector.yaml")
    home.mapping.write_text("mine", encoding="utf-8")
    with pytest.raises(ConnectorError, match="is there already"):
        write(home, ANSWERS, force=False)
    assert ["mapping.yaml"] == [each.name for each in tmp_path.iterdir()]
    assert "mine" == home.mapping.read_text("utf-8")


def test_a_mapping_that_does_not_fit_is_not_written(tmp_path: Path) -> None:
    """Everything is checked before the first byte."""
    home = Home(tmp_path / "connector.yaml")
    with pytest.raises(ConfigurationFault):
        write(home, Answers(**{**_parts(), "preset": "none-such"}), force=False)
    with pytest.raises(ConfigurationFault, match="not shown"):
        write(home, Answers(**{**_parts(), "secrets": {"X": "a${HOME}"}}), force=False)
    assert [] == list(tmp_path.iterdir())


def _parts() -> dict[str, object]:
    return {name: getattr(ANSWERS, name) for name in Answers.__dataclass_fields__}
