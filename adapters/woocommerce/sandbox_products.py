"""The exact bodies of what the stand-in shop sells: simple and variable products, variations.

A webhook carries a variation as a product of ``type: variation``; asked for under its parent, the
same thing has fewer and other fields. Shapes:
https://woocommerce.github.io/woocommerce-rest-api-docs/#product-properties and
https://woocommerce.github.io/woocommerce-rest-api-docs/#product-variation-properties.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from adapters.town.slugs import slug
from adapters.woocommerce.sandbox_payloads import Body, Site, both, escaped, links

WRITABLE = (
    "status",
    "description",
    "short_description",
    "sku",
    "regular_price",
    "sale_price",
    "manage_stock",
    "stock_quantity",
    "stock_status",
    "catalog_visibility",
    "categories",
    "tags",
    "images",
    "attributes",
    "virtual",
)
"""Fields that are kept as they are written; ``name`` and ``meta_data`` have rules of their own."""

_VARIATION = (
    *("id", "type", "date_created", "date_created_gmt", "date_modified", "date_modified_gmt"),
    *("description", "permalink", "sku", "global_unique_id", "price", "regular_price"),
    *("sale_price", "date_on_sale_from", "date_on_sale_from_gmt", "date_on_sale_to"),
    *("date_on_sale_to_gmt", "on_sale", "status", "purchasable", "virtual", "downloadable"),
    *("downloads", "download_limit", "download_expiry", "tax_status", "tax_class", "manage_stock"),
    *("stock_quantity", "stock_status", "backorders", "backorders_allowed", "backordered"),
    *("low_stock_amount", "weight", "dimensions", "shipping_class", "shipping_class_id"),
)


def product(
    site: Site,
    number: int,
    now: datetime,
    given: Mapping[str, Any],
    *,
    parent: Body | None = None,
    meta_data: list[Body],
) -> Body:
    """A new product, or with ``parent`` a variation of it as webhooks carry it."""
    name = escaped(given.get("name", "")) or _variation_name(parent, given)
    body: Body = {
        "id": number,
        "name": name,
        "slug": slug(name),
        "permalink": f"{site.url}/product/{slug(parent['name'] if parent else name)}/",
        **both("date_created", now, site),
        **both("date_modified", now, site),
        "type": "variation" if parent else given.get("type", "simple"),
        "status": "publish",
        "featured": False,
        "catalog_visibility": "visible",
        "description": "",
        "short_description": "",
        "sku": "",
        "price": "",
        "regular_price": "",
        "sale_price": "",
        **both("date_on_sale_from", None, site),
        **both("date_on_sale_to", None, site),
        "on_sale": False,
        "purchasable": False,
        "total_sales": "0" if parent else 0,
        "virtual": False,
        "downloadable": False,
        "downloads": [],
        "download_limit": -1,
        "download_expiry": -1,
        "external_url": "",
        "button_text": "",
        "tax_status": "taxable",
        "tax_class": "",
        "manage_stock": False,
        "stock_quantity": None,
        "backorders": "no",
        "backorders_allowed": False,
        "backordered": False,
        "low_stock_amount": None,
        "sold_individually": False,
        "weight": "",
        "dimensions": {"length": "", "width": "", "height": ""},
        "shipping_required": True,
        "shipping_taxable": True,
        "shipping_class": "",
        "shipping_class_id": 0,
        "reviews_allowed": parent is None,
        "average_rating": "0.00",
        "rating_count": 0,
        "upsell_ids": [],
        "cross_sell_ids": [],
        "parent_id": parent["id"] if parent else 0,
        "purchase_note": "",
        "categories": [],
        "brands": [],
        "tags": [],
        "images": [],
        "attributes": [],
        "default_attributes": [],
        "variations": [],
        "grouped_products": [],
        "menu_order": 0,
        "price_html": "",
        "related_ids": [],
        "meta_data": meta_data,
        "stock_status": "instock",
        "has_options": parent is None and given.get("type") == "variable",
        "post_password": "",
        "global_unique_id": "",
        "_links": links(site, f"products/{number}"),
    }
    if parent:
        body["_links"]["up"] = [{"href": f"{site.api}/products/{parent['id']}"}]
    write(body, given, site)
    return body


def write(body: Body, given: Mapping[str, Any], site: Site) -> None:
    """Take over what was given, and what follows from it: the price in force, stock, options."""
    body.update({field: given[field] for field in WRITABLE if field in given})
    if given.get("name"):
        body["name"] = escaped(given["name"])
    body["attributes"] = [
        _attribute(entry, variation=body["type"] == "variation") for entry in body["attributes"]
    ]
    if body["type"] == "variation" and body["attributes"]:
        chosen = urlencode({f"attribute_{a['slug']}": a["option"] for a in body["attributes"]})
        body["permalink"] = f"{body['permalink'].partition('?')[0]}?{chosen}"
    if body["type"] != "variable":
        _price(body, body["sale_price"] or body["regular_price"], site)
    if body["manage_stock"]:
        body["stock_quantity"] = int(body["stock_quantity"] or 0)
        body["stock_status"] = "instock" if body["stock_quantity"] > 0 else "outofstock"


def gather(parent: Body, variations: list[Body], site: Site) -> None:
    """Let a variable product show its variations' ids and the lowest of their prices."""
    parent["variations"] = [child["id"] for child in variations]
    prices = sorted((child["price"] for child in variations if child["price"]), key=float)
    parent["stock_status"] = "instock" if prices else "outofstock"
    _price(parent, prices[0] if prices else "", site)


def as_variation(body: Body, site: Site) -> Body:
    """A variation as asked for under its parent."""
    parent = body["parent_id"]
    shown: Body = {field: body[field] for field in _VARIATION}
    chosen = ", ".join(entry["option"] for entry in body["attributes"])
    image = body["images"][0] if body["images"] else None
    shown |= {"image": image, "gallery_image_ids": [], "attributes": body["attributes"]}
    shown |= {"menu_order": 0, "meta_data": body["meta_data"], "name": chosen, "parent_id": parent}
    shown["_links"] = links(site, f"products/{parent}/variations/{body['id']}")
    shown["_links"]["up"] = [{"href": f"{site.api}/products/{parent}"}]
    return shown


def coupon(site: Site, number: int, now: datetime, given: Mapping[str, Any]) -> Body:
    """A coupon; ``code`` is lower case in every shop."""
    body: Body = {
        "id": number,
        "code": given["code"].lower(),
        "amount": given.get("amount", "0.00"),
        "status": "publish",
        **both("date_created", now, site),
        **both("date_modified", now, site),
        "discount_type": given.get("discount_type", "percent"),
        "description": "",
        **both("date_expires", None, site),
        "usage_count": 0,
        "individual_use": False,
        "product_ids": [],
        "excluded_product_ids": [],
        "usage_limit": None,
        "usage_limit_per_user": None,
        "limit_usage_to_x_items": None,
        "free_shipping": False,
        "product_categories": [],
        "excluded_product_categories": [],
        "exclude_sale_items": False,
        "minimum_amount": "0.00",
        "maximum_amount": "0.00",
        "email_restrictions": [],
        "used_by": [],
        "meta_data": [],
        "_links": links(site, f"coupons/{number}"),
    }
    return body | {name: given[name] for name in given if name in body and name != "code"}


def _attribute(entry: Mapping[str, Any], *, variation: bool) -> Body:
    name = entry["name"]
    known: Body = {"id": 0, "name": name, "slug": slug(name) if variation else name}
    if variation:
        return known | {"option": entry["option"]}
    return known | {
        "position": 0,
        "visible": True,
        "variation": True,
        "options": list(entry.get("options", ())),
    }


def _variation_name(parent: Body | None, given: Mapping[str, Any]) -> str:
    chosen = ", ".join(entry["option"] for entry in given.get("attributes", ()))
    return f"{parent['name']} - {chosen}" if parent and chosen else ""


def _price(body: Body, price: str, site: Site) -> None:
    body["price"] = price
    body["on_sale"] = bool(body["sale_price"])
    body["purchasable"] = bool(price)
    shown = f'<span class="woocommerce-Price-amount amount"><bdi>{site.symbol} {price}</bdi></span>'
    body["price_html"] = shown if price else ""
