"""Orders and carts as Mailchimp takes them: the words, and what differs from what it holds.

https://mailchimp.com/developer/marketing/api/ecommerce-orders/
https://mailchimp.com/developer/marketing/api/ecommerce-carts/
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from adapters.mailchimp.commerce import plain
from adapters.mailchimp.commerce.operations import named
from adapters.mailchimp.commerce.shelf import NOTHING, pair_of
from connector.doubts import newest, possible
from connector.identity import normal_email
from connector.model import Json

_FINANCIAL: Mapping[str, str] = {
    "pending": "pending",
    "paid": "paid",
    # Not "refunded": that sends the mail that confirms a refund of the whole order.
    "partially_refunded": "partially_refunded",
    "refunded": "refunded",
    "cancelled": "cancelled",
    "failed": "failed",
}
"""What Mailchimp calls the state of an order; pending, paid, refunded and cancelled set off mails.

https://mailchimp.com/help/test-or-troubleshoot-order-notifications/
"""

_STATES = ("financial_status", "fulfillment_status", "cancelled_at_foreign")

NO_ITEMS: Mapping[str, Json] = {
    "id": NOTHING,
    "product_id": NOTHING,
    "title": "(no items)",
    "quantity": 1,
    "price": "0",
}
"""The line of an order that has none, for example one of a fee alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """An order or a cart: where it lives, its customer, what is said of it, and its lines by id."""

    plural: str
    id: str
    customer: Mapping[str, Json]
    words: Mapping[str, Json]
    lines: Mapping[str, Mapping[str, Json]]

    @property
    def what(self) -> str:
        """What a person is told it is."""
        return f"{self.plural.removesuffix('s')} {self.id}"

    @property
    def whole(self) -> dict[str, Json]:
        """All of it, to be made."""
        return {
            "id": self.id,
            "customer": self.customer,
            **self.words,
            "lines": list(self.lines.values()),
        }


def customer_id(store: str, email: str) -> str:
    """What a customer is called: a digest, so that the id says nothing to who reads it.

    It follows the address, not the shop's account: Mailchimp lets no customer change the address,
    and a guest and an account of one address are one contact.
    """
    return hashlib.sha256(f"{store}/{email}".encode()).hexdigest()[:40]


def order(store: str, fields: Mapping[str, Json]) -> Sale | None:
    """An order, or ``None`` without an address: Mailchimp keeps orders by who bought.

    What was given back is taken off the total, as Mailchimp has no place for it.
    """
    customer = _customer(store, fields)
    if customer is None:
        return None
    total = plain.amount(fields.get("total")) or Decimal(0)
    words = plain.known(
        {
            **_states(fields),
            "currency_code": fields["currency"],
            "order_total": total - (plain.amount(fields.get("refunded")) or Decimal(0)),
            "tax_total": plain.amount(fields.get("tax")),
            "shipping_total": plain.amount(fields.get("shipping")),
            "discount_total": plain.amount(fields.get("discount")),
            "processed_at_foreign": plain.moment(fields.get("placed_at")),
            "updated_at_foreign": plain.moment(fields.get("updated_at")),
            "landing_site": plain.url(fields.get("landing_url")),
        }
    )
    lines = _lines(fields) or [NO_ITEMS]
    return Sale(
        plural="orders",
        id=str(fields["id"]),
        customer=customer,
        words=words,
        lines={
            str(each["id"]): {
                **_line(each),
                **plain.known({"discount": plain.amount(each.get("discount"))}),
            }
            for each in lines
        },
    )


def _states(fields: Mapping[str, Json]) -> dict[str, Json]:
    status = str(fields.get("status"))
    cancelled = fields.get("cancelled_at") or fields.get("updated_at") or fields.get("placed_at")
    return {
        "financial_status": _FINANCIAL.get(status),
        "fulfillment_status": "shipped" if fields.get("fulfilled") is True else None,
        "cancelled_at_foreign": plain.moment(cancelled) if status == "cancelled" else None,
    }


def told(fields: Mapping[str, Json]) -> dict[str, Json]:
    """The states that an order was told to be in, if nothing is in doubt about them."""
    of_states = {name: fields[name] for name in ("status", "fulfilled") if name in fields}
    if any(len(possible(value)) > 1 for value in of_states.values()):
        return {}
    return plain.known(_states({**newest(fields), **of_states}))


def untold(sale: Sale, told: Mapping[str, Json]) -> dict[str, Json]:
    """What is to be said of a sale that is there: of its states only those that are news."""
    return {
        name: value
        for name, value in sale.words.items()
        if name not in _STATES or not _is_told(name, value, told.get(name))
    }


def _is_told(name: str, value: Json, there: Json) -> bool:
    """A cancellation is none again, whatever its time."""
    return bool(there) if name == "cancelled_at_foreign" else value == there


def cart(store: str, fields: Mapping[str, Json]) -> Sale | None:
    """A cart, or ``None`` when nobody could be reminded of anything."""
    customer, lines = _customer(store, fields), _lines(fields)
    if customer is None or not lines:
        return None
    words = plain.known(
        {
            "currency_code": fields["currency"],
            "order_total": plain.amount(fields.get("total")) or Decimal(0),
            "checkout_url": plain.url(fields.get("url")),
        }
    )
    return Sale(
        plural="carts",
        id=str(fields["id"]),
        customer=customer,
        words=words,
        lines={str(each["id"]): _line(each) for each in lines},
    )


def lines_of(kind: str, fields: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    """The lines whose products must be there first."""
    return _lines(fields) or ([NO_ITEMS] if kind == "order" else [])


def is_another(sale: Sale, held: Mapping[str, Json]) -> bool:
    """Must it be made anew: of somebody else, or cancelled there, which cannot be undone."""
    whose = held.get("customer")
    other = isinstance(whose, dict) and whose.get("id") not in (None, sale.customer["id"])
    cancelled = bool(held.get("cancelled_at_foreign"))
    return other or (cancelled and "cancelled_at_foreign" not in sale.words)


def is_renamed(sale: Sale, held: Mapping[str, Json]) -> bool:
    """Does the customer go by another name there."""
    whose = held.get("customer")
    names = {name: sale.customer.get(name, "") for name in ("first_name", "last_name", "company")}
    return isinstance(whose, dict) and any(
        value and (whose.get(name) or "") != value for name, value in names.items()
    )


def differing(sale: Sale, held: Mapping[str, Json]) -> tuple[list[str], list[str], list[str]]:
    """The ids of lines that are new, that changed, and that are held and should not be."""
    there = {
        str(each.get("id")): each
        for each in (held.get("lines") or ())
        if isinstance(each, dict) and each.get("id") is not None
    }
    new = [line for line in sale.lines if line not in there]
    changed = [
        line for line, said in sale.lines.items() if line in there and _differs(said, there[line])
    ]
    return new, changed, [line for line in there if line not in sale.lines]


def _differs(wanted: Mapping[str, Json], held: Mapping[str, Json]) -> bool:
    return any(not _same(value, held.get(name)) for name, value in wanted.items())


def _same(wanted: Json, held: Json) -> bool:
    if not isinstance(wanted, Decimal):
        return bool(wanted == held)
    try:
        return wanted == Decimal(str(held or 0))
    except InvalidOperation:
        return False


def _lines(fields: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    return [each for each in _each(fields) if int(each.get("quantity") or 0) > 0]


def _each(fields: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    yield from fields.get("lines") or ()


def _line(line: Mapping[str, Json]) -> dict[str, Json]:
    product, variant = pair_of(line)
    return {
        "id": named(line["id"]),
        "product_id": named(product),
        "product_variant_id": named(variant),
        "quantity": int(line["quantity"]),
        "price": plain.amount(line.get("price")) or Decimal(0),
    }


def _customer(store: str, fields: Mapping[str, Json]) -> dict[str, Json] | None:
    """Who bought. Permission is never told here: that is the member's, who is written first.

    ``opt_in_status`` false makes a new contact one that is not mailed, and changes no other.
    https://mailchimp.com/developer/marketing/api/ecommerce-customers/
    """
    customer = fields.get("customer") or {}
    email = normal_email(customer.get("email"))
    if email is None:
        return None
    names = {name: customer.get(name) or None for name in ("first_name", "last_name", "company")}
    return plain.known(
        {
            "id": customer_id(store, email),
            "email_address": email,
            "opt_in_status": False,
            **names,
        }
    )
