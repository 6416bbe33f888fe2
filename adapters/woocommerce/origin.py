"""Tells a delivery of the known shop from one of a copy of it, which has the same webhooks.

Both are sealed with one secret. But each says where it comes from: ``X-WC-Webhook-Source`` is the
site's own ``home_url( '/' )``, the ``home`` of its REST index by which the shop is pinned:
https://github.com/woocommerce/woocommerce/blob/trunk/plugins/woocommerce/includes/class-wc-webhook.php
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import urlsplit

from connector.model import Delivery, Quarantined
from connector.ports import Fingerprint

SOURCE_HEADER = "X-WC-Webhook-Source"
ANOTHER_SITE = "another_site"

_WEB_PORTS = frozenset({None, 80, 443})
_LANGUAGE = re.compile(r"/[a-z]{2}(?:-[a-z]{2})?$")
_SHOWN = re.compile(r"[\w.:/-]{1,100}")


def stray(delivery: Delivery, known: Fingerprint) -> Quarantined | None:
    """Why a delivery is another site's than the known shop's; ``None`` if it is not.

    One that names no site is believed: proxies take headers away, and plugins make addresses
    relative. One known by two addresses (WordPress may live in a folder) may name either.
    """
    told = _source(delivery)
    if told is None:
        return None
    site, misread = _plain(_as_utf8(told)), _plain(told)
    if site is None or _sites(site, misread) & _sites(_plain(known.identity), _plain(known.url)):
        return None
    shown = site if _SHOWN.fullmatch(site) else "a site whose address cannot be shown"
    return Quarantined(
        reason=ANOTHER_SITE,
        detail=f"it came from {shown}, and shop {delivery.shop} is {known.identity}",
        mend=f"Whoever runs {shown}: if it is a copy of the shop, delete its webhooks there "
        "(WooCommerce > Settings > Advanced > Webhooks). Whoever runs the connector: if the shop "
        "has moved there, put its address in connector.yaml, confirm it with `connector doctor "
        f"--accept {delivery.shop}`, then `connector parked --release {delivery.id}`, or all at "
        f"once with `connector replay --shop {delivery.shop}`.",
    )


def _source(delivery: Delivery) -> str | None:
    wanted = SOURCE_HEADER.lower()
    return next((told for name, told in delivery.headers.items() if name.lower() == wanted), None)


def _as_utf8(text: str) -> str:
    """Headers arrive as Latin-1, and a site may have ``ø`` in its name."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _sites(*plain: str | None) -> set[str]:
    """Sites without a language: plugins append that of the moment to ``home``."""
    return {_LANGUAGE.sub("", site) for site in plain if site is not None}


@lru_cache(maxsize=256)
def _plain(address: str) -> str | None:
    """Host, port and path in one spelling, so that ways of writing one site are equal.

    The scheme, ``www.``, a web port and a slash at the end make no other site, nor do capitals or
    Punycode in the host. ``None`` for what names no host.
    """
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    name = ".".join(map(_label, (host or "").rstrip(".").split("."))).removeprefix("www.")
    if not name:
        return None
    return f"{name}{'' if port in _WEB_PORTS else f':{port}'}{parts.path.rstrip('/')}"


def _label(label: str) -> str:
    """A part of a host as it is read: ``xn--mbler-uua`` is ``møbler``."""
    if label.startswith("xn--"):
        try:
            label = label.removeprefix("xn--").encode("ascii").decode("punycode")
        except UnicodeError:
            return label
    return unicodedata.normalize("NFC", label).lower()
