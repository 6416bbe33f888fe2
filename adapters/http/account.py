"""Which receiver is meant, and the keys to sign with, checked before anything is sent there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from adapters import line
from adapters.http.signing import key_of
from connector.errors import ConfigurationFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The address to post to, and the keys: each signs, the one in use first."""

    url: httpx.URL
    keys: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def check(cls, name: str, url: str, secrets: Sequence[str]) -> Account:
        """Read the settings of a destination. Raises `ConfigurationFault`, naming no secret."""
        faults, keys = [], []
        try:
            address = httpx.URL(url)
        except httpx.InvalidURL:
            address = httpx.URL()
        extras = address.userinfo or address.query or address.fragment
        if not (address.host and line.is_private(address)) or extras:
            faults.append(
                f"destination {name}: url must be an https address without user, query or "
                "fragment; plain http is allowed on this machine only (127.0.0.1, ::1, localhost)"
            )
        for number, secret in enumerate(secrets, start=1):
            try:
                keys.append(key_of(secret))
            except ValueError as fault:
                faults.append(f"destination {name}: signing secret {number} {fault}")
        if not secrets:
            faults.append(f"destination {name}: it needs a signing secret")
        if faults:
            raise ConfigurationFault(faults)
        return cls(url=address, keys=tuple(keys))

    @property
    def mark(self) -> str:
        """By what the receiver is known where it does not name itself: a digest of its address.

        The path of an address may be a secret, so the address itself is not kept.
        """
        return "url-" + hashlib.sha256(str(self.url).encode()).hexdigest()[:32]
