"""Lists in the stand-in's REST API: filters, paging and order, strict as the platform is.

https://woocommerce.github.io/woocommerce-rest-api-docs/#list-all-orders and the like. Offset-less
dates are the shop's time unless ``dates_are_gmt``; ``after`` and ``modified_after`` are exclusive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

from adapters.town.books import Books, Row
from adapters.woocommerce.sandbox_desk import Refusal
from adapters.woocommerce.sandbox_orders import STATUSES
from adapters.woocommerce.sandbox_payloads import Site

LARGEST_PAGE = 100
Given = Mapping[str, str]
"""Query parameters as they came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What one kind of list can be ordered and filtered by: parameter to SQL."""

    table: str
    orders: Mapping[str, str]
    default_order: tuple[str, str] = ("date", "desc")
    equals: Mapping[str, str] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)
    hidden: str = "1"
    """What a list leaves out when no ``status`` is asked for."""
    statuses: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list, and what stands in its headers."""

    rows: Sequence[Row]
    total: int
    pages: int
    link: str | None


_MOST_KEPT = 50
_KEPT: WeakKeyDictionary[
    Books, dict[tuple[str, str, tuple[str, ...], str], tuple[int, Sequence[int]]]
] = WeakKeyDictionary()
_DATED = {
    "after": "created > ?",
    "before": "created < ?",
    "modified_after": "modified > ?",
    "modified_before": "modified < ?",
}
_POSTS = {"date": "created, id", "modified": "modified, id", "id": "id", "include": "id"}

ORDERS = Shelf(
    table="orders",
    orders=_POSTS,
    equals={"customer": "customer_id = ?", "number": "id = ?"},
    dates=_DATED,
    hidden="status <> 'trash'",
    statuses=(*STATUSES, "trash", "any"),
)
PRODUCTS = Shelf(
    table="products",
    orders={**_POSTS, "title": "json_extract(body, '$.name'), id", "price": "id"},
    equals={"sku": "sku = ?", "type": "type = ?", "parent": "parent_id = ?"},
    dates=_DATED,
    hidden="status <> 'trash'",
    statuses=("any", "future", "trash", "draft", "pending", "private", "publish", "auto-draft"),
)
CUSTOMERS = Shelf(
    table="customers",
    orders={
        "id": "id",
        "include": "id",
        "name": "json_extract(body, '$.username'), id",
        "registered_date": "created, id",
    },
    default_order=("name", "asc"),
    equals={"email": "email = ?"},
)
COUPONS = Shelf(
    table="coupons",
    orders={**_POSTS, "title": "code, id", "slug": "code, id"},
    equals={"code": "code = ?"},
    dates=_DATED,
    hidden="status IN ('publish', 'private')",
)
REFUNDS = Shelf(table="refunds", orders=_POSTS, dates=_DATED)
WEBHOOKS = Shelf(
    table="webhooks",
    orders={"date": "created, id", "id": "id", "title": "id"},
    statuses=("all", "active", "paused", "disabled"),
)


def page(
    books: Books, site: Site, shelf: Shelf, given: Given, *, path: str, within: str = "1"
) -> Page:
    """The page that was asked for. ``within`` is our own SQL that narrows the list."""
    number = integer(given, "page", 1, low=1)
    size = integer(given, "per_page", 10, low=1, high=LARGEST_PAGE)
    clauses, values = [within], []
    status = given.get("status") or given.get("status[]") or given.get("status[0]")
    wanted = [s for s in (status or "").split(",") if s]
    for name in wanted:
        member("status", name, shelf.statuses)
    if wanted and not {"any", "all"} & set(wanted):
        clauses.append(f"status IN ({', '.join('?' * len(wanted))})")
        values += wanted
    else:
        clauses.append(shelf.hidden)
    for name, sql in shelf.equals.items():
        if given.get(name):
            clauses.append(sql)
            values.append(given[name].lower() if name == "email" else given[name])
    for name, sql in shelf.dates.items():
        if given.get(name):
            clauses.append(sql)
            values.append(str(seconds_of(given, name, site)))
    for name, sql in (("include", "id IN"), ("exclude", "id NOT IN")):
        ids = [i for i in given.get(name, "").split(",") if i.isdigit()]
        if ids:
            clauses.append(f"{sql} ({', '.join(ids)})")
    where = " AND ".join(f"({clause})" for clause in clauses)
    start = integer(given, "offset", (number - 1) * size, low=0)  # goes before the page
    with books.turn():
        whole = _ids(books, shelf.table, where, tuple(values), _order(shelf, given))
        rows = _rows(books, shelf.table, whole[start : start + size])
    total = len(whole)
    pages = -(-total // size)
    if not rows and start > 0:  # a page past the end is empty, and says that all of it is
        total = pages = 0
    return Page(
        rows=rows, total=total, pages=pages, link=link_for(site, path, given, number, pages)
    )


def _ids(
    books: Books, table: str, where: str, values: tuple[str, ...], order: str
) -> Sequence[int]:
    """The ids of a whole list in its order; kept while the books stand as they are."""
    key = (table, where, values, order)
    kept = _KEPT.setdefault(books, {})
    state, ids = kept.get(key, (-1, ()))
    if state != books.state:
        sql = f"SELECT id FROM {table} WHERE {where} ORDER BY {order}"  # noqa: S608 - our own names
        ids = [row["id"] for row in books.ask(sql, values)]
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        kept[key] = (books.state, ids)
    return ids


def _rows(books: Books, table: str, ids: Sequence[int]) -> Sequence[Row]:
    found = {row["id"]: row for row in books.rows(table, f"id IN ({', '.join(map(str, ids))})")}
    return [found[number] for number in ids]


def _order(shelf: Shelf, given: Given) -> str:
    by = given.get("orderby", shelf.default_order[0])
    way = given.get("order", shelf.default_order[1])
    member("orderby", by, tuple(shelf.orders))
    member("order", way, ("asc", "desc"))
    return ", ".join(f"{column} {way}" for column in shelf.orders[by].rsplit(", ", 1))


def link_for(site: Site, path: str, given: Given, number: int, pages: int) -> str | None:
    """The header that leads to the pages before and after; none where there is but one."""
    found = []
    if number > 1:
        found.append(("prev", min(number - 1, pages)))
    if number < pages:
        found.append(("next", number + 1))
    written = (
        f'<{site.api}/{path}?{urlencode({**given, "page": to})}>; rel="{name}"'
        for name, to in found
    )
    return ", ".join(written) or None


def integer(given: Given, name: str, default: int, *, low: int, high: int | None = None) -> int:
    """A whole number among the parameters; refuses what is none or out of bounds."""
    text = given.get(name)
    if text is None:
        return default
    if not text.lstrip("-").isdigit():
        raise invalid(name, "rest_invalid_type", f"{name} is not of type integer.")
    number = int(text)
    if high is not None and not low <= number <= high:
        told = f"{name} must be between {low} (inclusive) and {high} (inclusive)"
        raise invalid(name, "rest_out_of_bounds", told)
    if number < low:
        raise invalid(name, "rest_out_of_bounds", f"{name} must be greater than or equal to {low}")
    return number


def seconds_of(given: Given, name: str, site: Site) -> int:
    """A moment among the parameters, in seconds since 1970; refuses what is none."""
    try:
        moment = datetime.fromisoformat(given[name].replace(" ", "+"))
    except ValueError:
        raise invalid(name, "rest_invalid_date", "Invalid date.") from None
    if moment.tzinfo is None:
        in_utc = given.get("dates_are_gmt", "").lower() in {"true", "1"}
        moment = moment.replace(tzinfo=UTC if in_utc else site.zone)
    return int(moment.timestamp())


def member(name: str, value: str, known: Sequence[str]) -> None:
    """Refuse a word that the parameter does not know."""
    if value not in known:
        raise invalid(name, "rest_not_in_enum", f"{name} is not one of {_listed(known)}.")


def check_status(status: object) -> None:
    """Refuse an order's status that the shop does not know."""
    if status is not None and status not in STATUSES:
        member("status", str(status), STATUSES)


def invalid(name: str, code: str, told: str) -> Refusal:
    """The refusal of one parameter."""
    return Refusal(
        "rest_invalid_param",
        f"Invalid parameter(s): {name}",
        400,
        params={name: told},
        details={name: {"code": code, "message": told, "data": None}},
    )


def _listed(known: Sequence[str]) -> str:
    *most, last = known
    return f"{', '.join(most)}, and {last}"
