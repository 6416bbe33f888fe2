"""Puts a configuration together as text, and knows for each value where it was written.

Which keys each platform takes is a table here; what their values may look like is not its matter.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector import errors, places, plain_yaml
from connector.errors import ConfigurationFault, meant


@dataclass(frozen=True, slots=True)
class _Keys:
    """What one platform must and may be given, beside its ``platform``."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


_SECRETS = {
    *("consumer_key", "consumer_secret", "webhook_secret", "client_secret", "access_token"),
    *("api_key", "webhook_token", "signing_secret"),
}
_SHOP = (
    *("timezone", "currency", "base_url", "private_network"),
    *("watch", "write_back", "reconcile"),
)
_KINDS: Mapping[str, Mapping[str, _Keys]] = {
    "shops": {
        "woocommerce": _Keys(
            ("url", "consumer_key", "consumer_secret", "webhook_secret"),
            (*_SHOP, "requests_at_once", "requests_a_second"),
        ),
        "shopify": _Keys(
            ("domain", "client_secret"),
            ("client_id", "access_token", "api_version", "token_file", *_SHOP),
        ),
    },
    "destinations": {
        "mailchimp": _Keys(
            ("audience", "api_key"), ("webhook_token", "webhook_secret", "base_url", "shops")
        ),
        "meta_catalog": _Keys(("catalog_id", "access_token"), ("base_url", "shops")),
        "meta_audiences": _Keys(("ad_account", "access_token"), ("base_url", "shops")),
        "meta_conversions": _Keys(("pixel_id", "access_token"), ("base_url", "shops")),
        "files": _Keys(("folder",), ("every", "shops")),
        "http": _Keys(("url", "signing_secret"), ("private_network", "shops")),
    },
}
_IN_FILE = (
    *("store", "mapping", "exports", "public_url", "listen", "mode", "threads", "body_limit"),
    "keep_bodies",
)
_OUTSIDE = ("secret_key", "clock")
_NOT_SETTINGS = {
    "CONNECTOR_CORPUS",  # where the tests find their corpus
    "CONNECTOR_CONFIG",  # how `serve` tells its server's process which files to read
    "CONNECTOR_MAPPING_FILE",
}


@dataclass
class Draft:
    """A configuration being put together: where each value came from, and what is wrong."""

    path: Path
    found: places.Places
    faults: list[str] = field(default_factory=list)
    origins: dict[errors.Path, str] = field(default_factory=dict)
    known: set[str] = field(default_factory=lambda: set(_NOT_SETTINGS))

    def tree(self) -> dict[str, Any]:
        """All values as text: the file's, and over them what the other places say."""
        written = self._written()
        self._refuse_unknown((), written, (*_IN_FILE, *_KINDS))
        tree: dict[str, Any] = {
            key: written[key] for key in _IN_FILE if written.get(key) is not None
        }
        for key in (*_IN_FILE, *_OUTSIDE):
            self._override(tree, (key,))
        for kind in _KINDS:
            entries = written.get(kind) or {}
            if not isinstance(entries, dict):
                self.fault((kind,), "must be a mapping of names")
                entries = {}
            tree[kind] = {
                name: each for name in entries if (each := self._guest(kind, name, entries[name]))
            }
        if not written.get("shops"):
            self.fault(("shops",), "is missing: without a shop nothing would ever arrive")
        self._refuse_overlaps([(kind, name) for kind in _KINDS for name in tree[kind]])
        return tree

    def warnings(self) -> Iterator[str]:
        """What should be looked at and stops nothing."""
        yield from self.found.unknown(self.known)
        dotenv = self.found.dotenv
        if dotenv.is_file() and dotenv.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
            yield f"{dotenv} holds secrets and is open to everybody here: chmod 600 {dotenv}"

    def _written(self) -> dict[str, Any]:
        try:
            raw = self.path.read_bytes()
            mode = self.path.stat().st_mode
        except OSError as error:
            raise ConfigurationFault(
                f"{self.path}: cannot be read ({error.strerror}). "
                "`connector init` writes one; --config names another"
            ) from None
        if mode & stat.S_IWOTH:
            self.faults.append(f"{self.path}: everybody here may change it: chmod o-w {self.path}")
        reading = plain_yaml.read(raw)
        if reading.faults:
            self.faults += [fault.told(str(self.path)) for fault in reading.faults]
            raise ConfigurationFault(self.faults)
        if not isinstance(reading.tree, plain_yaml.Entries):
            raise ConfigurationFault(f"{self.path}:1: must hold settings, such as `shops:`")
        for path, line in plain_yaml.lines(reading.tree):
            self.origins[path] = f"{self.path}:{line} {errors.written(path)}"
        written: dict[str, Any] = plain_yaml.plain(reading.tree)
        return written

    def _guest(self, kind: str, name: str, entry: Any) -> dict[str, Any] | None:
        here = (kind, name)
        if not re.fullmatch("[a-z][a-z0-9_-]*", name):
            self.fault(here, "must be a name of a-z, 0-9, - and _ that begins with a letter")
        elif not isinstance(entry, dict):
            self.fault(here, "must be a mapping with its `platform`")
        elif (platform := str(entry.get("platform"))) not in _KINDS[kind]:
            names = ", ".join(_KINDS[kind])
            near = meant(platform, _KINDS[kind])
            self.fault((*here, "platform"), f"must be one of {names}.{near}")
        else:
            return self._filled(here, entry, _KINDS[kind][platform])
        return None

    def _filled(self, here: tuple[str, str], entry: dict[str, Any], keys: _Keys) -> dict[str, Any]:
        takes = (*keys.required, *keys.optional)
        self._refuse_unknown(here, entry, ("platform", *takes))
        filled = {"name": here[1], "platform": entry["platform"]}
        in_file = [key for key in takes if entry.get(key) is not None]
        for key in takes:
            path = (*here, key)
            if key in in_file and key in _SECRETS:
                self.fault(path, f"is a secret: set {places.variable(*path)} instead")
            elif key in in_file:
                filled[key] = entry[key]
            self._override(filled, path)
        for key in keys.required:
            stands_in = key == "url" and "base_url" in filled
            if key not in filled and key not in in_file and not stands_in:
                self._missing((*here, key))
        return filled

    def _override(self, into: dict[str, Any], path: tuple[str, ...]) -> None:
        name = places.variable(*path)
        self.known.add(name)
        if (found := self.found.find(name)) is not None:
            into[path[-1]], place = found
            self.origins[path] = f"{name} in {place}"

    def _missing(self, path: tuple[str, ...]) -> None:
        name, here = places.variable(*path), errors.written(path[:2])
        if path[-1] in _SECRETS:
            looked = self.found.tried(name)
            self.faults.append(f"{name} is not set and {here} needs it. Looked in {looked}")
        else:
            self.fault(path[:2], f"needs `{path[-1]}`")

    def _refuse_unknown(
        self, here: tuple[str, ...], entry: Mapping[str, Any], takes: tuple[str, ...]
    ) -> None:
        for key in entry:
            if key not in takes:
                near = meant(key, takes)
                self.fault((*here, key), f"is no setting here.{near}")

    def _refuse_overlaps(self, guests: list[tuple[str, str]]) -> None:
        first: dict[str, tuple[str, str]] = {}
        for guest in guests:
            same = first.setdefault(guest[1].replace("-", "_"), guest)
            if same != guest:
                self.fault(
                    guest, f"has the name of {errors.written(same)}: addresses would be the same"
                )

    def fault(self, path: errors.Path, what: str) -> None:
        """Note what is wrong with the value at a path, with the place it came from."""
        place = self.origins.get(path, f"{self.path}: {errors.written(path)}")
        self.faults.append(f"{place} {what}")
