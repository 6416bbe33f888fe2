"""How the stand-in's REST API answers: who may ask, the headers, the refusals, the failures.

https://woocommerce.github.io/woocommerce-rest-api-docs/#authentication. Keys are taken from Basic
authentication or from the query, as the platform does over TLS.
"""

from __future__ import annotations

import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import msgspec
from flask import Response, g, request

from adapters.town.books import Books, Row, opened
from adapters.town.mischief import Answer
from adapters.woocommerce import sandbox_queries as lists
from adapters.woocommerce.sandbox_accounts import Accounts
from adapters.woocommerce.sandbox_archive import Archive
from adapters.woocommerce.sandbox_desk import Desk, Refusal
from adapters.woocommerce.sandbox_mischief import LISTS, Mischief
from adapters.woocommerce.sandbox_payloads import Body, error, php_json
from adapters.woocommerce.sandbox_selling import Orders
from adapters.woocommerce.sandbox_shelves import Shelves
from adapters.woocommerce.sandbox_webhooks import Sender

_CANNOT_LIST = "Sorry, you cannot list resources."
_JSON = "application/json; charset=UTF-8"
_ALWAYS = {
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Access-Control-Expose-Headers": "X-WP-Total, X-WP-TotalPages, Link",
    "Expires": "Wed, 11 Jan 1984 05:00:00 GMT",
    "Cache-Control": "no-cache, must-revalidate, max-age=0, no-store, private",
}
_READING = {"GET", "HEAD", "OPTIONS"}
_DENIED = {
    "POST": ("create", "Sorry, you are not allowed to create resources."),
    "PUT": ("edit", "Sorry, you are not allowed to edit this resource."),
    "DELETE": ("delete", "Sorry, you are not allowed to delete this resource."),
}
_CRITICAL = "<p>There has been a critical error on this website.</p>"
_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A consumer key with its secret; ``may_write`` is what the shop's owner chose."""

    key: str
    secret: str
    may_write: bool = True


@dataclass(slots=True)
class Visitors:
    """How many requests are being answered, and how many were at most at once."""

    here: int = 0
    most: int = 0
    ever: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def come(self) -> None:
        """One more."""
        with self._lock:
            self.here += 1
            self.ever += 1
            self.most = max(self.most, self.here)

    def go(self) -> None:
        """One less."""
        with self._lock:
            self.here -= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """All that the REST API speaks for."""

    desk: Desk
    orders: Orders
    customers: Accounts
    products: Shelves
    sender: Sender
    mischief: Mischief
    keys: tuple[Key, ...]
    tls_only: bool = False
    visitors: Visitors = field(default_factory=Visitors)
    archive: Archive | None = None


def answer(office: Office, body: Any, status: int = 200, **headers: str) -> Response:
    """A JSON answer with the headers that every answer has."""
    fields = request.args.get("_fields")
    if fields and isinstance(body, dict) and "code" not in body:
        body = {name: body[name] for name in fields.split(",") if name in body}
    response = Response(php_json(body), status, content_type=_JSON)
    response.headers.update(_ALWAYS)
    response.headers["Link"] = f'<{office.desk.site.url}/wp-json/>; rel="https://api.w.org/"'
    response.headers.update(headers)
    return response


def listed(
    office: Office,
    shelf: lists.Shelf,
    path: str,
    within: str = "1",
    *,
    shown: Callable[[Body], Body] | None = None,
) -> Response:
    """One page of a list, with the platform's headers."""
    desk, wrong = office.desk, g.get("wrong")
    if wrong is not None and wrong.kind == "shifting":
        _lose_first(desk.books, shelf, within)
    past = wrong is not None and wrong.kind in {"stale", "frozen"}
    then = desk.clock() - timedelta(seconds=wrong.seconds) if wrong else desk.clock()
    page = lists.page(
        desk.books,
        desk.site,
        shelf,
        request.args.to_dict(),
        path=path,
        within=f"({within}) AND created <= {int(then.timestamp())}" if past else within,
    )
    bodies = list(_written(page.rows, request.args.get("_fields"), shown))
    response = _listing(office, bodies, wrong.kind if wrong else "")
    if wrong is not None and wrong.kind == "stale":
        told = datetime.now(UTC) - timedelta(seconds=wrong.seconds)
        response.headers["Date"] = format_datetime(told, usegmt=True)
        response.headers["Age"] = f"{wrong.seconds:.0f}"
    response.headers["X-WP-Total"] = str(page.total)
    response.headers["X-WP-TotalPages"] = str(page.pages)
    if page.link:
        response.headers["Link"] = page.link
    return response


def _written(
    rows: Sequence[Row], fields: str | None, shown: Callable[[Body], Body] | None
) -> Iterator[bytes]:
    """The bodies of rows; what is shown as it is kept is not taken apart further than needed."""
    wanted = [name for name in (fields or "").split(",") if name]
    for row in rows:
        body = row["body"].encode() if shown is None else php_json(shown(opened(row)))
        if not wanted:
            yield body
            continue
        parts = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        chosen = (b'"%b":%b' % (name.encode(), parts[name]) for name in wanted if name in parts)
        yield b"{" + b",".join(chosen) + b"}"


def _listing(office: Office, bodies: list[bytes], wrong: str) -> Response:
    match wrong:
        case "halved":
            bodies = bodies[: len(bodies) // 2]
        case "reversed":
            bodies = bodies[::-1]
        case _:
            pass
    response = answer(office, [])
    if wrong == "other":
        response.set_data(b'{"success":true,"data":[]}')
    else:
        response.set_data(b"[" + b",".join(bodies) + b"]")
    return response


def _lose_first(books: Books, shelf: lists.Shelf, within: str) -> None:
    with books.turn():
        rows = books.rows(
            shelf.table, f"({within}) AND ({shelf.hidden})", (), "ORDER BY id LIMIT 1"
        )
        for row in rows:
            books.drop(shelf.table, row["id"])


def archived(office: Office, archive: Archive) -> Response:
    """One page of the archive's orders, with the platform's headers."""
    page = archive.page(request.args)
    response = _listing(office, page.bodies, "")
    response.headers["X-WP-Total"] = str(page.total)
    response.headers["X-WP-TotalPages"] = str(page.pages)
    return response


def created(office: Office, path: str, body: Body) -> Response:
    """The answer to something newly made."""
    return answer(office, body, 201, Location=f"{office.desk.site.api}/{path}/{body['id']}")


def delete_or_trash(
    office: Office,
    number: int,
    what: str,
    remove: Callable[[int], Body],
    trash: Callable[[int], Body],
    *,
    trashed: bool,
) -> Response:
    """Remove for good when forced, else throw into the trash, once."""
    if is_forced():
        return answer(office, remove(number))
    if trashed:
        told = f"The {what.lower()} has already been deleted."
        raise Refusal("woocommerce_rest_already_trashed", told, 410)
    return answer(office, trash(number))


def is_forced() -> bool:
    """Whether the caller asked to remove for good."""
    return request.args.get("force", "").lower() in {"true", "1"}


def given_body() -> Mapping[str, Any]:
    """The JSON object that was sent; no body at all is an empty one."""
    raw = request.get_data()
    try:
        given = json.loads(raw) if raw.strip() else {}
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise Refusal("rest_invalid_json", "Invalid JSON body passed.", 400)
    return given


def authenticate(office: Office) -> None:
    """Refuse who has no key, the wrong secret, or may not write."""
    basic = request.authorization
    name = request.args.get("consumer_key") or (basic.username if basic else None) or ""
    secret = request.args.get("consumer_secret") or (basic.password if basic else None) or ""
    secure = not office.tls_only or request.headers.get("X-Forwarded-Proto") == "https"
    found = next((key for key in office.keys if key.key == name), None)
    if found is None or not secure:
        single = request.path.rstrip("/").rpartition("/")[2].isdigit()
        told = "Sorry, you cannot view this resource." if single else _CANNOT_LIST
        verb, told = _DENIED.get(request.method, ("view", told))
        raise Refusal(f"woocommerce_rest_cannot_{verb}", told, 401)
    if not hmac.compare_digest(found.secret.encode(), secret.encode()):
        told = "Consumer secret is invalid."
        raise Refusal("woocommerce_rest_authentication_error", told, 401)
    if not found.may_write and request.method not in _READING:
        told = "The API key provided does not have write permissions."
        raise Refusal("woocommerce_rest_authentication_error", told, 401)


def spoil(kind: str, seconds: float) -> Response | None:
    """Make this answer fail: the failing answer, or ``None`` to go on (late, or to be torn)."""
    headers = {"Retry-After": f"{seconds:g}"} if kind in {"429", "503"} else {}
    if kind == "500":
        body = error("internal_server_error", _CRITICAL, 500) | {"additional_errors": []}
        return Response(php_json(body), 500, content_type=_JSON)
    if kind in {"429", "503", "html"}:
        status = 200 if kind == "html" else int(kind)
        title = (
            "Briefly unavailable for scheduled maintenance." if kind == "503" else "Just a moment"
        )
        return Response(_PAGE.format(title), status, headers, content_type="text/html")
    if kind in LISTS:
        g.wrong = Answer(kind=kind, seconds=seconds)
    elif kind == "slow":
        time.sleep(seconds)
    elif kind == "torn":
        g.torn = True
    else:
        connection: socket.socket = request.environ["werkzeug.socket"]
        connection.shutdown(socket.SHUT_RDWR)
        return Response(status=204)
    return None
