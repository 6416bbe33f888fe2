"""What a destination of sales should hold: about a product, an order, a cart, a promotion.

The record's key is that of `connector.sales_keys`, its ``fields`` are plain JSON: amounts are
decimal text in the currency beside them (``"19.90"``), moments ISO 8601 in UTC, ids the shop's own.

product    shop id title handle url description type vendor image_url
           variants: id title sku price currency stock image_url url visible
order      shop id number status fulfilled counts currency total tax shipping discount refunded
           placed_at updated_at cancelled_at landing_url customer lines
cart       shop id currency total url created_at updated_at customer lines
promotion  shop id code title type amount currency target starts_at ends_at usage_count enabled url
customer   id email phone first_name last_name company country
line       id product_id variant_id product_title sku quantity price discount total

``price`` of a line is for one, before what was taken off; ``total`` of the line after it, tax
apart. A line's product may be unknown or gone: ``product_title`` is its name as it was sold. A
guest has no id: whoever needs one makes it of the address. How many orders a customer made is not
told: it would change every one of them with each new one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from urllib.parse import urlsplit

from connector import money
from connector.model import Bearing, Cart, Json, Kind, Line, Order, Permission, Promotion, Worth
from connector.moments import to_text
from connector.store.baskets import Basket
from connector.store.catalog import ForSale
from connector.store.sales import Bought, Shown
from mappings.item_facts import status_of
from mappings.items import is_sold_in_variations

Fields = dict[str, Json]

# --- For whom ------------------------------------------------------------------------------------


class Holding(Enum):
    """What becomes of somebody's order or cart at a destination."""

    YES = "held, and kept true"
    STAYS = "kept true where it is held already; never brought there"
    NO = "not held"


# What was bought is a matter of the contract, and no permission to mail is asked for it. But an
# order brings its buyer along, as a contact: so it goes only where the buyer may be held. Who
# withdrew is not brought back by an order (invariant 3), and what is there stays, for its sums. A
# cart is held for nothing but a reminder by mail, so it needs the permission to send one.
_HOLDING: Mapping[Kind, Mapping[Permission | None, Holding]] = {
    Kind.ORDER: {
        Permission.SEND: Holding.YES,
        Permission.CONFIRM: Holding.YES,
        Permission.SILENT: Holding.YES,
        Permission.WITHDRAWN: Holding.STAYS,
        None: Holding.STAYS,  # nobody there, and none that may be brought
    },
    Kind.CART: {
        Permission.SEND: Holding.YES,
        Permission.CONFIRM: Holding.NO,
        Permission.SILENT: Holding.NO,
        Permission.WITHDRAWN: Holding.NO,
        None: Holding.NO,
    },
}


def should_hold(kind: Kind, permission: Permission | None, *, is_held: bool) -> bool:
    """Whether an order or cart of somebody with this permission is to be at a destination."""
    match _HOLDING[kind][permission]:
        case Holding.YES:
            return True
        case Holding.STAYS:
            return is_held
        case Holding.NO:
            return False


# --- What is told of each -----------------------------------------------------------------------

# https://woocommerce.com/document/managing-orders/order-statuses/
_WOOCOMMERCE = {
    "pending": "pending",
    "on-hold": "pending",
    "processing": "paid",
    "completed": "paid",
    "cancelled": "cancelled",
    "refunded": "refunded",
    "failed": "failed",
}
# https://shopify.dev/docs/api/admin-graphql/latest/enums/OrderDisplayFinancialStatus; cancelled is
# our word for an order with a moment at which it was.
_SHOPIFY = {
    "pending": "pending",
    "authorized": "pending",
    "partially_paid": "pending",
    "paid": "paid",
    "partially_refunded": "partially_refunded",
    "refunded": "refunded",
    "voided": "cancelled",
    "expired": "failed",
    "cancelled": "cancelled",
}
_STATUSES: Mapping[str, Mapping[str, str]] = {"woocommerce": _WOOCOMMERCE, "shopify": _SHOPIFY}


def product(shown: Shown) -> Fields | None:
    """A product with its variants; ``None`` for one that has none to be sold yet."""
    told = shown.product
    items = [item for item in shown.items if not is_sold_in_variations(item)]
    if not items:
        return None
    return {
        "shop": told.shop,
        "id": told.id,
        "title": told.title,
        "handle": _handle(told.url),
        "url": told.url,
        "description": told.description,
        "type": told.type,
        "vendor": told.vendor,
        "image_url": told.image_url,
        "variants": [_variant(item) for item in items],
    }


def is_shown(fields: Fields) -> bool:
    """Whether the shop shows a product, or any variant of it."""
    return any(variant["visible"] for variant in fields["variants"])


def order(bought: Bought, email: str, *, platform: str, counting: Collection[str]) -> Fields:
    """An order and its buyer, who goes by ``email`` now."""
    told = bought.order
    refunded = sum(refund.amount for refund in told.refunds)
    counts = told.status in counting

    def amount(minor: int) -> str:
        return _amount(minor, told.currency)

    return {
        "shop": told.shop,
        "id": told.id,
        "number": told.number,
        "status": _status(told, platform, refunded, counts=counts),
        "fulfilled": told.fulfilled,
        "counts": counts,
        "currency": told.currency,
        "total": amount(told.total),
        "tax": amount(told.tax),
        "shipping": amount(told.shipping),
        "discount": amount(told.discount),
        "refunded": amount(refunded),
        "placed_at": to_text(told.placed_at),
        "updated_at": to_text(told.version.at),
        "cancelled_at": to_text(told.cancelled_at) if told.cancelled_at else None,
        "landing_url": told.landing_url,
        "customer": {
            **_customer(told, email),
            "phone": told.phone,
            "country": next(iter(told.countries), None),
        },
        "lines": [_line(line, told.currency) for line in told.lines],
    }


def cart(basket: Basket, email: str) -> Fields | None:
    """A cart and whose it is; ``None`` for one that is ordered, or empty."""
    told = basket.cart
    if basket.is_ordered or not told.lines:
        return None
    return {
        "shop": told.shop,
        "id": told.id,
        "currency": told.currency,
        "total": _amount(told.total, told.currency),
        "url": told.url,
        "created_at": to_text(told.created_at),
        "updated_at": to_text(told.version.at),
        "customer": {**_customer(told, email), "phone": None, "country": None},
        "lines": [_line(line, told.currency) for line in told.lines],
    }


def promotion(told: Promotion, home: str | None) -> Fields | None:
    """A code; ``home`` is a page of the shop. ``None`` for an amount in a currency nobody told."""
    if told.worth is Worth.FIXED and told.currency is None:
        return None
    is_free_shipping = told.bearing is Bearing.SHIPPING
    return {
        "shop": told.shop,
        "id": told.id,
        "code": told.code,
        "title": told.title or told.code,
        "type": "percentage" if is_free_shipping else told.worth.value,
        "amount": _amount(told.amount, told.currency or "")
        if told.worth is Worth.FIXED
        else str(Decimal(told.amount).scaleb(-2)),
        "currency": told.currency,
        "target": told.bearing.value,
        "starts_at": to_text(told.starts_at) if told.starts_at else None,
        "ends_at": to_text(told.ends_at) if told.ends_at else None,
        "usage_count": told.usage_count,
        "enabled": told.enabled,
        "url": home,
    }


def _variant(item: ForSale) -> Fields:
    told = item.variant
    price = told.price if told.price is not None else told.regular_price
    return {
        "id": told.id,
        "title": told.title or item.product.title,
        "sku": told.sku,
        "price": _amount(price, told.currency) if price is not None and told.currency else None,
        "currency": told.currency,
        "stock": told.stock_quantity,
        "image_url": told.image_url or item.product.image_url,
        "url": told.url or item.product.url,
        "visible": status_of(item) == "active",
    }


def _customer(told: Order | Cart, email: str) -> Fields:
    return {
        "id": told.customer_id,
        "email": email,
        "first_name": told.first_name,
        "last_name": told.last_name,
        "company": told.company,
    }


def _line(told: Line, currency: str) -> Fields:
    before = told.total + told.discount
    each = Decimal(before) / told.quantity if told.quantity else Decimal(before)
    return {
        "id": told.id,
        "product_id": told.product_id,
        "variant_id": told.variant_id,
        "product_title": told.name,
        "sku": told.sku,
        "quantity": told.quantity,
        "price": _amount(int(each.quantize(Decimal(1), ROUND_HALF_UP)), currency),
        "discount": _amount(told.discount, currency),
        "total": _amount(told.total, currency),
    }


def _status(told: Order, platform: str, refunded: int, *, counts: bool) -> str:
    """One of six words for the platform's own; a shop's own word is what its mapping counts it as.

    What was given back is in the refunds, whatever the word says.
    """
    word = _STATUSES.get(platform, {}).get(told.status) or ("paid" if counts else "pending")
    if word in ("paid", "partially_refunded") and refunded > 0:
        return "refunded" if refunded >= told.total else "partially_refunded"
    return word


def _amount(minor: int, currency: str) -> str:
    return str(money.to_major(minor, currency))


def _handle(url: str | None) -> str | None:
    """The product's name in its address: the last part of the path."""
    path = urlsplit(url).path if url else ""
    return path.rstrip("/").rpartition("/")[2] or None
