"""Asks a person, or takes what was given as an option; secrets are never options."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from connector import places, settings
from connector.errors import ConfigurationFault

Check = Callable[[Any], Any]
"""Gives the value, or raises ``ValueError`` with the end of a sentence."""


@dataclass
class Asker:
    """Puts questions. ``silent`` takes defaults instead, and refuses where there is none.

    ``known`` are all secrets so far, by the name of their variable, ``secrets`` those of them that
    are to be written down: not what stands in a secret file already.
    """

    silent: bool
    dotenv: Path
    known: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def text(self, given: str | None, question: str, default: str, check: Check, flag: str) -> str:
        """An answer that passes ``check``; an empty one is no answer where the default is empty."""
        if given is not None or self.silent:
            answer = default if given is None else given
            try:
                if answer:
                    check(answer)
            except ValueError as fault:
                raise ConfigurationFault(f"{flag} {fault}") from None
            return answer
        while True:
            answer = click.prompt(question, default=default, show_default=bool(default)).strip()
            try:
                if answer:
                    check(answer)
            except ValueError as fault:
                click.echo(f"  It {fault}.")
                continue
            return answer

    def needed(
        self, given: str | None, question: str, default: str, check: Check, flag: str
    ) -> str:
        """As `text`, but something must be said."""
        while not (answer := self.text(given, question, default, check, flag)):
            if given is not None or self.silent:
                raise ConfigurationFault(f"{flag} is needed")
        return answer

    def choice(self, given: str | None, question: str, among: tuple[str, ...], default: str) -> str:
        """One of a few words."""
        if given is not None or self.silent or len(among) == 1:
            return given or default
        return str(click.prompt(question, type=click.Choice(among), default=default))

    def secret(self, variable: str, question: str, check: Check, *, again: bool = False) -> str:
        """A secret: found in the environment or a secret file, or typed without being shown.

        Raises `ConfigurationFault` when nobody can be asked.
        """
        found = None if again else self._found(variable)
        if found is not None:
            return self._right(variable, found, check)
        if self.silent:
            raise ConfigurationFault(
                f"{variable} is not set. Looked in {self._places().tried(variable)}"
            )
        while True:
            answer = str(click.prompt(question, hide_input=True)).strip()
            try:
                check(answer)
            except ValueError as fault:
                click.echo(f"  It {fault}.")
                continue
            self.learn(variable, answer)
            return answer

    def made(self, variable: str, make: Callable[[], str]) -> str:
        """A secret that nobody chooses: the one that is there, or a new one."""
        found = self._found(variable)
        if found is None:
            found = make()
            self.learn(variable, found)
        return found

    def has(self, variable: str) -> bool:
        """Whether a secret need not be asked for."""
        return variable in self.known or self._places().find(variable) is not None

    def learn(self, variable: str, value: str) -> None:
        """Note a secret that is to be written down."""
        self.known[variable] = self.secrets[variable] = value

    def confirm(self, question: str, *, default: bool) -> bool:
        """Yes or no; silent means the default."""
        return default if self.silent else bool(click.confirm(question, default=default))

    def _found(self, variable: str) -> str | None:
        if variable in self.known:
            return self.known[variable]
        found = self._places().find(variable)
        if found is None:
            return None
        value, place = found
        self.known[variable] = value
        if not place.startswith(str(settings.SECRETS_FOLDER)):
            self.learn(variable, value)
        click.echo(f"  {variable} is taken from {place}.", err=True)
        return value

    def _right(self, variable: str, value: str, check: Check) -> str:
        try:
            check(value)
        except ValueError as fault:
            raise ConfigurationFault(f"{variable} {fault}") from None
        return value

    def _places(self) -> places.Places:
        around: Mapping[str, str] = os.environ
        return places.places(around, settings.SECRETS_FOLDER, self.dotenv)
