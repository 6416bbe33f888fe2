"""What every kind of thing in the stand-in's stores can be asked for, and how lists are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from adapters.mailchimp.sandbox_store_state import Refusal, Row, missing

Rows: TypeAlias = dict[str, Row]

KINDS = {
    "products": "A product",
    "orders": "An order",
    "carts": "A cart",
    "promo-rules": "A promo rule",
    "promo-codes": "A promo code",
    "variants": "A product variant",
    "lines": "A line",
}
_USUAL, _MOST = 10, 1000
_MOST_VARIANTS = 50
"""So many variants are shown with their product; the others have an address of their own.

https://mailchimp.com/developer/marketing/api/ecommerce-products/list-product/
"""


def kept(
    rows: Rows,
    kind: str,
    method: str,
    parts: list[str],
    said: Row | None,
    query: Mapping[str, str],
    show: Callable[[Row], Row] | None = None,
) -> Row | None:
    """Serve one kind of thing; ``show`` gives the form in which one is shown."""
    show = show or shown
    match method, parts, said:
        case "GET", [], _:
            return page(kind, rows, query, show)
        case "GET", [one], _:
            return show(find(rows, one))
        case "POST", [], dict():
            return show(make(rows, kind, said))
        case "PUT", [one], dict():
            rows[one] = {**rows.get(one, {}), **said}
            return rows[one]
        case "PATCH", [one], dict():
            find(rows, one).update(said)
            return show(rows[one])
        case "DELETE", [one], _:
            find(rows, one)
            del rows[one]
            return None
        case _:
            raise missing()


def page(kind: str, rows: Rows, query: Mapping[str, str], show: Callable[[Row], Row]) -> Row:
    """A part of a list.

    https://mailchimp.com/developer/marketing/docs/methods-parameters/#pagination
    """
    start, count = int(query.get("offset", "0")), int(query.get("count", str(_USUAL)))
    if start < 0 or not 0 <= count <= _MOST:
        raise Refusal(f"A page holds at most {_MOST}.", title="Invalid Resource")
    part = list(rows.values())[start : start + count]
    return {kind.replace("-", "_"): [show(each) for each in part], "total_items": len(rows)}


def chosen(body: Any, fields: str) -> Any:
    """Only the fields that were asked for, by their dotted paths; an unknown one is left out.

    https://mailchimp.com/developer/marketing/docs/methods-parameters/#partial-responses
    """
    return _chosen(body, [name.split(".") for name in fields.split(",")])


def make(rows: Rows, kind: str, said: Row) -> Row:
    """Put a new thing there; its id is used once."""
    if said["id"] in rows:
        raise Refusal(f"{KINDS[kind]} with the provided ID already exists in the account.")
    rows[said["id"]] = said
    return said


def find(rows: Rows, one: str) -> Row:
    """The thing of an id."""
    if one not in rows:
        raise missing()
    return rows[one]


def shown(row: Row) -> Row:
    """A thing as it is shown: a product with the first of its variants."""
    variants = row.get("variants")
    if not isinstance(variants, dict):
        return row
    return {**row, "variants": list(variants.values())[:_MOST_VARIANTS]}


def _chosen(body: Any, paths: list[list[str]]) -> Any:
    match body:
        case list():
            return [_chosen(each, paths) for each in body]
        case dict() if all(paths):
            wanted: dict[str, list[list[str]]] = {}
            for first, *rest in paths:
                wanted.setdefault(first, []).append(rest)
            return {
                name: _chosen(value, wanted[name]) for name, value in body.items() if name in wanted
            }
        case _:
            return body
