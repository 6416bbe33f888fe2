"""Signs what is posted, as Standard Webhooks says: https://www.standardwebhooks.com."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
FEWEST, MOST = 24, 64
"""The bytes of a key: 192 to 512 bits, by the specification's part on the signature scheme."""


def key_of(secret: str) -> bytes:
    """The key in a secret: ``whsec_`` and base64, or else the bytes of the text itself.

    Raises ``ValueError`` with the end of a sentence, never with the secret.
    """
    if secret.startswith(PREFIX):
        try:
            key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("is not whsec_ followed by base64") from None
    else:
        key = secret.encode()
    if len(key) < FEWEST:
        raise ValueError(f"holds {len(key)} bytes, at least {FEWEST} are needed")
    if len(key) > MOST and secret.startswith(PREFIX):
        raise ValueError(f"holds {len(key)} bytes, at most {MOST} are allowed")
    return key


def sign(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The header ``webhook-signature``: one signature for each key, with spaces between them.

    ``message_id`` must hold no full stop.
    """
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return " ".join(
        "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys
    )
