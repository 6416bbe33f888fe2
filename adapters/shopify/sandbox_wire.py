"""How a Shopify shop signs and heads one delivery.

https://shopify.dev/docs/apps/build/webhooks/delivery-structure
"""

from __future__ import annotations

import base64
import hmac
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.shopify.sandbox_words import VERSION


@dataclass(slots=True, kw_only=True)
class Secrets:
    """The app's client secret, and for a while after its rotation the one before.

    "It may take up to an hour" until deliveries are signed with the new one: until then either may
    be used. https://shopify.dev/docs/apps/build/authentication-authorization/client-secrets
    """

    current: str
    clock: Callable[[], datetime]
    chance: random.Random
    _former: list[tuple[str, datetime]] = field(default_factory=list)

    def rotate(self, new: str, overlap: timedelta) -> None:
        """A new secret: from now on taken, and used for signing within ``overlap``."""
        self._former.append((self.current, self.clock() + overlap))
        self.current = new

    def taken(self) -> tuple[str, ...]:
        """The secrets that open something now."""
        now = self.clock()
        return (self.current, *(secret for secret, until in self._former if now < until))

    def signing(self) -> str:
        """The secret that signs the delivery at hand."""
        return self.chance.choice(self.taken())


def sign(body: bytes, secret: str) -> str:
    """Base64 of HMAC-SHA256 over the exact body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode("ascii")


def headers_for(
    *,
    topic: str,
    domain: str,
    delivery: str,
    event: str,
    triggered_at: str,
    signature: str,
    name: str | None = None,
) -> dict[str, str]:
    """What stands before a delivery's body. ``delivery`` is the same when it is sent again."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Shopify-Captain-Hook",
        "Accept": "*/*",
        "Accept-Encoding": "gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": signature,
        "X-Shopify-Shop-Domain": domain,
        "X-Shopify-API-Version": VERSION,
        "X-Shopify-Webhook-Id": delivery,
        "X-Shopify-Triggered-At": triggered_at,
        "X-Shopify-Event-Id": event,
    }
    return headers if name is None else {**headers, "X-Shopify-Name": name}


def succeeded(status: int | None) -> bool:
    """Whether the shop takes an answer for a success: only 2xx is one."""
    return status is not None and 200 <= status < 300  # noqa: PLR2004 - 2xx
