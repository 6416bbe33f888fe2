"""One secret of the installation, and a key of its own for each use of it.

``CONNECTOR_SECRET_KEY`` may name several, with commas between: the first is used from now on, the
others still recognise what was made with them.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from connector.errors import ConfigurationFault

NO_KEY = (
    "CONNECTOR_SECRET_KEY is not set, and without it nobody can be erased: what is left of an "
    "erased person is a digest under that key. Set it (openssl rand -hex 32), and keep it apart "
    "from the backups."
)
_SALT = b"shop-connector"
_MARK = "erased"


class Use(StrEnum):
    """What a key is for. No key tells anything about another."""

    SUPPRESSION = "suppression"
    SESSION = "session"
    EXPORT = "export"
    WEBHOOK = "webhook"


def derive(secret_key: str, use: str) -> bytes:
    """The 32-byte key for one use: HKDF with SHA-256 and one block (RFC 5869)."""
    root = hmac.digest(_SALT, secret_key.encode(), "sha256")
    return hmac.digest(root, f"connector {use}".encode() + b"\x01", "sha256")


@dataclass(frozen=True, slots=True)
class Digest:
    """What is kept in place of a contact point: nobody without the key can tell whose it is."""

    version: str
    value: bytes

    @property
    def contact(self) -> str:
        """How it stands in the ledger where the contact point stood."""
        return f"{_MARK}:{self.version}:{self.value.hex()}"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys under which contact points are digested, the one to write with first."""

    _keys: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, secret_keys: Sequence[str]) -> Keyring:
        """Derive the keys. A key's version is a digest too, so nobody has to number them."""
        return cls(
            tuple(
                (derive(secret, "suppression version")[:4].hex(), derive(secret, Use.SUPPRESSION))
                for secret in secret_keys
            )
        )

    def __bool__(self) -> bool:
        return bool(self._keys)

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions of the keys, the one to write with first."""
        return tuple(version for version, _ in self._keys)

    def digest(self, contact: str) -> Digest:
        """The digest to write. Raises `ConfigurationFault` without a key."""
        if not self._keys:
            raise ConfigurationFault(NO_KEY)
        return self.digests(contact)[0]

    def digests(self, contact: str) -> tuple[Digest, ...]:
        """Every digest under which the contact point may have been kept."""
        return tuple(
            Digest(version, hmac.digest(key, contact.encode("utf-8", "surrogatepass"), "sha256"))
            for version, key in self._keys
        )


def is_digest(contact: str) -> bool:
    """Whether a contact of the ledger is the digest of one."""
    return contact.startswith(f"{_MARK}:")
