"""How an order or a cart is brought, changed, taken away and forgotten, whatever is held of it.

There is no call that makes or replaces: what is new is made, what is there is changed, its lines
one by one. The answer to a change shows what is held, and the rest follows from that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from adapters.mailchimp.commerce import sales
from adapters.mailchimp.commerce.operations import Reply, Steps, delete, get, patch, path, post, put
from adapters.mailchimp.commerce.sales import Sale
from adapters.mailchimp.commerce.shelf import Shelf
from adapters.mailchimp.commerce.verdicts import gone, refused, settled
from connector.model import Json, Postponed, Settled

_NO_PRODUCT = "product with the provided"
_AGAIN = 30.0


def write_sale(store: str, shelf: Shelf, sale: Sale, *, told: Mapping[str, Json] | None) -> Steps:
    """Bring a sale that may be there in this or another form.

    ``told`` are the states that it has there for certain; ``None``: it is most probably not there.
    What state it is in is said once: said again it could set off the mail of that state again.
    """
    where = path(store, sale.plural, sale.id)
    held = told is not None
    for _ in range(2):
        if not held:
            [made] = yield [post(path(store, sale.plural), sale.whole)]
            if made.refused is None:
                return Settled()
            if _lacks_product(made):
                return (yield from _look_on_shelf(store, shelf, sale))
            if not made.is_taken:
                return refused(made.refused, sale.what)
            [shown] = yield [get(where)]  # it was made before, and we did not hear of it
            told = shown.said if shown.refused is None else None
        [changed] = yield [patch(where, sales.untold(sale, told or {}))]
        if changed.refused is not None and not changed.is_missing:
            return refused(changed.refused, sale.what)
        if changed.refused is None:
            if not sales.is_another(sale, changed.said):
                return (yield from _mend(store, shelf, sale, changed))
            [away] = yield [delete(where)]
            if away.refused is not None and not away.is_missing:
                return refused(away.refused, sale.what)
        held = False
    return Postponed(reason=f"{sale.what} comes and goes in Mailchimp", retry_after=_AGAIN)


def remove_sale(store: str, plural: str, sale: str) -> Steps:
    """Take a sale away."""
    [reply] = yield [delete(path(store, plural, sale))]
    return gone(reply, f"{plural.removesuffix('s')} {sale}")


def forget_sale(store: str, plural: str, sale: str, customers: Collection[str]) -> Steps:
    """Take a sale away for good, with its customer: the one it names, and those known by us."""
    what = f"{plural.removesuffix('s')} {sale}"
    [held] = yield [get(path(store, plural, sale))]
    whose = held.said.get("customer")
    named = whose.get("id") if isinstance(whose, dict) else None
    [away] = yield [delete(path(store, plural, sale))]
    replies = [away]
    for customer in dict.fromkeys([*([str(named)] if named else []), *customers]):
        replies += yield [delete(path(store, "customers", customer))]
    bad = [reply for reply in replies if not reply.is_missing]
    return settled(bad, what) if bad else Settled(note="was not there")


def _mend(store: str, shelf: Shelf, sale: Sale, changed: Reply) -> Steps:
    """Bring the lines and the customer's name to what they should be."""
    held = changed.said
    if not isinstance(held.get("lines"), list):
        [shown] = yield [get(path(store, sale.plural, sale.id))]
        if shown.refused is not None:
            return refused(shown.refused, sale.what)
        held = shown.said
    new, other, old = sales.differing(sale, held)
    lines = path(store, sale.plural, sale.id, "lines")
    rights = [post(lines, sale.lines[line]) for line in new]
    for line in other:
        words = {name: value for name, value in sale.lines[line].items() if name != "id"}
        rights.append(patch(path(store, sale.plural, sale.id, "lines", line), words))
    if sales.is_renamed(sale, held):
        rights.append(put(path(store, "customers", sale.customer["id"]), sale.customer))
    # First what comes, then what goes: it may not be without a line in between.
    goes = [delete(path(store, sale.plural, sale.id, "lines", line)) for line in old]
    replies = (yield rights) if rights else []
    if any(_lacks_product(reply) for reply in replies):
        return (yield from _look_on_shelf(store, shelf, sale))
    bad = [reply for reply in replies if reply.refused is not None and not reply.is_taken]
    if not bad and goes:
        bad = [reply for reply in (yield goes) if not reply.is_missing]
    return settled(bad, sale.what)


def _lacks_product(reply: Reply) -> bool:
    return reply.refused is not None and (
        _NO_PRODUCT in reply.refused.complaint.words.lower() and not reply.is_taken
    )


def _look_on_shelf(store: str, shelf: Shelf, sale: Sale) -> Steps:
    """Somebody deleted a product in Mailchimp: learn which, so that it is made before the order."""
    products = list(dict.fromkeys(line["product_id"] for line in sale.lines.values()))
    replies = yield [get(path(store, "products", product)) for product in products]
    for product, reply in zip(products, replies, strict=True):
        if reply.is_missing or reply.refused is None:
            shelf.products.pop(product, None)
        if reply.refused is None:
            shelf.read([reply.said])
    return Postponed(reason=f"a product of {sale.what} is not in Mailchimp", retry_after=_AGAIN)
