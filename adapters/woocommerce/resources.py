"""Turns a WooCommerce order, customer or product into facts, once its shape is known."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.woocommerce.payloads import CustomerBody, LineItem, OrderBody, ProductBody
from adapters.woocommerce.reading import (
    members,
    read_address,
    read_amount,
    read_escaped,
    read_meta,
    read_phone,
)
from connector.countries import parse_country
from connector.model import (
    Customer,
    Deleted,
    Ignored,
    Kind,
    Line,
    Order,
    Product,
    Refund,
    Understanding,
    Understood,
    Variant,
    Wish,
)
from connector.money import parse_currency
from connector.shop_fields import (
    LONGEST_TEXT,
    BadFieldError,
    Slip,
    need_amount,
    need_id,
    read_email,
    read_id,
    read_moment,
    read_past,
    read_price,
    read_text,
    read_url,
    read_version,
    read_whole,
)

TRASH = "trash"
_SENT = "completed"  # https://woocommerce.com/document/managing-orders/order-statuses/
# The first page of the visit: OrderAttributionMeta.php, https://github.com/woocommerce/woocommerce
_ENTRY = "_wc_order_attribution_session_entry"
_DRAFTS = frozenset({"auto-draft", "checkout-draft", "draft"})
_BUYER_ROLES = frozenset({"customer", "subscriber"})
_WITH_VARIATIONS = frozenset({"variable", "variable-subscription"})
_VARIATION_TYPES = frozenset({"variation", "subscription_variation"})


# --- Orders ----------------------------------------------------------------------------------


def understand_order(body: OrderBody, slip: Slip) -> Understanding:
    """An order as a fact; one in the trash as gone, a basket not yet ordered as nothing.

    Raises `BadFieldError` without an id, a currency, readable amounts or a creation date in UTC.
    """
    if body.status in _DRAFTS:
        return Ignored(reason="draft")
    order_id = need_id(body.id, "id")
    version = read_version(body.date_modified_gmt, body.date_created_gmt, slip)
    if body.status == TRASH:
        gone = Deleted(shop=slip.shop, kind=Kind.ORDER, id=order_id, version=version)
        return Understood(facts=(gone,), flags=tuple(slip.flags))

    currency = parse_currency(body.currency)
    if currency is None:
        raise BadFieldError("currency", "currency")
    placed_at = read_past(body.date_created_gmt, slip)
    if placed_at is None:
        raise BadFieldError("date", "date_created_gmt")
    billing, shipping = read_address(body.billing), read_address(body.shipping)
    countries = (parse_country(billing.country), parse_country(shipping.country))
    meta = read_meta(body.meta_data)
    order = Order(
        shop=slip.shop,
        id=order_id,
        version=version,
        number=read_text(body.number) or order_id,
        status=body.status,
        currency=currency,
        total=need_amount(body.total, currency, "total"),
        placed_at=placed_at,
        tax=read_amount(body.total_tax, currency, "total_tax"),
        shipping=read_amount(body.shipping_total, currency, "shipping_total"),
        discount=read_amount(body.discount_total, currency, "discount_total"),
        paid_at=read_past(body.date_paid_gmt, slip),
        customer_id=read_id(body.customer_id),  # 0 is a guest
        email=read_email(billing.email, slip),
        phone=read_phone(billing, slip),
        first_name=read_text(billing.first_name),
        last_name=read_text(billing.last_name),
        company=read_text(billing.company),
        countries=tuple(dict.fromkeys(country for country in countries if country)),
        lines=_lines(body.line_items, currency, slip),
        refunds=_refunds(body, currency),
        fulfilled=body.status == _SENT,
        landing_url=read_url(meta.get(_ENTRY)),
        meta=meta,
    )
    return Understood(facts=(order,), flags=tuple(slip.flags))


def _lines(items: Iterable[LineItem], currency: str, slip: Slip) -> tuple[Line, ...]:
    lines: dict[str, Line] = {}
    for index, item in enumerate(items):
        line_id = read_id(item.id)
        if line_id is None or line_id in lines:  # a line still counts when its id is of no use
            line_id = f"#{index}"
        product_id = read_id(item.product_id)
        quantity = read_whole(item.quantity)
        if quantity is None or quantity != item.quantity:
            slip.flag("quantity_rounded")
        total = read_amount(item.total, currency, f"line_items[{index}].total")
        before = read_amount(item.subtotal or item.total, currency, f"line_items[{index}].subtotal")
        lines[line_id] = Line(
            id=line_id,
            product_id=product_id,
            variant_id=read_id(item.variation_id) or product_id,
            sku=read_text(item.sku),
            name=read_escaped(item.name),  # a product's name, as it was then
            quantity=quantity or 0,
            total=total,
            discount=max(before - total, 0),
        )
    return tuple(lines.values())


def _refunds(body: OrderBody, currency: str) -> tuple[Refund, ...]:
    refunds: dict[str, Refund] = {}
    for index, refund in enumerate(body.refunds or ()):
        refund_id = need_id(refund.id, f"refunds[{index}].id")
        refunds[refund_id] = Refund(
            id=refund_id,
            amount=abs(need_amount(refund.total, currency, f"refunds[{index}].total")),
            reason=read_text(refund.reason) or read_text(refund.refund),
        )
    return tuple(refunds.values())


# --- Customers -------------------------------------------------------------------------------


def understand_customer(body: CustomerBody, slip: Slip) -> Understanding:
    """A buyer's account as a fact. Accounts of editors and the like are staff, not customers."""
    if read_text(body.role) not in _BUYER_ROLES:
        return Ignored(reason="staff account")
    billing, shipping = read_address(body.billing), read_address(body.shipping)
    customer = Customer(
        shop=slip.shop,
        id=need_id(body.id, "id"),
        version=read_version(body.date_modified_gmt, body.date_created_gmt, slip),
        email=read_email(body.email, slip),
        phone=read_phone(billing, slip),
        first_name=read_escaped(body.first_name) or read_text(billing.first_name),
        last_name=read_escaped(body.last_name) or read_text(billing.last_name),
        company=read_text(billing.company),
        country=parse_country(billing.country) or parse_country(shipping.country),
        created_at=read_past(body.date_created_gmt, slip),
        meta=read_meta(body.meta_data),
    )
    return Understood(facts=(customer,), flags=tuple(slip.flags))


# --- Products --------------------------------------------------------------------------------


def understand_product(body: ProductBody, slip: Slip) -> Understanding:
    """A product with the one variant it sells as, or a variation of another product.

    A product that is sold in variations does not carry their prices: the wish asks for them.
    """
    kind = read_text(body.type)
    if kind in _VARIATION_TYPES:
        return _in_trash(body, slip, Kind.VARIANT) or Understood(
            facts=(read_variant(body, need_id(body.parent_id, "parent_id"), slip),),
            flags=tuple(slip.flags),
        )
    gone = _in_trash(body, slip, Kind.PRODUCT, Kind.VARIANT)
    if gone is not None:
        return gone
    product_id = need_id(body.id, "id")
    in_variations = kind in _WITH_VARIATIONS
    asked = (Wish(kind=Kind.PRODUCT, id=product_id),) if in_variations and body.variations else ()
    product = Product(
        shop=slip.shop,
        id=product_id,
        version=read_version(body.date_modified_gmt, body.date_created_gmt, slip),
        title=read_escaped(body.name),
        status=read_text(body.status),
        type=kind,
        description=read_text(body.description, LONGEST_TEXT)
        or read_text(body.short_description, LONGEST_TEXT),
        url=read_url(body.permalink),
        image_url=_image(body),
        vendor=next(iter(_names(body.brands)), ""),
        tags=_names(body.tags),
        categories=_names(body.categories),
        variants=() if in_variations else (read_variant(body, product_id, slip),),
        all_variants=not in_variations or body.variations == [],
        meta=read_meta(body.meta_data),
    )
    return Understood(facts=(product,), wishes=asked, flags=tuple(slip.flags))


def read_variant(body: ProductBody, product_id: str, slip: Slip) -> Variant:
    """What can be put in a basket: a variation, or a product that has none."""
    return Variant(
        shop=slip.shop,
        id=need_id(body.id, "id"),
        product_id=product_id,
        version=read_version(body.date_modified_gmt, body.date_created_gmt, slip),
        sku=read_text(body.sku),
        title=read_escaped(body.name),
        status=_status(body),
        currency=slip.currency,
        price=read_price(body.price, slip),
        regular_price=read_price(body.regular_price, slip),
        sale_price=read_price(body.sale_price, slip),
        sale_from=read_moment(body.date_on_sale_from_gmt),
        sale_to=read_moment(body.date_on_sale_to_gmt),
        stock_status=read_text(body.stock_status) or None,
        stock_quantity=read_whole(body.stock_quantity) if body.manage_stock else None,
        image_url=_image(body),
        url=read_url(body.permalink),
        attributes=_attributes(body.attributes),
        meta=read_meta(body.meta_data),
    )


def _in_trash(body: ProductBody, slip: Slip, *kinds: Kind) -> Understood | None:
    """A product in the trash is gone, and so is the variant that bears its id."""
    if body.status != TRASH:
        return None
    version = read_version(body.date_modified_gmt, body.date_created_gmt, slip)
    gone_id = need_id(body.id, "id")
    gone = tuple(Deleted(shop=slip.shop, kind=k, id=gone_id, version=version) for k in kinds)
    return Understood(facts=gone, flags=tuple(slip.flags))


def _status(body: ProductBody) -> str:
    """The status word; the documentation's sample has ``true`` for a variation on sale."""
    match body.status:
        case True:
            return "publish"
        case False:
            return "private"
        case _:
            return read_text(body.status)


def _image(body: ProductBody) -> str | None:
    pictures = [*members(body.images), *members([body.image])]
    return next((url for picture in pictures if (url := read_url(picture.get("src")))), None)


def _names(terms: object) -> tuple[str, ...]:
    names = (read_escaped(term.get("name")) for term in members(terms))
    return tuple(dict.fromkeys(name for name in names if name))


def _attributes(attributes: object) -> dict[str, str]:
    """Size, colour and so on: one ``option`` for a variation, all ``options`` for a product."""
    found: dict[str, str] = {}
    for attribute in members(attributes):
        name = read_escaped(attribute.get("name"))
        options = attribute.get("options")
        value = read_escaped(attribute.get("option")) or ", ".join(
            read_escaped(option) for option in (options if isinstance(options, list) else ())
        )
        if name and value:
            found[name] = value
    return found
