"""Where shops and destinations deliver, and which webhooks are known to carry the right secret."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial

from connector import outside, places
from connector.errors import ConfigurationFault
from connector.flow import posts as watched
from connector.flow.posts import HoldsBack, Post
from connector.ports import DestinationAdapter, Letterbox, ShopAdapter, Subscription, Watchable
from connector.settings import Settings
from connector.store import lanes
from connector.store.connect import Store
from webhooks.signatures import topic_secret


def back_letterbox(settings: Settings, destination: str) -> Letterbox:
    """The letterbox of a destination that tells what people say there: a token guards it.

    Raises `ConfigurationFault` without a public address or a token.
    """
    token = settings.destinations[destination].webhook_token
    if token is None:
        variable = places.variable("destinations", destination, "webhook_token")
        raise ConfigurationFault(
            f"destination {destination}: {variable} is not set: the secret in the address that its "
            "platform calls (openssl rand -hex 32)"
        )
    root = f"{_public(settings)}/webhooks/{destination}/{token.get_secret_value()}"
    return Letterbox(root=root, secret=lambda _: "")


def letterbox(settings: Settings, shop: ShopAdapter, store: Store | None) -> Letterbox:
    """The letterbox of a shop. Raises `ConfigurationFault` without a public address."""
    public = _public(settings)
    plain = settings.shops[shop.name].seals[0].get_secret_value()

    def secret(topic: str) -> str:
        return topic_secret(plain, topic) if shop.door.secret_a_topic else plain

    kept = _kept(store, shop.name) if store else {}
    return Letterbox(
        root=f"{public}/webhooks/{shop.name}",
        secret=secret,
        trusted=frozenset(
            number
            for number, known in kept.items()
            if hmac.compare_digest(_mark(secret(known["topic"]), number), known["mark"])
        ),
    )


def remember(
    store: Store,
    shop: str,
    box: Letterbox,
    hooks: Sequence[Subscription],
    *,
    now: datetime,
) -> None:
    """Keep which webhooks carry the secret that was just set: a digest of it, never itself.

    What was known of webhooks that the box ``left`` alone stands.
    """
    before = _kept(store, shop)
    known = {number: each for number, each in before.items() if each["topic"] in box.left} | {
        hook.id: {"topic": hook.topic, "mark": _mark(box.secret(hook.topic), hook.id)}
        for hook in hooks
        if not hook.done.startswith("removed")
    }
    with store.write() as conn:
        lanes.put(conn, f"webhooks:{shop}", known, now=now)


def posts(
    settings: Settings,
    shops: Iterable[ShopAdapter],
    destinations: Iterable[DestinationAdapter] = (),
) -> Iterator[Post]:
    """What of these is watched: every shop, and destinations with a token and such webhooks."""
    public = settings.public_url
    for shop in shops:
        watch = settings.shops[shop.name].watch
        yield Post(
            name=shop.name,
            is_shop=True,
            entrance=partial(outside.look, f"{public}/webhooks/{shop.name}"),
            remember=partial(_remember, shop.name),
            guest=shop if isinstance(shop, Watchable) else None,
            letterbox=partial(letterbox, settings, shop) if public else None,
            holds_back=_holds_back(
                settings, watched.tell_only(shop.name) if watch == "tell" else None
            ),
        )
    for destination in destinations:
        name = destination.name
        if isinstance(destination, Watchable) and settings.destinations[name].webhook_token:
            yield Post(
                name=name,
                is_shop=False,
                # Its own address ends in its token, and answers a GET otherwise.
                entrance=partial(outside.look, f"{public}/webhooks/{next(iter(settings.shops))}"),
                remember=partial(_remember, name),
                guest=destination,
                letterbox=partial(_back_letterbox, settings, name) if public else None,
                holds_back=_holds_back(settings, None),
            )


def _holds_back(settings: Settings, otherwise: HoldsBack | None) -> HoldsBack | None:
    return watched.TEST if settings.mode == "test" else otherwise


def _back_letterbox(settings: Settings, name: str, _store: Store) -> Letterbox:
    return back_letterbox(settings, name)


def _remember(
    name: str, store: Store, box: Letterbox, hooks: Sequence[Subscription], now: datetime
) -> None:
    remember(store, name, box, hooks, now=now)


def _public(settings: Settings) -> str:
    if settings.public_url is None:
        raise ConfigurationFault(
            "public_url is not set: the address under which the shops reach this connector, such "
            "as https://hooks.example.org"
        )
    return settings.public_url


def _kept(store: Store, shop: str) -> dict[str, dict[str, str]]:
    with store.read() as conn:
        return lanes.get(conn, f"webhooks:{shop}") or {}


def _mark(secret: str, number: str) -> str:
    return hmac.new(secret.encode(), f"webhook {number}".encode(), "sha256").hexdigest()[:32]
