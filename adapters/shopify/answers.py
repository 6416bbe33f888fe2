"""What an answer of the Admin API means for us: whom to believe, when to come back, whom to call.

https://shopify.dev/docs/api/usage/response-codes, https://shopify.dev/docs/api/admin-graphql
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from adapters.line import HiccupError
from adapters.shopify.reading import members
from adapters.shopify.tokens import Granted, Refused
from connector.errors import LaneDown, TryLater
from connector.strict_json import Unsound, examine

_LOCKED, _SUSPICIOUS = 423, 430
_SCOPE = re.compile(r"`?\b((?:read|write)_[a-z_]{2,60})\b`?")
_CODE = re.compile(r"[A-Za-z0-9_]{1,60}")
_SHOWN_REFUSAL = re.compile(rb"Oauth error ([a-z_]{1,60})")
_TOKEN = re.compile(r"[!-~]{1,2048}")
_PROTECTED = "not approved to access"

MEND_REFUSED = (
    "The shop's owner: the token is not taken; see that the app is installed in this shop. Whoever "
    "runs the connector: see that access_token, or client_id and client_secret, are this app's."
)
_MEND_ADDRESS = (
    "Whoever runs the connector: see that domain is the shop's own ….myshopify.com address and "
    "that api_version is one that Shopify still serves."
)
_MEND_WALL = (
    "The shop's owner: something before Shopify's API turned us away; a proxy or firewall on the "
    "way must let this machine reach /admin/api/."
)
_MEND_APPROVAL = (
    "The app's owner: in the Dev Dashboard, request access to protected customer data (name, "
    "e-mail, phone, address) for this app."
)
_MEND_VERSION = (
    'Whoever runs the connector: set api_version to "2026-10", for which its queries are written.'
)
_STATUS_MENDS = {
    HTTPStatus.PAYMENT_REQUIRED: "The shop's owner: the shop is frozen until its bill is paid.",
    HTTPStatus.FORBIDDEN: "The shop's owner: see which scopes the app was given, and that the "
    "shop is not closed.",
    HTTPStatus.NOT_FOUND: _MEND_ADDRESS,
    _LOCKED: "The shop's owner: the shop is locked; ask Shopify's support why.",
    _SUSPICIOUS: "Whoever runs the connector: Shopify holds our requests for malicious; ask its "
    "support, naming this machine's address.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """An answer without its body. ``leads_to`` is a redirect's host, ``retry_after`` in seconds."""

    status: int
    leads_to: str | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What GraphQL answered: ``data`` by field, null where there is no such thing.

    ``denied`` names the fields inside it that our app may not see; they are null too.
    """

    data: Mapping[str, Any]
    denied: tuple[str, ...] = ()


class TokenRefusedError(Exception):
    """The token is not taken: another one may be."""


def read_json(body: bytes) -> dict[str, Any] | None:
    """The object a body holds; ``None`` for web pages and the like."""
    examined = examine(body)
    return None if isinstance(examined, Unsound) else examined.value


def judge(outline: Outline, value: Mapping[str, Any] | None, query: str) -> Answer:
    """The answer to a query. Raises where it is none."""
    named = f"query {query}: the shop answered {outline.status}"
    if outline.status == HTTPStatus.UNAUTHORIZED:
        if value is None:
            raise LaneDown(f"{named} with a web page", mend=_MEND_WALL)
        raise TokenRefusedError(named)
    _judge_status(outline, named, is_json=value is not None)
    if value is None:
        raise HiccupError("a web page instead of JSON")
    errors, data = value.get("errors") or [], value.get("data")
    if not isinstance(errors, list):
        raise TryLater(f"{named} with an error that is not GraphQL's")
    denied = _judge_errors(members(errors), data, query)
    if not isinstance(data, dict):
        raise HiccupError("an answer without data")
    return Answer(data=data, denied=denied)


def judge_grant(outline: Outline, body: bytes) -> Granted:
    """The token that was asked for. Raises `Refused` where Shopify says no, else as `judge`.

    Its refusals are JSON or a web page: ``Oauth error shop_not_permitted: …``.
    """
    named = f"asking for a token: the shop answered {outline.status}"
    value = read_json(body)
    if outline.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        code = (value or {}).get("error")
        found = _SHOWN_REFUSAL.search(body)
        if value is None and found is not None:
            code = found[1].decode()
        raise Refused(code if isinstance(code, str) and _CODE.fullmatch(code) else "no reason told")
    _judge_status(outline, named, is_json=value is not None)
    token = (value or {}).get("access_token")
    if value is None or not isinstance(token, str) or not is_token(token):
        raise HiccupError("an answer without a token")
    lives, refresh = value.get("expires_in"), value.get("refresh_token")
    return Granted(
        access_token=token,
        expires_in=float(lives) if isinstance(lives, int) and not isinstance(lives, bool) else None,
        refresh_token=refresh if isinstance(refresh, str) and refresh else None,
    )


def is_token(text: str) -> bool:
    """Whether a text can stand in a header at all."""
    return _TOKEN.fullmatch(text) is not None


def _judge_status(outline: Outline, named: str, *, is_json: bool) -> None:
    status = outline.status
    if status == HTTPStatus.OK:
        return
    if outline.leads_to is not None:
        raise LaneDown(f"{named}, a redirect to {outline.leads_to}", mend=_MEND_ADDRESS)
    if status in _STATUS_MENDS:
        walled = status == HTTPStatus.FORBIDDEN and not is_json
        raise LaneDown(named, mend=_MEND_WALL if walled else _STATUS_MENDS[status])
    if status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS} or status >= (
        HTTPStatus.INTERNAL_SERVER_ERROR
    ):
        raise HiccupError(f"the shop answered {status}", wait=outline.retry_after)
    raise TryLater(named, retry_after=outline.retry_after)


def _judge_errors(errors: Iterable[Mapping[str, Any]], data: object, query: str) -> tuple[str, ...]:
    """What an answer with errors is worth: the fields that were denied, or it raises."""
    denied: list[str] = []
    whole = isinstance(data, dict) and any(value is not None for value in data.values())
    for error in errors:
        extensions = error.get("extensions")
        told = extensions.get("code") if isinstance(extensions, dict) else None
        code = told if isinstance(told, str) and _CODE.fullmatch(told) else "unknown"
        match code:
            case "THROTTLED":
                raise HiccupError("throttled")
            case "ACCESS_DENIED":
                if not whole:
                    raise _denied(error.get("message"), query)
                denied.append(_field_of(error.get("path")))
            case "INTERNAL_SERVER_ERROR" | "TIMEOUT":
                raise HiccupError(code)
            case "SHOP_INACTIVE":
                raise LaneDown(
                    f"query {query}: {code}", mend="The shop's owner: the shop is not active."
                )
            case "MAX_COST_EXCEEDED":
                raise TryLater(f"query {query}: {code}")
            case _ if error.get("path") is None or not whole:
                raise LaneDown(f"query {query} is not understood ({code})", mend=_MEND_VERSION)
            case _:
                raise HiccupError(code)
    return tuple(dict.fromkeys(denied))


def _denied(message: object, query: str) -> LaneDown:
    """The scope that lacks, by the name Shopify gives it; nothing else of its text is repeated."""
    text = message if isinstance(message, str) else ""
    scopes = ", ".join(dict.fromkeys(_SCOPE.findall(text)))
    if scopes:
        mend = f"The shop's owner: give the app the scope {scopes}, and install it again."
        return LaneDown(f"query {query}: access denied, {scopes} is needed", mend=mend)
    mend = _MEND_APPROVAL if _PROTECTED in text else _STATUS_MENDS[HTTPStatus.FORBIDDEN]
    return LaneDown(f"query {query}: access denied", mend=mend)


def _field_of(path: object) -> str:
    """``customer.defaultEmailAddress`` for its path; positions in lists left out."""
    steps = path if isinstance(path, list) else []
    return ".".join(step for step in steps if isinstance(step, str) and _CODE.fullmatch(step))
