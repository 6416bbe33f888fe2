"""Where destinations tell what people said there: the address itself holds a secret.

Whoever knows the address can call it, so what comes in by it is stored and believed only as far as
it takes something away; a permission is asked for by the platform's API (`ports.Hearing`).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connector.errors import ConfigurationFault
from connector.ports import BackDoor
from webhooks.refused import Refused

_NOBODY = b"no destination has this name"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackEntrance:
    """One destination's entrance: the ``token`` in its address, and what may seal a body.

    Without ``secrets`` the token alone admits.
    """

    destination: str
    door: BackDoor
    token: bytes = field(repr=False)
    secrets: tuple[bytes, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not self.token:
            raise ConfigurationFault(
                f"destination {self.destination}: without a webhook token anybody could call"
            )


def find(
    entrances: Mapping[str, BackEntrance], name: str, token: str | None
) -> BackEntrance | None:
    """The entrance that this address opens; a wrong token is as good as an unknown name.

    The comparison is made for an unknown name too, so that it takes as long.
    """
    entrance = entrances.get(name)
    right = entrance.token if entrance else _NOBODY
    admitted = hmac.compare_digest(right, (token or "").encode("utf-8", "surrogateescape"))
    return entrance if admitted else None


def check_seal(
    entrance: BackEntrance, environ: Mapping[str, Any], body: bytes, *, now: datetime
) -> None:
    """Where a signing secret is set, only what is sealed is taken. Raises `Refused`."""
    if not entrance.secrets:
        return
    told = environ.get("HTTP_" + entrance.door.seal_header.upper().replace("-", "_"))
    if not entrance.door.is_sealed(body, told, entrance.secrets, now=now):
        reason = "missing_signature" if told is None else "bad_signature"
        raise Refused(401, reason, destination=entrance.destination, bytes=len(body))
