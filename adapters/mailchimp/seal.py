"""The seal that a newer webhook of Mailchimp's may carry: ``t=…,v1=…``, good for five minutes.

``v1`` is the HMAC-SHA256, in hexadecimal, of the moment, a full stop and the raw body.
https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from connector.moments import EPOCH
from connector.ports import BackDoor

HEADER = "X-Mailchimp-Signature"
TOLERANCE = timedelta(seconds=300)

_SEAL = re.compile(r"t=([0-9]{1,11}),v1=([0-9a-f]{64})")


def is_sealed(body: bytes, header: str | None, secrets: Sequence[bytes], *, now: datetime) -> bool:
    """Whether the header seals these very bytes, under one of the secrets, within five minutes.

    Never raises; an empty secret proves nothing, and the comparison takes the same time anyhow.
    """
    told = _SEAL.fullmatch(header or "")
    if told is None or abs(now - EPOCH - timedelta(seconds=int(told[1]))) > TOLERANCE:
        return False
    signed = told[1].encode() + b"." + body
    proven = False
    for secret in secrets:
        right = hmac.digest(secret, signed, "sha256").hex()
        proven |= hmac.compare_digest(right.encode(), told[2].encode()) and secret != b""
    return proven


DOOR = BackDoor(seal_header=HEADER, is_sealed=is_sealed)
