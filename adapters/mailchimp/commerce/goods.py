"""Products and their variants as Mailchimp takes them, and the stand-ins of those that are gone.

https://mailchimp.com/developer/marketing/api/ecommerce-products/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from adapters.mailchimp.commerce import plain
from adapters.mailchimp.commerce.operations import Operation, Steps, named, patch, path, post, put
from adapters.mailchimp.commerce.shelf import HIDDEN, VISIBLE, Shelf, title_of
from adapters.mailchimp.commerce.verdicts import refused, settled
from connector.model import Json, Settled

STAND_IN = "no longer in the shop"
"""The ``type`` by which a shopkeeper tells our stand-ins; it goes when the real product comes."""

_MOST_AT_ONCE = 400
_HIDE: Mapping[str, Json] = {"visibility": HIDDEN, "inventory_quantity": 0}


def write_product(store: str, shelf: Shelf, fields: Mapping[str, Json]) -> Steps:
    """Bring a product with its variants; those the shop no longer has are hidden, for orders."""
    product = str(fields["id"])
    what = f"product {product}"
    variants = variants_of(fields)
    shown = {each["id"]: each.get("visibility") != HIDDEN for each in variants}
    where = path(store, "products", product)
    if product not in shelf.products:
        body = {**plain.known(_product(fields)), "id": product, "variants": variants}
        [made] = yield [post(path(store, "products"), body)]
        if made.refused is None:
            shelf.put(product, shown)
        if not made.is_taken:
            return settled([made], what)
    [changed] = yield [patch(where, _without_gaps(_product(fields)))]
    if changed.refused is not None:
        if changed.is_missing:
            shelf.products.pop(product, None)
        return refused(changed.refused, what)
    held = shelf.products.get(product, {})
    wanted = _puts(store, product, variants)
    hidden = [
        patch(path(store, "products", product, "variants", variant), _HIDE)
        for variant, is_shown in held.items()
        if is_shown and variant not in shown
    ]
    for some in _few([*wanted, *hidden]):
        replies = yield some
        bad = [reply for reply in replies if reply.refused is not None]
        if bad:
            return settled(bad, what)
    shelf.put(product, {**dict.fromkeys(set(held) - set(shown), False), **shown})
    return Settled()


def retire_product(store: str, shelf: Shelf, product: str) -> Steps:
    """Hide a product that the shop no longer has. It stays, since orders may name it."""
    held = shelf.products.get(product)
    if held is None:
        return Settled(note="was not there")
    hide = [patch(path(store, "products", product, "variants", variant), _HIDE) for variant in held]
    for some in _few([patch(path(store, "products", product), {"type": STAND_IN}), *hide]):
        replies = yield some
        if all(reply.is_missing for reply in replies):
            shelf.products.pop(product, None)
            return Settled(note="was not there any more")
        bad = [reply for reply in replies if reply.refused is not None and not reply.is_missing]
        if bad:
            return settled(bad, f"product {product}")
    shelf.put(product, dict.fromkeys(held, False))
    return Settled(note="kept hidden: orders may name it")


def write_stand_in(
    store: str, shelf: Shelf, product: str, lines: Mapping[str, Mapping[str, Json]]
) -> Steps:
    """Make what orders name and the shop no longer shows; ``lines`` are by variant."""
    what = f"the stand-in of product {product}"
    variants = [
        {
            **plain.known({"id": variant, "title": _of_variant(line)}),
            **plain.known({"price": plain.amount(line.get("price"))}),
            **_HIDE,
        }
        for variant, line in lines.items()
    ]
    if product not in shelf.products:
        title = title_of(next(iter(lines.values())))
        body = {"id": product, "title": title, "type": STAND_IN, "variants": variants}
        [made] = yield [post(path(store, "products"), body)]
        if made.refused is None:
            shelf.put(product, dict.fromkeys(lines, False))
        if not made.is_taken:
            return settled([made], what)
    for some in _few(_puts(store, product, variants)):
        replies = yield some
        bad = [reply for reply in replies if reply.refused is not None]
        if bad:
            return settled(bad, what)
    shelf.put(product, dict.fromkeys(lines, False))
    return Settled()


def variants_of(fields: Mapping[str, Json]) -> list[dict[str, Json]]:
    """A product's variants; Mailchimp takes none without, so one without gets one of its name."""
    variants = [_variant(each) for each in fields.get("variants") or ()]
    return variants or [{"id": str(fields["id"]), "title": name_of(fields)}]


def _product(fields: Mapping[str, Json]) -> dict[str, Json]:
    return {
        "title": name_of(fields),
        "handle": fields.get("handle"),
        "url": plain.url(fields.get("url")),
        "description": fields.get("description"),
        "type": fields.get("type"),
        "vendor": fields.get("vendor"),
        "image_url": plain.url(fields.get("image_url")),
        "published_at_foreign": plain.moment(fields.get("published_at")),
    }


def _without_gaps(product: Mapping[str, Json]) -> dict[str, Json]:
    """For a change: a text that is gone is emptied, what cannot be emptied is left as it is."""
    texts = ("handle", "description", "type", "vendor")
    return plain.known({**product, **{name: product[name] or "" for name in texts}})


def _variant(fields: Mapping[str, Json]) -> dict[str, Json]:
    stock = fields.get("stock")
    return plain.known(
        {
            "id": named(fields["id"]),
            "title": name_of(fields),
            "url": plain.url(fields.get("url")),
            "sku": fields.get("sku"),
            "price": plain.amount(fields.get("price")),
            "inventory_quantity": None if stock is None else max(int(stock), 0),
            "image_url": plain.url(fields.get("image_url")),
            "visibility": HIDDEN if fields.get("visible") is False else VISIBLE,
        }
    )


def name_of(fields: Mapping[str, Json]) -> str:
    """What a product or a variant is called. Mailchimp takes no empty title."""
    return str(fields.get("title") or "").strip() or "(no title)"


def _of_variant(line: Mapping[str, Json]) -> str:
    return str(line.get("title") or "").strip() or title_of(line)


def _puts(store: str, product: str, variants: Sequence[Mapping[str, Json]]) -> list[Operation]:
    return [
        put(path(store, "products", product, "variants", each["id"]), each) for each in variants
    ]


def _few(operations: Sequence[Operation]) -> Iterator[Sequence[Operation]]:
    for start in range(0, len(operations), _MOST_AT_ONCE):
        yield operations[start : start + _MOST_AT_ONCE]
