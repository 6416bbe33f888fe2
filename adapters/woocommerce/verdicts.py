"""What a shop's answer means: it has the thing, it has not, ask again, or a person must act."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias

import httpx

from adapters import trust
from adapters.line import HiccupError, host_of, retry_after
from adapters.woocommerce.bodies import error_in, is_missing
from connector.errors import LaneDown, TryLater

_MEND_KEYS = (
    "The shop's owner: check the consumer key and secret, and that the key belongs to an "
    "administrator. If they are right: WooCommerce takes them only when PHP sees https, so the "
    "address must be https, and a proxy that ends TLS must pass X-Forwarded-Proto on and WordPress "
    "heed it."
)
_MEND_WALL = (
    "The shop's owner: a firewall, a password or a security plugin before WordPress turned us "
    "away; let this machine's address reach /wp-json/."
)
_MEND_WRITE = (
    "The shop's owner: give the key the permission 'Read/Write' (WooCommerce > Settings > Advanced "
    "> REST API), belonging to an administrator."
)
_MEND_WORDS = "Whoever runs the connector: WooCommerce does not take this; look at public_url."
_NO = frozenset({400, 401, 403, 404, 409, 410})
_MEND_ROUTE = (
    "The shop's owner: check that WooCommerce is active and that WordPress > Settings > Permalinks "
    "is not 'Plain'."
)


@dataclass(frozen=True, slots=True)
class Found:
    """The shop has it, and this is what it said."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Missing:
    """WooCommerce itself said that there is no such thing."""


Answer: TypeAlias = Found | Missing


class RefusedError(Exception):
    """WooCommerce refuses to write this, with its own code for why."""

    def __init__(self, what: str, code: str) -> None:
        self.code = code
        super().__init__(f"{what} {code}")

    def as_down(self) -> LaneDown:
        """The same for who cannot go on without it, with who mends it."""
        denied = "_cannot_" in self.code or "authentication" in self.code
        return LaneDown(str(self), mend=_MEND_WRITE if denied else _MEND_WORDS)


class NoRouteError(LaneDown):
    """The shop has no such address: WooCommerce is off, or too old for it."""


def judge(response: httpx.Response, body: bytes, what: str, *, reading: bool) -> Answer:
    """What an answer means for us. Raises where it is none."""
    status = response.status_code
    if status == HTTPStatus.OK or (status == HTTPStatus.CREATED and not reading):
        if body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] not in {b"{", b"["}:
            raise HiccupError("a web page instead of JSON")
        return Found(body)
    named = f"{what}: the shop answered {status}"
    code, told = error_in(body)
    if reading and status == HTTPStatus.NOT_FOUND and is_missing(code, told):
        return Missing()
    if code == "rest_no_route":
        raise NoRouteError(f"{named}, it has no such route", mend=_MEND_ROUTE)
    if code and not reading and status in _NO:
        raise RefusedError(named, code)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise LaneDown(f"{named} {code or ''}".rstrip(), mend=_MEND_KEYS if code else _MEND_WALL)
    if response.is_redirect:
        raise LaneDown(
            f"{named}, a redirect to {host_of(response)}",
            mend="Whoever runs the connector: put the shop's final address in connector.yaml.",
        )
    wait = retry_after(response.headers)
    passing = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT
    if passing and wait is None:
        raise HiccupError(f"the shop answered {status}")
    raise TryLater(named, retry_after=wait)


def kind_of(error: httpx.HTTPError) -> str:
    """What went wrong on the way, in words that hold no address."""
    return trust.silence(error)
