"""How a WooCommerce shop writes one webhook to the wire: headers in order, signature, answer.

Read in `class-wc-webhook.php` of WooCommerce 11.0 and measured:
https://github.com/woocommerce/woocommerce/blob/trunk/plugins/woocommerce/includes/class-wc-webhook.php
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import http.client

from adapters.woocommerce.sandbox_payloads import Site

SAFE_PORTS = (80, 443, 8080)
"""The ports to which a stock WordPress sends at all (``http_allowed_safe_ports``)."""
_LAST_SUCCESS = 302


def sign(body: bytes, secret: str) -> str:
    """Base64 of HMAC-SHA256 over the exact body, with the secret as HTML unescapes it."""
    key = html.unescape(secret).encode()
    return base64.b64encode(hmac.digest(key, body, "sha256")).decode("ascii")


def delivery_id(webhook: int, second: int) -> str:
    """A digest of the webhook and the second: everything sent in one second shares it."""
    return hashlib.blake2b(f"{webhook}.{second}".encode(), digest_size=16).hexdigest()


def headers_for(
    site: Site, *, webhook: int, topic: str, body: bytes, secret: str, second: int
) -> dict[str, str]:
    """What stands before a delivery's body, in the order in which a shop writes it."""
    resource, _, event = topic.partition(".")
    return {
        **_common(site),
        "Content-Type": "application/json",
        "X-WC-Webhook-Source": f"{site.url}/",
        "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Resource": resource,
        "X-WC-Webhook-Event": event,
        "X-WC-Webhook-Signature": sign(body, secret),
        "X-WC-Webhook-ID": str(webhook),
        "X-WC-Webhook-Delivery-ID": delivery_id(webhook, second),
    }


def ping_headers(site: Site) -> dict[str, str]:
    """What stands before a ping: no signature, no name of the shop."""
    return {**_common(site), "Content-Type": "application/x-www-form-urlencoded"}


def succeeded(status: int | None) -> bool:
    """Whether the shop takes an answer for a success: 2xx, and 301 and 302, which lose it."""
    return status is not None and http.client.OK <= status <= _LAST_SUCCESS


def _common(site: Site) -> dict[str, str]:
    agent = f"WooCommerce/{site.woocommerce} Hookshot (WordPress/{site.wordpress})"
    return {"User-Agent": agent, "Accept": "*/*", "Accept-Encoding": "deflate, gzip, br, zstd"}
