"""Where things are: ``connector.yaml``, with secrets and overrides from the environment.

The file holds no secrets; they come from ``CONNECTOR_…`` variables, from files in ``/run/secrets``
or from ``.env`` beside the file. All faults are reported at once, each with its line or variable,
none with a secret in it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from connector import places
from connector import setting_values as values
from connector.errors import ConfigurationFault, meant
from connector.setting_draft import Draft
from connector.setting_values import Listen

Text = Annotated[str | None, BeforeValidator(values.text)]
Secret = Annotated[SecretStr | None, BeforeValidator(values.secret)]
Address = Annotated[str | None, BeforeValidator(values.safe_address)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ShopSettings(_Frozen):
    """One shop. What its platform does not use is ``None``; what the shop tells itself, too."""

    name: str
    platform: str
    url: Address = None
    domain: Annotated[
        str | None,
        BeforeValidator(values.matching(r"[a-z0-9][a-z0-9-]*\.myshopify\.com", "a.myshopify.com")),
    ] = None
    api_version: Annotated[
        str | None, BeforeValidator(values.matching(r"\d{4}-\d{2}|unstable", '"2026-10"'))
    ] = None
    timezone: Annotated[str | None, BeforeValidator(values.zone)] = None
    currency: Annotated[str | None, BeforeValidator(values.matching("[A-Z]{3}", "EUR"))] = None
    base_url: Address = None
    private_network: Annotated[bool, BeforeValidator(values.yes_or_no)] = False
    """May its address lead into a network of one's own; else only public ones are called."""
    consumer_key: Secret = None
    consumer_secret: Secret = None
    webhook_secret: Annotated[tuple[SecretStr, ...], BeforeValidator(values.signing_secrets)] = ()
    client_id: Text = None
    client_secret: Annotated[tuple[SecretStr, ...], BeforeValidator(values.signing_secrets)] = ()
    access_token: Secret = None
    token_file: Annotated[Path | None, BeforeValidator(values.text)] = None
    """Where tokens that change by themselves are kept; once loaded it is a whole path."""
    write_back: Annotated[str, BeforeValidator(values.choice("withdrawals", "nothing"))] = (
        "withdrawals"
    )
    """Is it told who withdrew elsewhere, where it keeps permissions."""
    watch: Annotated[str, BeforeValidator(values.choice("mend", "tell"))] = "mend"
    """May the watch put its webhooks right, or only tell what is wrong with them."""

    reconcile: Annotated[timedelta | None, BeforeValidator(values.span_or_off)] = timedelta(
        minutes=10
    )
    """How often it is asked what changed lately, in case a webhook was lost; ``None``: never."""

    requests_at_once: Annotated[int, BeforeValidator(values.number(1, 16))] = 4
    """How many pages of its lists are asked for at a time."""
    requests_a_second: Annotated[int | None, BeforeValidator(values.number(1, 1000))] = None
    """How many of them a second at most; ``None``: as fast as it answers."""

    @property
    def seals(self) -> tuple[SecretStr, ...]:
        """What may sign its webhooks: a webhook's own secret, or on Shopify the app's."""
        return self.webhook_secret or self.client_secret

    @property
    def address(self) -> str:
        """Where its API is called: ``base_url`` when it stands in, else the shop itself."""
        return self.base_url or self.url or f"https://{self.domain}"


class DestinationSettings(_Frozen):
    """One destination. ``shops`` is empty for all of them; ``folder`` is absolute.

    Where it writes to people and there are several shops, they must be named: it is the yes that
    one audience is for all of them.
    """

    name: str
    platform: str
    audience: Annotated[
        str | None, BeforeValidator(values.matching(r"[A-Za-z0-9_-]+", "a1b2c3d4e5"))
    ] = None
    catalog_id: Annotated[str | None, BeforeValidator(values.matching(r"\d+", '"1234567890"'))] = (
        None
    )
    ad_account: Annotated[str | None, BeforeValidator(values.matching(r"act_\d+", "act_42"))] = None
    pixel_id: Annotated[str | None, BeforeValidator(values.matching(r"\d+", '"1234567890"'))] = None
    folder: Annotated[Path | None, BeforeValidator(values.text)] = None
    every: Annotated[timedelta | None, BeforeValidator(values.span)] = None
    """At least so long from one export of files to the next; at once when it is not set."""
    url: Address = None
    private_network: Annotated[bool, BeforeValidator(values.yes_or_no)] = False
    signing_secret: Annotated[tuple[SecretStr, ...], BeforeValidator(values.webhook_keys)] = ()
    shops: Annotated[tuple[str, ...], BeforeValidator(values.names)] = ()
    base_url: Address = None
    api_key: Annotated[SecretStr | None, BeforeValidator(values.mailchimp_key)] = None
    webhook_token: Annotated[SecretStr | None, BeforeValidator(values.long_secret)] = None
    webhook_secret: Annotated[tuple[SecretStr, ...], BeforeValidator(values.signing_secrets)] = ()
    access_token: Secret = None

    @property
    def is_local(self) -> bool:
        """Does nothing that is sent there leave this machine."""
        return self.platform == "files" or values.is_loopback(self.base_url or self.url or "")


class Settings(_Frozen):
    """Everything that the wiring needs to know. ``warnings`` are to be told, and stop nothing.

    ``exports`` is the folder for answers to people who ask what is held of them.
    """

    store: Annotated[str, BeforeValidator(values.store), Field(repr=False)] = (
        "sqlite:///connector.db"
    )
    mapping: Annotated[str, BeforeValidator(values.text)] = "mapping.yaml"
    public_url: Annotated[str | None, BeforeValidator(values.web_address)] = None
    listen: Annotated[Listen, BeforeValidator(values.listen)] = Listen(host="127.0.0.1", port=8080)
    mode: Annotated[str, BeforeValidator(values.choice("live", "test"))] = "live"
    threads: Annotated[int, BeforeValidator(values.number(1, 128))] = 8
    body_limit: Annotated[int, BeforeValidator(values.number(1024, 64 * 2**20))] = 5 * 2**20
    keep_bodies: Annotated[timedelta, BeforeValidator(values.days(1, 3650))] = timedelta(days=30)
    """How long what shops delivered is kept word for word, once it is done with."""
    shops: dict[str, ShopSettings]
    destinations: dict[str, DestinationSettings] = Field(default_factory=dict)
    exports: Annotated[Path, BeforeValidator(values.text)] = Path("exports")
    secret_key: Annotated[tuple[SecretStr, ...], BeforeValidator(values.secret_keys)] = ()
    clock: Annotated[datetime | None, BeforeValidator(values.moment)] = None
    warnings: tuple[str, ...] = ()


_NAMES_ITS_SHOPS = ("mailchimp", "http")
"""Platforms that write to people or have them called: whose people those are must be said."""
_ONE_EACH = ("audience", "catalog_id", "folder", "url", "ad_account", "pixel_id")
SECRETS_FOLDER = Path("/run/secrets")
TOKENS = ".tokens.json"
"""The token file's name, beside the store where that is a file, else beside the settings."""


def load_settings(
    path: Path,
    *,
    environ: Mapping[str, str] | None = None,
    mapping: str | None = None,
    listen: str | None = None,
    secrets: Path = SECRETS_FOLDER,
) -> Settings:
    """Read the configuration; ``mapping`` and ``listen`` are what the command line says instead.

    Raises `ConfigurationFault` with every fault. Relative paths in the file are from its folder,
    those of the command line from where it was typed.
    """
    around = os.environ if environ is None else environ
    draft = Draft(path, places.places(around, secrets, path.parent / ".env"))
    tree = draft.tree()
    for key, said in (("listen", listen), ("mapping", mapping)):
        if said is not None:
            tree[key] = said
            draft.origins[key,] = f"--{key}"
    settings = _validated(draft, tree)
    if settings is not None:
        settings = _with_whole_paths(settings, path.parent.resolve(), mapping)
        draft.faults += _contradictions(settings)
    if draft.faults or settings is None:
        raise ConfigurationFault(draft.faults)
    return settings


def _validated(draft: Draft, tree: Mapping[str, Any]) -> Settings | None:
    try:
        return Settings(**tree, warnings=tuple(draft.warnings()))
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False):
            draft.fault(each["loc"], str(each.get("ctx", {}).get("error", each["msg"])))
        return None


def _with_whole_paths(settings: Settings, home: Path, typed_mapping: str | None) -> Settings:
    destinations = {
        name: each.model_copy(update={"folder": home / each.folder}) if each.folder else each
        for name, each in settings.destinations.items()
    }
    mapping = settings.mapping
    if not mapping.startswith("preset:"):
        mapping = str((Path(mapping) if typed_mapping else home / mapping).resolve())
    store = re.sub(
        r"^sqlite:///(?!/|:memory:)(.+)", lambda at: f"sqlite:///{home / at[1]}", settings.store
    )
    exports = home / settings.exports
    beside = Path(store.removeprefix("sqlite:///")).parent if "sqlite:" in store else home
    shops = {
        name: each.model_copy(
            update={"token_file": home / each.token_file if each.token_file else beside / TOKENS}
        )
        for name, each in settings.shops.items()
    }
    return settings.model_copy(
        update={
            "shops": shops,
            "destinations": destinations,
            "mapping": mapping,
            "store": store,
            "exports": exports,
        }
    )


def _contradictions(settings: Settings) -> Iterator[str]:
    """What is wrong between settings that are each right."""
    shops, destinations = settings.shops.values(), settings.destinations.values()
    public = settings.public_url or ""
    outside = any(not values.is_loopback(shop.address) for shop in shops)
    if public and settings.mode == "live" and outside:
        if values.is_loopback(public):
            yield f"public_url {public} is this machine: no shop outside can call it"
        elif not public.startswith("https://"):
            yield f"public_url {public} must begin with https:// in mode live"
    yield from _shared_silently(settings)
    yield from _numbered_alike(settings)
    for each in destinations:
        if settings.clock and settings.mode == "live" and not each.is_local:
            yield f"CONNECTOR_CLOCK is set: a rehearsal must not reach destinations.{each.name}"
        for shop in each.shops:
            if shop not in settings.shops:
                near = meant(shop, settings.shops)
                yield f"destinations.{each.name}.shops names {shop!r}, which is no shop.{near}"
        for key in _ONE_EACH:
            value = getattr(each, key)
            twin = next(other for other in destinations if getattr(other, key) == value)
            if value is not None and twin is not each:
                yield (
                    f"destinations.{each.name}.{key} is also that of destinations.{twin.name}: "
                    "they would undo each other's work. One destination takes several shops"
                )


def _numbered_alike(settings: Settings) -> Iterator[str]:
    """Where orders of two shops would be taken for the same one: WooCommerce counts from 1."""
    for each in settings.destinations.values():
        counted = [
            name
            for name in each.shops or settings.shops
            if name in settings.shops and settings.shops[name].platform == "woocommerce"
        ]
        if each.platform == "meta_conversions" and len(counted) > 1:
            yield (
                f"destinations.{each.name} would tell of orders of {' and '.join(counted)}, which "
                "have the same numbers: Meta counts one of two alike. A pixel for each: "
                f"shops: [{counted[0]}]"
            )


def _shared_silently(settings: Settings) -> Iterator[str]:
    """Where people of several shops would come together though nobody said so."""
    for each in settings.destinations.values():
        if each.platform in _NAMES_ITS_SHOPS and not each.shops and len(settings.shops) > 1:
            yield (
                f"destinations.{each.name} does not say whose people it holds, and there are "
                f"several shops. If they are to share it: shops: [{', '.join(settings.shops)}]"
            )
