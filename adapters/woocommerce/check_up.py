"""Examines a shop without changing it: is it there, may we read and write, does it call us.

What WordPress calls at all: ``wp_http_validate_url``,
https://developer.wordpress.org/reference/functions/wp_http_validate_url/.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

from adapters.woocommerce.client import WooCommerceClient
from adapters.woocommerce.subscriptions import TOPICS, every, wrongs
from connector import clocks
from connector.errors import LaneDown, TryLater
from connector.ports import OPERATOR, OWNER, Finding, Grade, Letterbox, Subscription

SAFE_PORTS = (80, 443, 8080)
"""The ports that a stock WordPress calls."""
_REGISTER = "connector webhooks register"

Resolve = Callable[[str], Sequence[str]]
"""The IPv4 addresses of a host; WordPress looks for no others. Raises `OSError`."""


def resolve(host: str) -> Sequence[str]:
    """Ask the resolver of this machine."""
    found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    return sorted({str(entry[4][0]) for entry in found})


def examine_shop(client: WooCommerceClient, *, now: datetime) -> Iterator[Finding]:
    """Is WordPress there, is the key taken, what may it do, does its clock agree."""
    try:
        client.clock()
        yield Finding(what="WordPress answers", grade=Grade.FINE)
    except (TryLater, LaneDown) as problem:
        yield Finding.of("WordPress does not answer as it should", problem)
        return
    yield from clocks.compare(client.told_at, now, whose="the shop's")
    try:
        client.currency()
        yield Finding(what="WooCommerce takes the key", grade=Grade.FINE)
    except (TryLater, LaneDown) as problem:
        yield Finding.of("WooCommerce does not take the key", problem)
        return
    yield _readable(client)
    yield _coupons(client)
    yield _writable(client)


def examine_webhooks(
    client: WooCommerceClient, letterbox: Letterbox, shop: str, *, resolver: Resolve = resolve
) -> Iterator[Finding]:
    """Is there one right webhook for each topic, and will WordPress call its address."""
    yield from reach(letterbox.root, shop, resolver)
    try:
        ours = [hook for hook in every(client) if letterbox.is_ours(hook.address)]
    except (TryLater, LaneDown) as problem:
        yield Finding.of("the webhooks cannot be listed", problem)
        return
    wanted = [hook for hook in ours if hook.topic in TOPICS]
    findings = [
        *_missing(wanted),
        *_silent(wanted),
        *_elsewhere(wanted, letterbox),
        *_unproven(wanted, letterbox),
        *_twice(wanted),
    ]
    yield from findings or [Finding(what=f"{len(wanted)} webhooks, all right", grade=Grade.FINE)]


def reach(address: str, shop: str, resolver: Resolve) -> Iterator[Finding]:
    """What keeps a stock WordPress at ``shop`` from calling ``address``."""
    here, there = urlsplit(address), urlsplit(shop)
    host = here.hostname or ""
    same_host = host == there.hostname
    both_near = _is_near(host) and _is_near(there.hostname or "")
    grade = Grade.NOTE if both_near else Grade.ALARM
    if _port(here) not in SAFE_PORTS and not (same_host and _port(here) == _port(there)):
        yield Finding(
            what=f"WordPress does not call port {_port(here)}",
            cause="It calls only the ports 80, 443 and 8080; each delivery fails unseen.",
            mend="Put a proxy with port 443 before the connector, and its address in public_url.",
            who=OPERATOR,
            grade=grade,
        )
    if same_host:
        return
    try:
        found = resolver(host)
    except OSError:
        found = ()
    if not found:
        yield Finding(
            what=f"the name {host} of public_url leads to no IPv4 address",
            cause="WordPress resolves a name to IPv4 before it calls.",
            mend="Give the name an A record, or correct public_url.",
            who=OPERATOR,
            grade=grade,
        )
    elif not all(ipaddress.ip_address(each).is_global for each in found):
        yield Finding(
            what=f"{host} leads to {', '.join(found)}, which is no public address",
            cause="WordPress does not call addresses of private networks.",
            mend="Put a public address into public_url. (If the name leads elsewhere from the "
            "shop, this is fine.)",
            who=OPERATOR,
            grade=Grade.NOTE if both_near else Grade.WARNING,
        )


def _readable(client: WooCommerceClient) -> Finding:
    for things in ("orders", "customers", "products"):
        try:
            readable = client.may_read(things)
        except (TryLater, LaneDown) as problem:
            return Finding.of(f"the key may not read {things}", problem)
        if not readable:
            return Finding(
                what=f"{things} are not shown",
                mend="Give the key to an administrator, with the permission 'Read' at least.",
                who=OWNER,
                grade=Grade.ALARM,
            )
    return Finding(what="orders, customers and products can be read", grade=Grade.FINE)


def _coupons(client: WooCommerceClient) -> Finding:
    try:
        if client.may_read("coupons"):
            return Finding(what="coupons can be read", grade=Grade.FINE)
    except (TryLater, LaneDown):
        pass
    return Finding(
        what="coupons are not shown: they are known only as far as webhooks tell of them",
        mend="Give the key to a shop manager or an administrator, if stores are told of coupons.",
        who=OWNER,
        grade=Grade.NOTE,
    )


def _writable(client: WooCommerceClient) -> Finding:
    try:
        writes = client.may_write()
    except (TryLater, LaneDown) as problem:
        return Finding.of("it cannot be told whether the key may write", problem)
    if writes:
        return Finding(what=f"the key may write: `{_REGISTER}` can be used", grade=Grade.FINE)
    return Finding(
        what=f"the key may only read: enough for everything but `{_REGISTER}`",
        mend="If you want webhooks to be set up for you, give the key 'Read/Write'.",
        who=OWNER,
        grade=Grade.NOTE,
    )


def _missing(hooks: Sequence[Subscription]) -> Iterator[Finding]:
    there = {hook.topic for hook in hooks}
    missing = [topic for topic in TOPICS if topic not in there]
    if missing:
        yield _wrong(
            f"no webhook for {', '.join(missing)}",
            "The shop does not tell of these.",
        )


def _silent(hooks: Sequence[Subscription]) -> Iterator[Finding]:
    off = sorted(hook.topic for hook in hooks if hook.status != "active")
    if off:
        yield _wrong(
            f"the webhook is switched off for {', '.join(off)}",
            "WooCommerce switches a webhook off after the seventh failure in a row; what happened "
            "since was not told, and is not told again.",
        )


def _elsewhere(hooks: Sequence[Subscription], letterbox: Letterbox) -> Iterator[Finding]:
    plain = sorted(hook.topic for hook in hooks if hook.address == letterbox.root)
    if plain:
        yield Finding(
            what=f"the address names no topic for {', '.join(plain)}",
            cause="It works, but no signature covers the topic: a captured body could be sent "
            "again as another one.",
            mend=f"Run `{_REGISTER}`: it gives each topic its own address and secret.",
            who=OPERATOR,
            grade=Grade.NOTE,
        )
    other = sorted(
        hook.topic
        for hook in hooks
        if hook.address not in (letterbox.root, letterbox.address(hook.topic))
    )
    if other:
        yield _wrong(
            f"the address names another topic for {', '.join(other)}", "All of it is refused."
        )


def _unproven(hooks: Sequence[Subscription], letterbox: Letterbox) -> Iterator[Finding]:
    unknown = sorted(
        hook.topic
        for hook in hooks
        if hook.address == letterbox.address(hook.topic) and "secret" in wrongs(hook, letterbox)
    )
    if unknown:
        yield _wrong(
            f"nobody here set the secret of the webhook for {', '.join(unknown)}",
            "Unless it is the one that belongs to the topic, every delivery is refused.",
            grade=Grade.WARNING,
        )


def _twice(hooks: Sequence[Subscription]) -> Iterator[Finding]:
    topics = [hook.topic for hook in hooks]
    double = sorted({topic for topic in topics if topics.count(topic) > 1})
    if double:
        yield _wrong(
            f"several webhooks of ours for {', '.join(double)}",
            "Each change is told several times. It harms nothing and costs the shop time.",
            grade=Grade.WARNING,
        )


def _wrong(what: str, cause: str, *, grade: Grade = Grade.ALARM) -> Finding:
    return Finding(what=what, cause=cause, mend=f"Run `{_REGISTER}`.", who=OPERATOR, grade=grade)


def _port(address: SplitResult) -> int:
    return address.port or (443 if address.scheme == "https" else 80)


def _is_near(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
