"""Looks at the receiver from outside: at the address it listens on, and at the public one."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from connector import outside
from connector.ports import OPERATOR, Finding, Grade
from connector.setting_values import is_loopback
from connector.settings import Settings
from connector.wiring import Configured

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where it may listen


def examine(configured: Configured) -> Iterator[Finding]:
    """Does the receiver answer here, and does the public address lead to it."""
    settings = configured.settings
    yield _at_home(settings)
    if settings.public_url is None:
        far = any(not is_loopback(shop.address) for shop in settings.shops.values())
        yield Finding(
            where="receiver",
            what="public_url is not set",
            cause="Webhooks can be neither registered nor checked without the public address.",
            mend="Set public_url to the https address under which the shops reach this machine.",
            who=OPERATOR,
            grade=Grade.WARNING if far else Grade.NOTE,
        )
        return
    if not settings.public_url.startswith("https://") and not is_loopback(settings.public_url):
        yield Finding(
            where="receiver",
            what=f"public_url {settings.public_url} is not https",
            cause="Everybody on the way could read what the shops send.",
            mend="Put a proxy with a certificate before the connector (docs/operations.md).",
            who=OPERATOR,
            grade=Grade.ALARM,
        )
        return
    for name in settings.shops:
        yield outside.look(f"{settings.public_url}/webhooks/{name}")


def _at_home(settings: Settings) -> Finding:
    host = _EVERYWHERE.get(settings.listen.host, settings.listen.host)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{settings.listen.port}"
    try:
        answer = outside.get(f"{address}/health/live", near=True)
    except httpx.HTTPError as error:
        return Finding(
            where="receiver",
            what=f"nobody answers at {address}",
            cause=outside.kind_of(error),
            mend="Start `connector run`, or `connector serve`.",
            who=OPERATOR,
            grade=Grade.ALARM,
        )
    if answer.status_code == httpx.codes.OK and answer.text.strip() == '{"ok":true}':
        return Finding(where="receiver", what=f"answers at {address}", grade=Grade.FINE)
    return Finding(
        where="receiver",
        what=f"another program answers at {address}",
        mend="Stop it, or choose another address with `listen`.",
        who=OPERATOR,
        grade=Grade.ALARM,
    )
