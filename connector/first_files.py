"""The three files that ``connector init`` writes: where things are, their meaning, the secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connector import places
from connector.errors import ConfigurationFault
from connector.whole_files import put_in_place, refuse_tricks
from mappings.load import load_mapping, preset_text

_PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9_./:@+-]*")
_BARE = re.compile(r"[A-Za-z0-9_.+/=:@,-]+")
_OPEN = 0o644  # for files without secrets: a container's or a service's own user must read them


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was asked: settings by key; shops and destinations by name, each with its platform."""

    settings: Mapping[str, str]
    shops: Mapping[str, Mapping[str, str]]
    destinations: Mapping[str, Mapping[str, str]]
    preset: str
    secrets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Home:
    """The places of the three files."""

    config: Path

    @property
    def mapping(self) -> Path:
        """What things mean."""
        return self.config.parent / "mapping.yaml"

    @property
    def dotenv(self) -> Path:
        """The secrets."""
        return self.config.parent / ".env"

    def refuse_existing(self, *, force: bool) -> None:
        """Raise `ConnectorError` if a file is there already, or the place is not to be trusted."""
        for path in (self.config, self.mapping, self.dotenv):
            refuse_tricks(path, force=force)


def write(home: Home, answers: Answers, *, force: bool) -> None:
    """Write the three files, each whole or not at all.

    What an older ``.env`` holds besides is kept. Raises `ConfigurationFault` when the mapping does
    not fit or a secret cannot be written down, before anything is; `ConnectorError`.
    """
    mapping = mapping_text(answers)
    load_mapping(
        mapping,
        source=str(home.mapping),
        shops={name: keys["platform"] for name, keys in answers.shops.items()},
        destinations={name: keys["platform"] for name, keys in answers.destinations.items()},
    )
    older = places.places({}, home.config.parent, home.dotenv).dotenv_values
    dotenv = dotenv_text({**older, **answers.secrets})
    home.refuse_existing(force=force)
    put_in_place(home.dotenv, dotenv.encode())
    for path, text in ((home.mapping, mapping), (home.config, config_text(answers))):
        put_in_place(path, text.encode())
        path.chmod(_OPEN)


def config_text(answers: Answers) -> str:
    """``connector.yaml``."""
    lines = [
        "# Where things are. Secrets are in .env beside this file, in the environment or in",
        "# /run/secrets. `connector check` looks at the settings, `connector doctor` at all.",
        *(f"{key}: {_scalar(value)}" for key, value in answers.settings.items()),
    ]
    for kind, guests in (("shops", answers.shops), ("destinations", answers.destinations)):
        if guests:
            lines += ["", f"{kind}:"]
        for name, keys in guests.items():
            lines += [
                f"  {name}:",
                *(f"    {key}: {_scalar(value)}" for key, value in keys.items()),
            ]
    return "\n".join([*lines, ""])


def mapping_text(answers: Answers) -> str:
    """``mapping.yaml``: the preset, its destinations by their names here."""
    text = preset_text(answers.preset)
    for platform in {keys["platform"] for keys in answers.destinations.values()}:
        names = [
            name for name, keys in answers.destinations.items() if keys["platform"] == platform
        ]
        if len(names) == 1:
            here = re.compile(rf"(?:^  #.*\n)*^  {re.escape(platform)}:\n", re.MULTILINE)
            text = here.sub(f"  # {names[0]} in connector.yaml\n  {names[0]}:\n", text)
    return text


def dotenv_text(secrets: Mapping[str, str]) -> str:
    """``.env``. Raises `ConfigurationFault` for a secret that it cannot hold, not showing it."""
    lines = ["# Secrets: for the connector's own user alone (mode 600). Not for version control."]
    for name, value in secrets.items():
        if "${" in value or "'" in value or "\\" in value or not value.isprintable():
            raise ConfigurationFault(
                f"{name}: this secret ({len(value)} characters, not shown) holds characters that "
                "a .env file changes. Set it in the environment or in /run/secrets."
            )
        lines.append(f"{name}={value}" if _BARE.fullmatch(value) else f"{name}='{value}'")
    return "\n".join([*lines, ""])


def _scalar(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
