"""The questions of ``connector init``, in their order, each answer tried as soon as it can be."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import click
from pydantic import ValidationError

from connector import first_files, places, screen, wiring
from connector import setting_values as values
from connector.commands.asking import Asker, Check
from connector.commands.trying import ask_owner, look_at_destination, look_at_shop
from connector.errors import ConfigurationFault, ConnectorError
from connector.ports import Finding, Grade
from connector.settings import DestinationSettings, ShopSettings
from mappings.load import preset_names

_NAME = values.matching("[a-z][a-z0-9_-]*", "wool: a-z, 0-9, - and _, a letter first")


@dataclass(frozen=True, slots=True)
class _Needs:
    """What one platform of shops must be told."""

    address: str
    """The setting that holds the shop's address."""
    check: Check
    secrets: Mapping[str, str]
    """Settings that are asked for in secret, each with the question."""
    made: tuple[str, ...] = ()
    """Secrets that we choose."""


_SHOPS = {
    "woocommerce": _Needs(
        "url",
        values.safe_address,
        {"consumer_key": "Consumer key (ck_...)", "consumer_secret": "Consumer secret (cs_...)"},
        made=("webhook_secret",),
    ),
    "shopify": _Needs(
        "domain",
        values.matching(r"[a-z0-9][a-z0-9-]*\.myshopify\.com", "a.myshopify.com"),
        {"client_id": "Client ID", "client_secret": "Client secret"},
    ),
}


PLATFORMS = tuple(_SHOPS)
"""The platforms of shops that can be asked about."""


@dataclass
class Guide:
    """Asks everything that ``connector init`` must know; ``tested`` tries what was answered."""

    asker: Asker
    given: Mapping[str, str | None]
    tested: bool

    def ask(self) -> first_files.Answers:
        """Every question in its order."""
        platform = self._platform()
        needs = _SHOPS[platform]
        address = self._text("address", "Address of the shop", "", needs.check, "--shop", must=True)
        name = self._text(
            "shop_name", "A short name for it", _short(address), _NAME, "--shop-name", must=True
        )
        public = self._text(
            "public_url",
            "Public address of this connector, https (leave empty if it has none yet)",
            "",
            values.web_address,
            "--public-url",
        ).rstrip("/")
        listen = self._text(
            "listen", "Listen on", "127.0.0.1:8080", values.listen, "--listen", must=True
        )
        store = self._text(
            "store", "Store", "sqlite:///connector.db", values.store, "--store", must=True
        )
        section = {"platform": platform, needs.address: address.rstrip("/")}
        self._shop(name, section, public, listen)
        destinations = self._destinations()
        preset = self.asker.choice(
            self.given["preset"], "Mapping to begin with", preset_names(), "loyalty-ladder"
        )
        self.asker.made("CONNECTOR_SECRET_KEY", lambda: secrets.token_hex(32))
        settings = {"store": store, "mapping": "mapping.yaml", "listen": listen}
        return first_files.Answers(
            settings=settings | ({"public_url": public} if public else {}),
            shops={name: section},
            destinations=destinations,
            preset=preset,
            secrets=self.asker.secrets,
        )

    def _platform(self) -> str:
        known = tuple(each for each in wiring.platforms()[0] if each in _SHOPS)
        return self.asker.choice(self.given["platform"], "The shop runs on", known, known[0])

    def _text(
        self, key: str, question: str, default: str, check: Check, flag: str, *, must: bool = False
    ) -> str:
        ask = self.asker.needed if must else self.asker.text
        return ask(self.given[key], question, default, check, flag)

    def _shop(self, name: str, section: Mapping[str, str], public: str, listen: str) -> None:
        """The shop's keys, tried; they end up among the asker's secrets."""
        needs = _SHOPS[section["platform"]]
        for key in needs.made:
            self.asker.made(places.variable("shops", name, key), lambda: secrets.token_hex(24))
        keys = self._granted(name, section, public, listen)
        again = False
        while True:
            for key, question in needs.secrets.items():
                variable = places.variable("shops", name, key)
                if key not in keys:
                    self.asker.secret(variable, question, values.secret, again=again)
            if not self.tested:
                return
            looked = look_at_shop(name, self._settings(ShopSettings, "shops", name, section))
            if self._are_good(looked):
                return
            keys, again = {}, True

    def _granted(
        self, name: str, section: Mapping[str, str], public: str, listen: str
    ) -> Mapping[str, str]:
        """Keys by the platform's own page, if it has one that can reach us and that is wanted."""
        page = wiring.key_page(section["platform"])
        first = places.variable("shops", name, next(iter(_SHOPS[section["platform"]].secrets)))
        reached = public.startswith("https://") and not values.is_loopback(public)
        if page is None or not reached or self.asker.silent or self.asker.has(first):
            return {}
        if not self.asker.confirm(
            "Let the shop make a key for us, on its own page in your browser?", default=True
        ):
            return {}
        address = section[_SHOPS[section["platform"]].address]
        keys = ask_owner(page, address, public, f"/webhooks/{name}", values.listen(listen))
        for key, value in keys.items():
            self.asker.learn(places.variable("shops", name, key), value)
        return keys

    def _destinations(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        audience = self._text(
            "audience",
            "Mailchimp audience id (leave empty for none)",
            "",
            values.matching(r"[A-Za-z0-9_-]+", "a1b2c3d4e5"),
            "--audience",
        )
        if audience:
            found["newsletter"] = {"platform": "mailchimp", "audience": audience}
            self._mailchimp("newsletter", found["newsletter"])
        exports = self._text(
            "exports",
            "Folder for files (leave empty for none)",
            "exports",
            values.text,
            "--exports",
        )
        if exports:
            found["crm"] = {"platform": "files", "folder": exports}
        return found

    def _mailchimp(self, name: str, section: Mapping[str, str]) -> None:
        again = False
        while True:
            variable = places.variable("destinations", name, "api_key")
            self.asker.secret(variable, "Mailchimp API key", values.mailchimp_key, again=again)
            if not self.tested:
                return
            settings = self._settings(DestinationSettings, "destinations", name, section)
            looked = look_at_destination(name, settings)
            if self._are_good(looked):
                return
            again = True

    def _settings(self, kind: Any, where: str, name: str, section: Mapping[str, str]) -> Any:
        """A section as work would see it, with the secrets known so far."""
        begin = places.variable(where, name, "")
        known = {
            variable.removeprefix(begin).lower(): value
            for variable, value in self.asker.known.items()
            if variable.startswith(begin)
        }
        try:
            return kind(name=name, **section, **known)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False)
            raise ConfigurationFault(
                [
                    f"{begin}{str(each['loc'][0]).upper()} {each.get('ctx', {}).get('error', '')}"
                    for each in faults
                ]
            ) from None

    def _are_good(self, findings: Sequence[Finding]) -> bool:
        """Show them; ``False`` when the keys are to be asked for anew."""
        for finding in findings:
            mark = "  ok  " if finding.grade is Grade.FINE else f"  {finding.grade}  "
            click.echo(screen.safe(f"{mark}{finding.what}"))
            if finding.mend:
                click.echo(screen.safe(f"        {finding.cause} {finding.who}: {finding.mend}"))
        if not any(finding.grade is Grade.ALARM for finding in findings):
            return True
        if self.asker.silent:
            raise ConnectorError("Nothing was written. Mend what is said above, or use --untested.")
        if self.asker.confirm("Type the keys again?", default=True):
            return False
        if self.asker.confirm("Go on all the same?", default=False):
            return True
        raise click.Abort


def _short(address: str) -> str:
    """``wool`` for ``https://www.wool.example``."""
    host = urlsplit(address).hostname or address
    label = host.removeprefix("www.").split(".", maxsplit=1)[0].lower()
    return label if label[:1].isalpha() and label.replace("-", "").isalnum() else "shop"
