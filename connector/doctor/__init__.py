"""``connector doctor``: looks at everything the work depends on, and says who mends what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from connector import screen, wiring
from connector.doctor import entrance, guests, premises
from connector.errors import ConfigurationFault
from connector.flow import accounts, shop_pins
from connector.ports import OPERATOR, Finding, Fingerprinted, Grade, Introducing
from connector.store.connect import Store
from connector.wiring import Configured


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Every finding, and the exit code: 0 fine, 1 a person is needed, 2 settings, 3 store."""

    findings: Sequence[Finding]
    exit_code: int

    @property
    def needing(self) -> int:
        """How many findings need a person."""
        return sum(finding.grade in (Grade.WARNING, Grade.ALARM) for finding in self.findings)


def examine(config: Path, mapping: str | None = None, *, accept: str | None = None) -> Report:
    """Look at settings, store, worker, receiver, shops and destinations; change nothing of theirs.

    ``accept`` names a shop or a destination that may be another than before. Raises
    `ConfigurationFault` when there is none of that name.
    """
    try:
        configured = wiring.configure(config, mapping)
    except ConfigurationFault as problem:
        return Report(findings=[_fault(each) for each in problem.faults], exit_code=2)
    found = premises.examine_store(configured)
    try:
        if accept is not None:
            _accept(configured, found.store, accept)
        findings = [
            *_settings(configured),
            *found.findings,
            *entrance.examine(configured),
            *guests.examine(configured, found.store),
            *premises.examine_books(configured, found.store),
        ]
    finally:
        if found.store is not None:
            found.store.close()
    report = Report(findings=findings, exit_code=0)
    return replace(report, exit_code=3 if found.unusable else int(report.needing > 0))


def _settings(configured: Configured) -> Iterator[Finding]:
    settings = configured.settings
    yield Finding(
        where="settings",
        what=f"{screen.some(len(settings.shops), 'shop')}, "
        f"{screen.some(len(settings.destinations), 'destination')}, "
        f"{screen.some(len(configured.mapping.segments), 'segment')}, mode {settings.mode}",
        grade=Grade.FINE,
    )
    for warning in settings.warnings:
        yield Finding(where="settings", what=warning, who=OPERATOR)


def _fault(sentence: str) -> Finding:
    return Finding(
        where="settings",
        what=sentence,
        mend="Correct it there; `connector check` looks at the settings alone.",
        who=OPERATOR,
        grade=Grade.ALARM,
    )


def _accept(configured: Configured, store: Store | None, name: str) -> None:
    if store is not None and name in configured.settings.shops:
        _accept_shop(configured, store, name)
        return
    section = configured.settings.destinations.get(name)
    if section is None or store is None:
        raise ConfigurationFault(
            f"--accept {name}: there is no such shop or destination, or no store yet"
        )
    adapter = wiring.open_destination(name, section)
    if not isinstance(adapter, Introducing):
        raise ConfigurationFault(f"--accept {name}: a {section.platform} has no account to confirm")
    now = wiring.clock_of(configured.settings)()
    accounts.pin(store, name, adapter.introduce().account, now=now)


def _accept_shop(configured: Configured, store: Store, name: str) -> None:
    shop = wiring.open_shop(name, configured.settings.shops[name])
    try:
        if not isinstance(shop, Fingerprinted):
            raise ConfigurationFault(f"--accept {name}: its platform does not say which shop it is")
        now = wiring.clock_of(configured.settings)()
        shop_pins.accept(store, name, shop.fingerprint(), now=now)
    finally:
        guests.hang_up(shop)
