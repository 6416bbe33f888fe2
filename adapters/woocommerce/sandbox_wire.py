"""How a WooCommerce shop writes one webhook to the wire: headers in order, signature, answer.

Read in `class-wc-webhook.php` of WooCommerce 11.0 and measured:
https://github.com/woocommerce/woocommerce/blob/trunk/plugins/woocommerce/includes/class-wc-webhook.php
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import html
import http.client
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

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


class Wire:
    """Sends requests and gives the status, or ``None`` when no answer came.

    ``keep_alive`` keeps the connection for speed; a real shop closes it each time. ``stock`` keeps
    to the ports of a stock WordPress. Certificates are checked. Redirects are not followed.
    """

    def __init__(
        self, *, timeout: float = 60, keep_alive: bool = False, stock: bool = False
    ) -> None:
        self._timeout = timeout
        self._keep_alive = keep_alive
        self._stock = stock
        self._open: dict[str, http.client.HTTPConnection] = {}

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int | None:
        """Post once. Never raises for what a network can do."""
        target = urlsplit(url)
        if not self._may_go(target):
            return None
        kept = self._open.pop(target.netloc, None)
        if kept is not None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self._exchange(kept, target, headers, body)
            kept.close()  # the other side had closed it: nothing was taken, ask anew
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            return self._exchange(self._connect(target), target, headers, body)
        return None

    def close(self) -> None:
        """Close what is kept open."""
        while self._open:
            self._open.popitem()[1].close()

    def _may_go(self, target: SplitResult) -> bool:
        if target.username or target.password or not target.hostname:
            return False
        port = target.port or (443 if target.scheme == "https" else 80)
        return port in SAFE_PORTS or not self._stock

    def _connect(self, target: SplitResult) -> http.client.HTTPConnection:
        host = target.hostname or ""
        if target.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                host, target.port, timeout=self._timeout, context=context
            )
        return http.client.HTTPConnection(host, target.port, timeout=self._timeout)

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        target: SplitResult,
        headers: Mapping[str, str],
        body: bytes,
    ) -> int:
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        try:
            connection.putrequest("POST", path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", target.netloc)
            for name, value in headers.items():
                connection.putheader(name, value)
            if not self._keep_alive:
                connection.putheader("Connection", "close")
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            response.read()
        except BaseException:
            connection.close()
            raise
        if self._keep_alive and not response.will_close:
            spare = self._open.pop(target.netloc, None)
            self._open[target.netloc] = connection
        else:
            spare = connection
        if spare is not None:
            spare.close()
        return response.status


def _common(site: Site) -> dict[str, str]:
    agent = f"WooCommerce/{site.woocommerce} Hookshot (WordPress/{site.wordpress})"
    return {"User-Agent": agent, "Accept": "*/*", "Accept-Encoding": "deflate, gzip, br, zstd"}
