"""What can be compared of goods and sales: what Mailchimp gives back as it was sent.

Amounts, states, lines, titles and prices. Not a buyer's name, which all their orders share; not
texts that Mailchimp may rewrite; not stock; and not the codes of promotions, which are listed for
one promotion at a time.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from adapters.mailchimp.commerce import goods, plain, promotions, sales
from adapters.mailchimp.commerce.jobs import MALFORMED
from adapters.mailchimp.commerce.shelf import HIDDEN
from adapters.mailchimp.commerce.stores import Stores
from connector.model import Json, Record
from connector.ports import StoreFacts

_HUNDREDTHS = -2  # the exponent of the smallest amounts that are surely kept
_AMOUNTS = {
    "total": "order_total",
    "tax": "tax_total",
    "shipping": "shipping_total",
    "discount": "discount_total",
}


def as_shown(stores: Stores, record: Record) -> Record:
    """See `connector.ports.Showing.as_shown`."""
    kind, shop, _ = record.key.split("/", 2)
    facts = stores.of(shop)
    fields: dict[str, Json] = {}
    if facts is not None:
        try:
            fields = _AS_SENT[kind](facts, record.fields)
        except MALFORMED:
            fields = {}
    return Record(key=record.key, email=None, permission=None, fields=fields)


def _product(row: Mapping[str, Json]) -> dict[str, Json]:
    """Of variants only those on show: the others are there for orders' sake."""
    variants = row.get("variants")
    return {
        **{name: _text(row.get(name)) for name in ("title", "type", "vendor")},
        "variants": {
            str(each.get("id")): [_text(each.get("title")), _amount(each.get("price"))]
            for each in (variants if isinstance(variants, list) else [])
            if isinstance(each, dict) and each.get("visibility") != HIDDEN
        },
    }


def _promotion(row: Mapping[str, Json]) -> dict[str, Json]:
    return {
        "code": _text(row.get("title")),
        "amount": _amount(row.get("amount")),
        **{name: row.get(name) for name in ("type", "target", "enabled")},
        **plain.known({name: plain.moment(row.get(name)) for name in ("starts_at", "ends_at")}),
    }


def _sale(row: Mapping[str, Json]) -> dict[str, Json]:
    whose, lines = row.get("customer"), row.get("lines")
    return {
        "currency": row.get("currency_code"),
        **plain.known({name: _amount(row.get(word)) for name, word in _AMOUNTS.items()}),
        "customer": whose.get("id") if isinstance(whose, dict) else None,
        "lines": {
            str(each.get("id")): [
                each.get("product_id"),
                each.get("product_variant_id"),
                _amount(each.get("quantity")),
                _amount(each.get("price")),
                _amount(each.get("discount") or 0),
            ]
            for each in (lines if isinstance(lines, list) else [])
            if isinstance(each, dict)
        },
    }


def _order(row: Mapping[str, Json]) -> dict[str, Json]:
    """A cancelled order is made anew to revive it; when it was cancelled does not matter."""
    return {
        **_sale(row),
        "cancelled_at": plain.moment(row.get("cancelled_at_foreign")) is not None,
        **plain.known(
            {
                "status": row.get("financial_status"),
                "fulfilled": True if row.get("fulfillment_status") == "shipped" else None,
                "placed_at": plain.moment(row.get("processed_at_foreign")),
            }
        ),
    }


COMPARABLE: Mapping[str, Callable[[Mapping[str, Json]], dict[str, Json]]] = {
    "products": _product,
    "promo-rules": _promotion,
    "orders": _order,
    "carts": _sale,
}
"""What a row of each list says, in a record's words, each value in one spelling."""


def _product_sent(facts: StoreFacts, fields: Mapping[str, Json]) -> dict[str, Json]:
    del facts
    variants = goods.variants_of(fields)
    sent = _product({**fields, "title": goods.name_of(fields), "variants": variants})
    prices = [each.get("price") for each in variants if each.get("visibility") != HIDDEN]
    return sent if all(map(_is_kept, prices)) else _without(sent, "variants")


def _promotion_sent(facts: StoreFacts, fields: Mapping[str, Json]) -> dict[str, Json]:
    del facts
    return _promotion(promotions.rule(fields))


def _order_sent(facts: StoreFacts, fields: Mapping[str, Json]) -> dict[str, Json]:
    sale = sales.order(facts.id, fields)
    return _sold_sent(_order(sale.whole), sale.whole) if sale else {}


def _cart_sent(facts: StoreFacts, fields: Mapping[str, Json]) -> dict[str, Json]:
    sale = sales.cart(facts.id, fields)
    return _sold_sent(_sale(sale.whole), sale.whole) if sale else {}


def _sold_sent(sent: dict[str, Json], body: Mapping[str, Json]) -> dict[str, Json]:
    """Without amounts of thousandths, of which Mailchimp does not say that it keeps them."""
    rounded = [name for name, word in _AMOUNTS.items() if name in sent and not _is_kept(body[word])]
    amounts = [each.get(name, 0) for each in body["lines"] for name in ("price", "discount")]
    if not all(map(_is_kept, amounts)):
        rounded.append("lines")
    return _without(sent, *rounded)


_AS_SENT = {
    "product": _product_sent,
    "promotion": _promotion_sent,
    "order": _order_sent,
    "cart": _cart_sent,
}


def _without(fields: Mapping[str, Json], *names: str) -> dict[str, Json]:
    return {name: value for name, value in fields.items() if name not in names}


def _is_kept(amount: Json) -> bool:
    """Is it sent at all, and in no smaller parts than hundredths."""
    if amount is None:
        return False
    exponent = Decimal(str(amount)).normalize().as_tuple().exponent
    return isinstance(exponent, int) and exponent >= _HUNDREDTHS


def _amount(value: Json) -> str | None:
    """A number in one spelling: 39.80 and 39.8 are one amount."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return format(number.normalize() + 0, "f") if number.is_finite() else None


def _text(value: Json) -> str:
    """Without what Mailchimp may have escaped or trimmed on its way."""
    return " ".join(html.unescape("" if value is None else str(value)).split())
