"""What is shipped besides the code: it names files and commands that exist, and holds together."""

from __future__ import annotations

import configparser
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from connector import cli
from connector.settings import load_settings
from mappings.load import load_file
from webhooks.status import Counters, render_metrics

ROOT = Path(__file__).parents[2]
SECRETS = {
    "CONNECTOR_SHOPS__WOOL__CONSUMER_KEY": "ck_1",
    "CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET": "cs_1",
    "CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET": "0123456789abcdef",
    "CONNECTOR_DESTINATIONS__NEWSLETTER__API_KEY": "0123456789abcdef0123456789abcdef-us1",
}


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def pins(name: str) -> dict[str, str]:
    """Every package of a lock file with its version and marker."""
    found = re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?(==\S+)", read(name), re.MULTILINE)
    assert found
    return dict(found)


def command_at(words: list[str]) -> click.Command | None:
    """The command that the words after ``connector`` name."""
    found: click.Command = cli.cli
    for word in words:
        if not isinstance(found, click.Group) or not word or word.startswith("-"):
            break
        if word not in found.commands:
            return None
        found = found.commands[word]
    return found if found is not cli.cli else None


def steps() -> list[tuple[str, str]]:
    """The Dockerfile as instructions with their arguments, lines that go on joined."""
    text = re.sub(r"^#.*\n", "", read("Dockerfile"), flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip()]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def stages() -> list[list[tuple[str, str]]]:
    """The instructions of each stage."""
    found: list[list[tuple[str, str]]] = []
    for step in steps():
        if step[0] == "FROM":
            found.append([])
        found[-1].append(step)
    return found


def test_the_locks_hold_names_versions_and_hashes_only() -> None:
    """Each package has a hash, and nothing says where it was fetched."""
    for name in ("requirements.lock", "requirements.runtime.lock", "requirements.build.lock"):
        text = read(name)
        assert "://" not in text
        assert "--index-url" not in re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
        blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
        assert all("--hash=sha256:" in block for block in blocks)


def test_what_runs_is_what_was_tested() -> None:
    """The smaller locks hold the same versions, all that runs and none of the tools."""
    all_of_them = pins("requirements.lock")
    runs = pins("requirements.runtime.lock")
    assert set(runs.items()) < set(all_of_them.items())
    assert set(pins("requirements.build.lock").items()) < set(all_of_them.items())
    project = tomllib.loads(read("pyproject.toml"))
    names = [re.split(r"[\[<>=~! ]", each)[0] for each in project["project"]["dependencies"]]
    assert set(names) <= set(runs)
    assert not {"pytest", "ruff", "mypy", "hypothesis", "apsw"} & set(runs)


def test_the_dockerfile_copies_what_is_there() -> None:
    """Every file that it names exists, and the ignore file lets it through."""
    let_through = {line[1:] for line in read(".dockerignore").splitlines() if line[:1] == "!"}
    copied = [
        source
        for word, rest in steps()
        if word == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    ]
    assert 9 == len(copied)
    for source in copied:
        assert (ROOT / source).exists()
        assert source in let_through
    assert let_through == set(copied)


def test_the_package_is_copied_whole() -> None:
    """A new top-level room of the wheel would have to be copied too."""
    project = tomllib.loads(read("pyproject.toml"))
    packages = project["tool"]["setuptools"]["packages"]["find"]["include"]
    rooms = {each.rstrip("*") for each in packages}
    copied = {each for word, rest in steps() if word == "COPY" for each in rest.split()[:-1]}
    assert rooms <= copied
    assert {project["project"]["readme"], *project["project"]["license-files"]} <= copied


def test_the_last_stage_is_small_and_unprivileged() -> None:
    """Nothing is installed in it, it runs as a user of its own, and says how it is."""
    first, last = stages()
    assert first[0][1].split()[0] == last[0][1] == "python:3.12-slim"
    commands = " ".join(rest for word, rest in last if word == "RUN")
    assert not re.search(r"\b(pip|apt|apt-get|gcc|curl|make)\b", commands)
    words = dict(last)
    assert "connector" == words["USER"]
    order = [word for word, _ in last]
    assert order.index("RUN") < order.index("USER") < order.index("ENTRYPOINT")
    installs = [each for word, each in first if word == "RUN" and "requirements" in each]
    assert installs
    for each in installs:
        assert each.count("--require-hashes") == each.count("--requirement ") == 2
        assert each.count("--only-binary :all:") == 2


def test_the_image_starts_a_command_that_exists() -> None:
    """The entry point of the wheel, and one of its commands."""
    words = dict(steps())
    project = tomllib.loads(read("pyproject.toml"))
    (entry,) = yaml.safe_load(words["ENTRYPOINT"])
    assert "connector.cli:main" == project["project"]["scripts"][entry]
    assert command_at(yaml.safe_load(words["CMD"])) is not None


def test_the_health_check_is_python_that_asks_the_right_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It compiles, and fails when nobody answers."""
    (check,) = [rest for word, rest in steps() if word == "HEALTHCHECK"]
    runs = yaml.safe_load(check.partition("CMD ")[2])
    assert ["python", "-c"] == runs[:2]
    assert "/health/live" in runs[2]
    program = compile(runs[2], "healthcheck", "exec")
    monkeypatch.setenv("CONNECTOR_LISTEN", "0.0.0.0:9")
    with pytest.raises(OSError, match="refused"):
        exec(program, {})  # noqa: S102 - our own line, from our own file
    assert "CONNECTOR_LISTEN=0.0.0.0:8080" in dict(stages()[1])["ENV"]


@pytest.fixture
def compose() -> dict[str, Any]:
    """compose.yaml as it is read."""
    told: dict[str, Any] = yaml.safe_load(read("compose.yaml"))
    return told


def test_compose_has_two_profiles(compose: dict[str, Any]) -> None:
    """Alone on SQLite; or a receiver and several workers on PostgreSQL."""
    by_profile: dict[str, set[str]] = {}
    for name, service in compose["services"].items():
        for profile in service["profiles"]:
            by_profile.setdefault(profile, set()).add(name)
    assert {
        "sqlite": {"connector"},
        "postgres": {"receiver", "worker", "postgres"},
    } == by_profile
    assert compose["services"]["worker"]["deploy"]["replicas"] > 1
    assert compose["services"]["worker"]["healthcheck"] == {"disable": True}


def test_compose_starts_commands_that_exist(compose: dict[str, Any]) -> None:
    """And mounts the files that `connector init` writes, for reading only."""
    for name, service in compose["services"].items():
        if name == "postgres":
            continue
        assert command_at(service.get("command", ["run"])) is not None
        binds = {each for each in service["volumes"] if each.startswith("./")}
        assert {f"./{file}:/data/{file}:ro" for file in ("connector.yaml", "mapping.yaml")} == binds
        assert [".env"] == service["env_file"]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        volumes = {each.partition(":")[0] for each in set(service["volumes"]) - binds}
        assert volumes <= set(compose["volumes"])


def test_compose_holds_no_password(compose: dict[str, Any]) -> None:
    """It comes from .env."""
    for service in compose["services"].values():
        for key, value in service.get("environment", {}).items():
            if "PASSWORD" in key:
                assert "${POSTGRES_PASSWORD:-}" == value


def test_the_unit_starts_commands_that_exist() -> None:
    """With the configuration in the folder that systemd makes for it."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(read("examples/connector.service"))
    service = unit["Service"]
    home = f"/var/lib/{service['StateDirectory']}"
    assert home == service["WorkingDirectory"]
    for key in ("ExecStartPre", "ExecStart"):
        program, *words = shlex.split(service[key])
        assert "/opt/connector/bin/connector" == program
        assert command_at(words[:1]) is not None
        assert ["--config", f"{home}/connector.yaml"] == words[1:]
    for key in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "LockPersonality"):
        assert service.getboolean(key)
    assert ("strict", "") == (service["ProtectSystem"], service["CapabilityBoundingSet"])
    assert int(service["TimeoutStopSec"]) > 20


def test_the_example_configuration_is_right(tmp_path: Path) -> None:
    """It loads with nothing but the secrets that it names, and its mapping exists."""
    settings = load_settings(
        ROOT / "examples/connector.yaml", environ=SECRETS, secrets=tmp_path / "none"
    )
    assert () == settings.warnings
    load_file(
        settings.mapping,
        shops={name: each.platform for name, each in settings.shops.items()},
        destinations={name: each.platform for name, each in settings.destinations.items()},
    )
    text = read("examples/connector.yaml")
    for name in ("CONNECTOR_SHOPS__WOOL__CONSUMER_KEY", "CONNECTOR_SECRET_KEY"):
        assert name in text


def commands_in(text: str) -> Iterator[list[str]]:
    """What is told to be typed: ``connector word word`` in code."""
    code = re.findall(r"^```.*?^```|`[^`\n]+`|^ {4}.+$", text, flags=re.MULTILINE | re.DOTALL)
    for piece in code:
        for words in re.findall(r"(?:^|[\s`/])connector ((?:[a-z][a-z-]* ?)+)", piece):
            yield [word for word in words.split() if word != "connector"]


@pytest.mark.parametrize("name", ["docs/operations.md", "docs/woocommerce.md", "README.md"])
def test_the_pages_name_commands_that_exist(name: str) -> None:
    """Every one that a reader is told to type."""
    told = list(commands_in(read(name)))
    assert told
    for words in told:
        assert command_at(words[:2]) is not None, words


def test_the_operations_page_names_files_and_figures_that_exist() -> None:
    """It is at most 120 lines long, too."""
    text = read("docs/operations.md")
    assert len(text.splitlines()) <= 120
    for name in re.findall(r"`((?:examples|docs)/[a-z./-]+|[A-Z]+\.md)`", text):
        assert (ROOT / name).exists()
    shown = render_metrics(
        {
            "balanced": True,
            "shops": {
                "w": {
                    "last_received_at": "2026-11-23T10:00:00Z",
                    "webhooks": {"ok": True, "findings": [], "silent_since": None},
                }
            },
            "destinations": {"n": {}},
        },
        _refusing(),
    ).decode()
    figures = set(re.findall(r"\bconnector_[a-z_]+", text))
    assert 9 == len(figures)
    for figure in figures:
        assert re.search(rf"^{figure}(\{{| )", shown, re.MULTILINE), figure


def _refusing() -> Counters:
    counters = Counters()
    counters.count("bad_signature", 401, 0.001)
    return counters
