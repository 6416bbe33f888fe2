"""The webhooks of our app in a shop: one for each topic, at an address that names the topic.

https://shopify.dev/docs/api/admin-graphql/2026-10/objects/WebhookSubscription. The app's secret
signs them all. Those in the app's own settings are not shown by the API, nor can it change them.
Each step may be repeated: a second one like it is refused, and what is there is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from adapters.shopify.asking import Ask
from adapters.shopify.reading import members
from connector.errors import LaneDown, TryLater
from connector.ports import Flaw, FlawKind, Letterbox, Subscription

TOPICS = (
    *("orders/create", "orders/updated", "orders/paid", "orders/cancelled", "orders/edited"),
    *("orders/delete", "refunds/create"),
    *("customers/create", "customers/update", "customers/enable", "customers/disable"),
    *("customers/delete", "customers/merge", "customer.tags_added", "customer.tags_removed"),
    *("customers_email_marketing_consent/update", "customers_marketing_consent/update"),
    *("products/create", "products/update", "products/delete"),
    *("checkouts/create", "checkouts/update", "checkouts/delete"),
    *("inventory_levels/update", "inventory_items/update", "app/uninstalled"),
)
"""The topics that are asked for: https://shopify.dev/docs/api/webhooks/2026-10."""
DISCOUNTS = ("discounts/create", "discounts/update", "discounts/delete")
DISCOUNTS_SCOPE = "read_discounts"
"""Topics that are asked for where the app was given this scope; Shopify refuses them without.

https://shopify.dev/docs/api/admin-graphql/2026-10/enums/WebhookSubscriptionTopic
"""
ACTIVE = "active"
_NOT_JSON = "not as JSON"
_PARTS = "parts left out"
_MOST_PAGES = 100
_SHOWN = 200


def enum_of(topic: str) -> str:
    """GraphQL's word for a topic: ``ORDERS_CREATE``."""
    return topic.replace("/", "_").replace(".", "_").upper()


_TOPIC_OF: Mapping[str, str] = {enum_of(topic): topic for topic in (*TOPICS, *DISCOUNTS)}


def granted(app: object) -> frozenset[str]:
    """The scopes in a ``currentAppInstallation``; to write is to read."""
    entries = members(app.get("accessScopes")) if isinstance(app, dict) else ()
    told = {str(entry.get("handle")) for entry in entries}
    return frozenset(told | {scope.replace("write_", "read_", 1) for scope in told})


def wanted(ask: Ask) -> tuple[str, ...]:
    """The topics to be told of by this shop. Raises `TryLater` or `LaneDown`."""
    scopes = granted(ask("scopes", {}).data.get("currentAppInstallation"))
    return (*TOPICS, *DISCOUNTS) if DISCOUNTS_SCOPE in scopes else TOPICS


def every(ask: Ask) -> list[Subscription]:
    """Every webhook that our app made by the API. Raises `TryLater` or `LaneDown`."""
    found: list[Subscription] = []
    after: str | None = None
    for _ in range(_MOST_PAGES):
        page = ask("webhooks", {"after": after}).data.get("webhookSubscriptions")
        told = page if isinstance(page, dict) else {}
        found += [_read(body) for body in members(told.get("nodes"))]
        match told.get("pageInfo"):
            case {"hasNextPage": True, "endCursor": str(cursor)}:
                after = cursor
            case {"hasNextPage": False}:
                return found
            case _:
                raise TryLater("the shop shows its webhooks without saying whether that is all")
    raise TryLater("the list of the shop's webhooks has no end")


def register(ask: Ask, letterbox: Letterbox) -> Iterator[Subscription]:
    """See `connector.ports.Subscribing.register_webhooks`; each step is done when it is given.

    A topic that Shopify refuses does not keep the others from being made: `LaneDown` comes last.
    """
    ours = [hook for hook in every(ask) if letterbox.is_ours(hook.address)]
    refused: dict[str, str] = {}
    for topic in wanted(ask):
        if topic in letterbox.left:
            continue
        there = sorted(
            (hook for hook in ours if hook.topic == topic),
            key=lambda hook: (len(wrongs(hook, letterbox)), len(hook.id), hook.id),
        )
        try:
            yield _mend(ask, letterbox, there[0]) if there else _make(ask, letterbox, topic)
        except RefusedError as problem:
            refused[topic] = str(problem)
        for spare in there[1:]:
            _remove(ask, spare)
            yield replace(spare, done="removed: a second one for the topic")
    if refused:
        raise LaneDown(
            f"Shopify makes no webhook for {', '.join(refused)}: {next(iter(refused.values()))}",
            mend="Whoever runs the connector: see with `connector doctor` that the app was given "
            "all scopes and that public_url is an https address; then register again. All other "
            "webhooks were set up.",
        )


def flaws(ask: Ask, letterbox: Letterbox, written_for: str) -> Iterator[Flaw]:
    """What `register` would mend, and webhooks that come in another version of the API.

    The version is the app's: https://shopify.dev/docs/api/usage/versioning.
    """
    ours = [hook for hook in every(ask) if letterbox.is_ours(hook.address)]
    for topic in wanted(ask):
        there = [hook for hook in ours if hook.topic == topic]
        if not there:
            yield Flaw(topic=topic, kind=FlawKind.MISSING, what="there is no webhook")
        if len(there) > 1:
            yield Flaw(topic=topic, kind=FlawKind.TWICE, what=f"there are {len(there)} webhooks")
        for hook in there:
            if hook.address != letterbox.address(topic):
                what = "the address is not the topic's own"
                yield Flaw(topic=topic, kind=FlawKind.ADDRESS, what=what)
            if hook.status != ACTIVE:
                yield Flaw(topic=topic, kind=FlawKind.INCOMPLETE, what=f"it comes {hook.status}")
            if hook.version and hook.version != written_for:
                what = f"it comes in version {hook.version} of the API, {written_for} is expected"
                yield Flaw(topic=topic, kind=FlawKind.VERSION, what=what)


class RefusedError(Exception):
    """Shopify took the request and does not do it, and said why."""


def wrongs(hook: Subscription, letterbox: Letterbox) -> list[str]:
    """What is not right with a webhook of ours, in a word or two each."""
    faults = [] if hook.address == letterbox.address(hook.topic) else ["address"]
    return faults if hook.status == ACTIVE else [*faults, hook.status]


def _make(ask: Ask, letterbox: Letterbox, topic: str) -> Subscription:
    address = letterbox.address(topic)
    try:
        body = _changed(ask, "create", {"topic": enum_of(topic), "uri": address})
    except RefusedError:  # made by another, or by a first try whose answer was lost?
        there = [hook for hook in every(ask) if (hook.topic, hook.address) == (topic, address)]
        if not there:
            raise
        return replace(there[0], done="created")
    return replace(_read(body), done="created")


def _mend(ask: Ask, letterbox: Letterbox, hook: Subscription) -> Subscription:
    faults = wrongs(hook, letterbox)
    if not faults:
        return replace(hook, done="left as it is")
    body = _changed(ask, "update", {"id": _gid(hook), "uri": letterbox.address(hook.topic)})
    return replace(_read(body), done=f"mended: {', '.join(faults)}")


def _remove(ask: Ask, hook: Subscription) -> None:
    payload = _payload(ask, "delete", {"id": _gid(hook)})
    if _complaint(payload) and hook.id in {each.id for each in every(ask)}:
        raise TryLater(f"Shopify did not remove the second webhook for {hook.topic}")


def _changed(ask: Ask, change: str, variables: Mapping[str, str]) -> Mapping[str, Any]:
    payload = _payload(ask, change, variables)
    complaint = _complaint(payload)
    if complaint:
        raise RefusedError(complaint)
    body = payload.get("webhookSubscription")
    return body if isinstance(body, dict) else {}


def _payload(ask: Ask, change: str, variables: Mapping[str, str]) -> Mapping[str, Any]:
    told = ask(f"webhook_{change}", variables).data.get(f"webhookSubscription{change.title()}")
    if not isinstance(told, dict):
        raise TryLater("the shop does not say what became of a webhook")
    return told


def _complaint(payload: Mapping[str, Any]) -> str:
    return "; ".join(str(each.get("message")) for each in members(payload.get("userErrors")))[
        :_SHOWN
    ]


def _gid(hook: Subscription) -> str:
    return f"gid://shopify/WebhookSubscription/{hook.id}"


def _read(body: Mapping[str, Any]) -> Subscription:
    match body:
        case {"id": str(gid), "topic": str(topic), "uri": str(address)}:
            return Subscription(
                id=gid.rpartition("/")[2],
                topic=_TOPIC_OF.get(topic, topic.lower()),
                status=_status(body),
                address=address,
                version=_version(body),
            )
        case _:
            raise TryLater("the shop shows a webhook without id, topic or address")


def _version(body: Mapping[str, Any]) -> str:
    told = body.get("apiVersion")
    return str(told.get("handle") or "") if isinstance(told, dict) else ""


def _status(body: Mapping[str, Any]) -> str:
    """Shopify switches none off: it deletes those that failed. But one may bring too little."""
    if body.get("format") != "JSON":
        return _NOT_JSON
    return _PARTS if body.get("includeFields") else ACTIVE
