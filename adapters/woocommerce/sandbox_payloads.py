"""The exact bodies a WooCommerce shop writes: customers, products, webhooks, in its own JSON.

Shapes are those of the REST API v3 of WooCommerce 11.0:
https://woocommerce.github.io/woocommerce-rest-api-docs/. Every body is a plain dict with the keys
in the shop's own order; `php_json` turns it into the bytes a shop would send.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from adapters.town.slugs import slug
from connector.money import exponent, to_major

Body: TypeAlias = dict[str, Any]
"""A REST body: the shop's own words, JSON values only."""

ALL_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "NOK": "kr", "SEK": "kr", "DKK": "kr.", "PLN": "zł"}
_ADDRESS = ("first_name", "last_name", "company", "address_1", "address_2", "city")
_TAG = re.compile(r"<[^>]*>")
_CENTS = 2
_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a shop says of itself. ``tax_percent`` is added to prices, as Norwegian shops may."""

    url: str
    name: str = "Ull og Pinner"
    timezone: str = "Europe/Oslo"
    currency: str = "NOK"
    tax_percent: int = 25
    woocommerce: str = "11.0.1"
    wordpress: str = "7.0.4"

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def api(self) -> str:
        """The address of the REST API, version 3."""
        return f"{self.url}/wp-json/wc/v3"

    @property
    def symbol(self) -> str:
        """The currency's sign as orders carry it."""
        return _SYMBOLS.get(self.currency, self.currency)


def php_json(value: Any) -> bytes:
    r"""JSON as PHP's ``json_encode`` writes it: ``\/`` and ``\uXXXX``, no blanks."""
    return _ENCODER.encode(value).replace("/", "\\/").encode("ascii")


def php_number(value: Decimal) -> int | float:
    """A JSON number as PHP writes it: 199 rather than 199.0, else the shortest decimal.

    The platform itself keeps these few figures (a line's ``price``) as floats.
    """
    return int(value) if value == value.to_integral_value() else float(value)


def money(minor: int, currency: str) -> str:
    """An amount as orders write it: text with the currency's decimals."""
    if exponent(currency) != _CENTS:
        return str(to_major(minor, currency))
    whole, cents = divmod(abs(minor), 100)
    return f"{'-' if minor < 0 else ''}{whole}.{cents:02}"


def local(moment: datetime | None, site: Site) -> str | None:
    """A moment in the shop's time, without offset."""
    return None if moment is None else f"{moment.astimezone(site.zone):%Y-%m-%dT%H:%M:%S}"


def gmt(moment: datetime | None) -> str | None:
    """A moment in UTC, without ``Z``."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"


def both(name: str, moment: datetime | None, site: Site) -> Body:
    """The pair of fields ``name`` and ``name_gmt``."""
    return {name: local(moment, site), f"{name}_gmt": gmt(moment)}


def touch(body: Body, moment: datetime, site: Site, name: str = "date_modified") -> None:
    """Set one pair of dates of a body, where they stand."""
    body.update(both(name, moment, site))


def links(site: Site, path: str, *, methods: Sequence[str] = ALL_METHODS) -> Body:
    """The ``_links`` of a thing at ``path`` (such as ``orders/16``)."""
    collection = path.rpartition("/")[0]
    return {
        "self": [{"href": f"{site.api}/{path}", "targetHints": {"allow": list(methods)}}],
        "collection": [{"href": f"{site.api}/{collection}"}],
    }


def error(code: str, message: str, status: int, **more: Any) -> Body:
    """A REST error, as an answer and as a (signed) delivery of something that is gone."""
    return {"code": code, "message": message, "data": {"status": status, **more}}


def escaped(text: str) -> str:
    """A name as WordPress keeps it: tags stripped, ``&``, ``<`` and ``>`` escaped, quotes not."""
    return html.escape(html.unescape(_TAG.sub("", text)), quote=False).strip()


def billing(given: Mapping[str, Any] | None = None) -> Body:
    """An order's billing address; what is not given is empty text."""
    return _address(given, "state", "postcode", "country", "email", "phone")


def shipping(given: Mapping[str, Any] | None = None) -> Body:
    """An order's shipping address: as billing, without e-mail."""
    return _address(given, "state", "postcode", "country", "phone")


def meta(given: Sequence[Mapping[str, Any]], first_id: int) -> list[Body]:
    """Extra fields with their ids; the values keep the type they came with."""
    return [
        {"id": first_id + n, "key": item["key"], "value": item["value"]}
        for n, item in enumerate(given)
    ]


def customer(
    site: Site, number: int, now: datetime, given: Mapping[str, Any], meta_data: list[Body]
) -> Body:
    """A new account. Staff accounts (another ``role``) have never been modified."""
    role = given.get("role", "customer")
    email = given["email"]
    methods = ALL_METHODS if role == "customer" else ALL_METHODS[:-1]
    digest = hashlib.sha256(email.strip().lower().encode()).hexdigest()
    return {
        "id": number,
        **both("date_created", now, site),
        **both("date_modified", now if role == "customer" else None, site),
        "email": email,
        "first_name": escaped(given.get("first_name", "")),
        "last_name": escaped(given.get("last_name", "")),
        "role": role,
        "username": given.get("username") or slug(email.partition("@")[0]).replace("-", "."),
        "billing": _address(given.get("billing"), "postcode", "country", "state", "email", "phone"),
        "shipping": _address(given.get("shipping"), "postcode", "country", "state", "phone"),
        "is_paying_customer": False,
        "avatar_url": f"https://secure.gravatar.com/avatar/{digest}?s=96&d=mm&r=g",
        "meta_data": meta_data,
        "_links": links(site, f"customers/{number}", methods=methods),
    }


def deleted(number: int) -> Body:
    """All that is said of a deleted thing."""
    return {"id": number}


def webhook(site: Site, number: int, now: datetime, given: Mapping[str, Any]) -> Body:
    """A webhook; its secret is never shown."""
    resource, _, event = given["topic"].partition(".")
    name = given.get("name") or f"Webhook created on {now:%b %d, %Y @ %I:%M %p}"
    return {
        "id": number,
        "name": name,
        "status": given.get("status", "active"),
        "topic": given["topic"],
        "resource": resource,
        "event": event,
        "hooks": list(_HOOKS.get(given["topic"], (event,))),
        "delivery_url": given["delivery_url"],
        **both("date_created", now, site),
        **both("date_modified", now, site),
        "_links": links(site, f"webhooks/{number}"),
    }


TOPICS = (
    *(f"order.{event}" for event in ("created", "updated", "deleted", "restored")),
    *(f"customer.{event}" for event in ("created", "updated", "deleted")),
    *(f"product.{event}" for event in ("created", "updated", "deleted", "restored", "published")),
    *(f"coupon.{event}" for event in ("created", "updated", "deleted", "restored")),
)
"""Every topic a webhook can have, besides ``action.*``."""

_HOOKS = {
    "order.created": ("woocommerce_new_order",),
    "order.updated": ("woocommerce_update_order", "woocommerce_order_refunded"),
    "order.deleted": ("wp_trash_post", "woocommerce_trash_order"),
    "order.restored": ("untrashed_post", "woocommerce_untrash_order"),
    "customer.created": (
        "user_register",
        "woocommerce_created_customer",
        "woocommerce_new_customer",
    ),
    "customer.updated": ("profile_update", "woocommerce_update_customer"),
    "customer.deleted": ("delete_user",),
    "product.created": (
        "woocommerce_process_product_meta",
        "woocommerce_new_product",
        "woocommerce_new_product_variation",
    ),
    "product.updated": (
        "woocommerce_process_product_meta",
        "woocommerce_update_product",
        "woocommerce_update_product_variation",
    ),
    "product.deleted": ("wp_trash_post",),
    "product.restored": ("untrashed_post",),
    "product.published": ("woocommerce_product_published",),
    "coupon.created": ("woocommerce_process_shop_coupon_meta", "woocommerce_new_coupon"),
    "coupon.updated": ("woocommerce_process_shop_coupon_meta", "woocommerce_update_coupon"),
    "coupon.deleted": ("wp_trash_post",),
    "coupon.restored": ("untrashed_post",),
}


def _address(given: Mapping[str, Any] | None, *rest: str) -> Body:
    known = given or {}
    return {field: str(known.get(field) or "") for field in (*_ADDRESS, *rest)}
