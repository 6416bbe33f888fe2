"""WooCommerce's own page for granting a key: the owner says yes there, and the shop posts the key.

https://woocommerce.github.io/woocommerce-rest-api-docs/#rest-api-keys. The shop posts only to https
addresses that WordPress calls at all, and takes the key back unless it is answered exactly 200.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import urlencode

from connector.strict_json import Sound, examine


class WooCommerceKeyPage:
    """See `connector.ports.KeyPage`."""

    def address(self, shop: str, *, callback: str, visitor: str) -> str:
        """Where the owner goes, logged in as an administrator or shop manager."""
        asked = {
            "app_name": "connector",
            "scope": "read_write",
            "user_id": visitor,
            "return_url": callback,
            "callback_url": callback,
        }
        return f"{shop.rstrip('/')}/wc-auth/v1/authorize?{urlencode(asked)}"

    def keys_in(self, body: bytes, *, visitor: str) -> Mapping[str, str] | None:
        """The key's two parts, or ``None`` when the post is another's or no key."""
        examined = examine(body)
        told = examined.value if isinstance(examined, Sound) else {}
        match told:
            case {
                "user_id": str() | int() as whom,
                "consumer_key": str() as key,
                "consumer_secret": str() as secret,
            } if key.startswith("ck_") and secret.startswith("cs_"):
                meant = hmac.compare_digest(str(whom).encode(), visitor.encode())
                return {"consumer_key": key, "consumer_secret": secret} if meant else None
            case _:
                return None
