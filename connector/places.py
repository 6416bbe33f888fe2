"""Looks for what a configuration file leaves out: in the environment, secret files and ``.env``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic_settings import BaseSettings, DotEnvSettingsSource

from connector.errors import meant

PREFIX = "CONNECTOR_"


def variable(*path: str) -> str:
    """The name of the variable for a setting: ``CONNECTOR_SHOPS__WOOL__CONSUMER_KEY``."""
    return PREFIX + "__".join(path).upper().replace("-", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where values are looked for, the first place first. Names of files may be in lower case."""

    environ: Mapping[str, str]
    secrets: Path
    dotenv: Path
    dotenv_values: Mapping[str, str]

    def find(self, name: str) -> tuple[str, str] | None:
        """The value of a variable and the place it was found in."""
        if name in self.environ:
            return self.environ[name], "the environment"
        for file in (self.secrets / name, self.secrets / name.lower()):
            if file.is_file():
                text = file.read_text(encoding="utf-8", errors="replace")
                return text.removesuffix("\n").removesuffix("\r"), str(file)
        if name in self.dotenv_values:
            return self.dotenv_values[name], str(self.dotenv)
        return None

    def tried(self, name: str) -> str:
        """Every place in which a variable was looked for, in words."""
        return f"the environment, {self.secrets / name} (or in lower case), {self.dotenv}"

    def unknown(self, known: Collection[str]) -> Iterator[str]:
        """A warning for each variable with our prefix that means nothing to us."""
        for place, names in (
            ("the environment", self.environ),
            (str(self.dotenv), self.dotenv_values),
        ):
            for name in sorted(names):
                if name.startswith(PREFIX) and name not in known:
                    yield f"{name} in {place} is not known and not used.{meant(name, known)}"


def places(environ: Mapping[str, str], secrets: Path, dotenv: Path) -> Places:
    """The places, with ``.env`` read if it is there; ``${NAME}`` is expanded in it, as usual."""
    file = DotEnvSettingsSource(
        BaseSettings, env_file=dotenv, env_file_encoding="utf-8-sig", case_sensitive=True
    )
    values = {name: value for name, value in file.env_vars.items() if value is not None}
    return Places(environ=environ, secrets=secrets, dotenv=dotenv, dotenv_values=values)
