"""Examines a shop without changing it: is the token good, what may it see, does it call us."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from adapters.shopify import compliance
from adapters.shopify.asking import Ask
from adapters.shopify.client import ShopifyClient
from adapters.shopify.parse import Place
from adapters.shopify.reading import members
from adapters.shopify.subscriptions import (
    ACTIVE,
    DISCOUNTS,
    DISCOUNTS_SCOPE,
    every,
    granted,
    wanted,
    wrongs,
)
from connector import clocks
from connector.errors import LaneDown, TryLater
from connector.ports import OPERATOR, OWNER, Finding, Grade, Letterbox, Subscription

NEEDED = ("read_customers", "read_orders", "read_products", "read_inventory")
"""The scopes without which there is nothing to read."""
WISHED: Mapping[str, str] = {
    "read_all_orders": "orders older than 60 days cannot be asked for",
    "read_customer_merge": "it is not told when two accounts become one",
    "write_customers": "who withdrew elsewhere stays subscribed in the shop's own eyes",
}
"""Scopes that work can do without, and what is lacking then."""
_REGISTER = "connector webhooks register"


def examine_shop(client: ShopifyClient, place: Place, *, now: datetime) -> Iterator[Finding]:
    """Is the token taken, is it this shop's, its scopes, the API's version, the clock."""
    try:
        told = client.ask("check_up", {}).data
    except (TryLater, LaneDown) as problem:
        yield Finding.of("Shopify does not answer as it should", problem)
        return
    yield Finding(what="Shopify takes the token", grade=Grade.FINE)
    yield from clocks.compare(client.told_at, now, whose="the shop's")
    yield from _right_shop(told, place)
    yield from _scopes(told)
    yield _version(told, place.api_version)


def examine_webhooks(ask: Ask, letterbox: Letterbox) -> Iterator[Finding]:
    """Is there one right webhook for each topic, and will Shopify call its address."""
    yield from _reach(letterbox.root)
    try:
        ours = [hook for hook in every(ask) if letterbox.is_ours(hook.address)]
        topics = wanted(ask)
    except (TryLater, LaneDown) as problem:
        yield Finding.of("the webhooks cannot be listed", problem)
        return
    hooks = [hook for hook in ours if hook.topic in topics]
    findings = [
        *_missing(hooks, topics),
        *_elsewhere(hooks, letterbox),
        *_partial(hooks),
        *_twice(hooks),
    ]
    yield from findings or [Finding(what=f"{len(hooks)} webhooks, all right", grade=Grade.FINE)]
    if not {*DISCOUNTS} <= {*topics}:
        yield Finding(
            what=f"without {DISCOUNTS_SCOPE}, there are no webhooks for {', '.join(DISCOUNTS)}",
            cause="Shopify tells of promotions, and shows them, only to an app with this scope.",
            mend=f"If destinations are to be told of promotions: add {DISCOUNTS_SCOPE} to the "
            f"app's scopes, let the shop's owner install it again, then `{_REGISTER}`.",
            who=OWNER,
            grade=Grade.NOTE,
        )
    yield Finding(
        what=f"whether {', '.join(sorted(compliance.TOPICS))} come here cannot be seen",
        cause="They are named in the app's own settings only, which the API does not show.",
        mend=f"See in the app's settings that its compliance webhooks go to {letterbox.root}.",
        who=OPERATOR,
        grade=Grade.NOTE,
    )


def _right_shop(told: Mapping[str, Any], place: Place) -> Iterator[Finding]:
    shop = told.get("shop")
    domain = shop.get("myshopifyDomain") if isinstance(shop, dict) else None
    if isinstance(domain, str) and domain.lower() != place.domain:
        yield Finding(
            what="the token opens another shop than the one configured",
            mend="Give the token and the domain of one shop.",
            who=OPERATOR,
            grade=Grade.ALARM,
        )


def _scopes(told: Mapping[str, Any]) -> Iterator[Finding]:
    scopes = granted(told.get("currentAppInstallation"))
    missing = [scope for scope in NEEDED if scope not in scopes]
    if missing:
        yield Finding(
            what=f"the app was not given {', '.join(missing)}",
            cause="What these open is not told, and cannot be asked for.",
            mend="Add them to the app's scopes, and let the shop's owner install it again.",
            who=OWNER,
            grade=Grade.ALARM,
        )
    else:
        yield Finding(what="orders, customers and products can be read", grade=Grade.FINE)
    for scope, without in WISHED.items():
        if scope not in scopes:
            yield Finding(
                what=f"without {scope}, {without}",
                mend=f"Add {scope} to the app's scopes if that matters.",
                who=OWNER,
                grade=Grade.NOTE,
            )


def _version(told: Mapping[str, Any], version: str) -> Finding:
    """https://shopify.dev/docs/api/usage/versioning: each is served for a year at least."""
    served = {
        str(entry.get("handle"))
        for entry in members(told.get("publicApiVersions"))
        if entry.get("supported") is True
    }
    if version in served:
        return Finding(what=f"Shopify serves version {version} of its API", grade=Grade.FINE)
    return Finding(
        what=f"Shopify does not serve version {version} of its API as a supported one",
        cause="What it answers with instead may have other fields, and change without a word.",
        mend="Set api_version to one that the connector was written for (see docs/shopify.md), or "
        "bring the connector up to date.",
        who=OPERATOR,
    )


def _reach(root: str) -> Iterator[Finding]:
    address = urlsplit(root)
    host = address.hostname or ""
    if address.scheme != "https":
        yield Finding(
            what="Shopify calls only https addresses, and public_url is none",
            mend="Put a proxy with a certificate before the connector, and its address in "
            "public_url.",
            who=OPERATOR,
            grade=Grade.NOTE if _is_near(host) else Grade.ALARM,
        )


def _missing(hooks: Sequence[Subscription], topics: Sequence[str]) -> Iterator[Finding]:
    there = {hook.topic for hook in hooks}
    missing = [topic for topic in topics if topic not in there]
    if missing:
        yield Finding(
            what=f"no webhook made by the API for {', '.join(missing)}",
            cause="The shop does not tell of these, unless the app's own settings name them. "
            "Shopify deletes a webhook of the API that failed eight times in a row.",
            mend=f"Run `{_REGISTER}`, or name them in the app's settings.",
            who=OPERATOR,
        )


def _elsewhere(hooks: Sequence[Subscription], letterbox: Letterbox) -> Iterator[Finding]:
    plain = sorted(hook.topic for hook in hooks if hook.address == letterbox.root)
    if plain:
        yield Finding(
            what=f"the address names no topic for {', '.join(plain)}",
            cause="It works, but no signature covers the topic.",
            mend=f"Run `{_REGISTER}`: it gives each topic its own address.",
            who=OPERATOR,
            grade=Grade.NOTE,
        )
    other = sorted(
        hook.topic
        for hook in hooks
        if hook.address != letterbox.root and "address" in wrongs(hook, letterbox)
    )
    if other:
        yield _wrong(
            f"the address names another topic for {', '.join(other)}",
            "All of it is refused.",
            Grade.ALARM,
        )


def _partial(hooks: Sequence[Subscription]) -> Iterator[Finding]:
    partial = sorted(hook.topic for hook in hooks if hook.status != ACTIVE)
    if partial:
        yield _wrong(
            f"the webhook leaves parts out, or is not JSON, for {', '.join(partial)}",
            "What comes without its parts must be asked for, which is slower; what is not JSON "
            "cannot be read.",
            Grade.WARNING,
        )


def _twice(hooks: Sequence[Subscription]) -> Iterator[Finding]:
    topics = [hook.topic for hook in hooks]
    double = sorted({topic for topic in topics if topics.count(topic) > 1})
    if double:
        yield _wrong(
            f"several webhooks of ours for {', '.join(double)}",
            "Each change is told several times. It harms nothing and costs time.",
            Grade.WARNING,
        )


def _wrong(what: str, cause: str, grade: Grade) -> Finding:
    return Finding(what=what, cause=cause, mend=f"Run `{_REGISTER}`.", who=OPERATOR, grade=grade)


def _is_near(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
