"""A past of any length for the stand-in shop: made up line by line, the same at every reading.

For measuring only. Nothing of it is in the shop's books, and only bulk operations show it: so many
orders, a tenth as many accounts, and a few products. Every line of one kind has the same length, so
that a file's size is known, and a reading may begin anywhere, without making the whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from adapters.shopify.sandbox_words import LONG

_LINES = 3
_PRODUCTS = 1000
_AT_ONCE = 200
_KIND = re.compile(r"\b(orders|customers|products)\b")
_BEGIN = 1_700_000_000  # seconds since 1970; each order comes one later
_DAY = 86_400

_BAG = '{"shopMoney":{"amount":"%s","currencyCode":"NOK"}}'
_CONTACT = (
    '{"firstName":"Kari","lastName":"Nordmann %(buyer)07d","company":null,'
    '"phone":"+47220%(digits)05d","countryCodeV2":"NO"}'
)
_ORDER = (
    '{"id":"gid://shopify/Order/%(order)d","name":"#%(name)08d","test":false,'
    '"createdAt":"%(at)s","updatedAt":"%(at)s","processedAt":"%(at)s","cancelledAt":null,'
    '"sourceName":"web","customerAcceptsMarketing":%(tick)s,"displayFinancialStatus":"PAID","displayFulfillmentStatus":"FULFILLED",'
    '"email":"kari.%(buyer)07d@epost.example","phone":null,"taxesIncluded":true,'
    '"currencyCode":"NOK","customer":{"id":"gid://shopify/Customer/%(customer)d",'
    '"firstName":"Kari","lastName":"Nordmann %(buyer)07d"},'
    f'"billingAddress":{_CONTACT},"shippingAddress":{_CONTACT},'
    f'"totalPriceSet":{_BAG % "%(total)06d.50"},"totalTaxSet":{_BAG % "%(tax)06d.10"},'
    f'"totalShippingPriceSet":{_BAG % "49.00"},"totalDiscountsSet":{_BAG % "0.00"},'
    '"customAttributes":[],"refunds":[]}\n'
)
_LINE = (
    '{"id":"gid://shopify/LineItem/%(line)d","name":"Tjukk ull - %(colour)04d",'
    '"sku":"UL-%(colour)04d","quantity":2,'
    '"product":{"id":"gid://shopify/Product/%(product)d"},'
    '"variant":{"id":"gid://shopify/ProductVariant/%(variant)d"},'
    f'"originalUnitPriceSet":{_BAG % "%(price)04d.50"},"discountAllocations":[],'
    f'"taxLines":[{{"priceSet":{_BAG % "%(tax)04d.10"}}}],'
    '"__parentId":"gid://shopify/Order/%(order)d"}\n'
)
_CUSTOMER = (
    '{"id":"gid://shopify/Customer/%(customer)d","firstName":"Kari",'
    '"lastName":"Nordmann %(buyer)07d","locale":"nb","tags":["vip"],"createdAt":"%(at)s",'
    '"updatedAt":"%(at)s","defaultAddress":{"company":null,"phone":"+47220%(digits)05d",'
    '"countryCodeV2":"NO"},"defaultEmailAddress":{'
    '"emailAddress":"kari.%(buyer)07d@epost.example","marketingState":"%(state)s",'
    '"marketingOptInLevel":"SINGLE_OPT_IN","marketingUpdatedAt":"%(at)s"},'
    '"defaultPhoneNumber":null}\n'
)
_PRODUCT = (
    '{"id":"gid://shopify/Product/%(product)d","title":"Tjukk ull %(colour)04d",'
    '"handle":"tjukk-ull-%(colour)04d","status":"ACTIVE","vendor":"Ull og Pinner",'
    '"productType":"Garn","descriptionHtml":"<p>Mykt.</p>","tags":["ull"],"createdAt":"%(at)s",'
    '"updatedAt":"%(at)s","publishedAt":"%(at)s","category":null,"featuredMedia":null}\n'
    '{"id":"gid://shopify/ProductVariant/%(variant)d","title":"Default Title",'
    '"sku":"UL-%(colour)04d","price":"%(price)04d.50","compareAtPrice":null,'
    '"inventoryPolicy":"DENY","inventoryQuantity":12,"updatedAt":"%(at)s",'
    '"inventoryItem":{"tracked":true},"selectedOptions":[{"name":"Title",'
    '"value":"Default Title"}],"__parentId":"gid://shopify/Product/%(product)d"}\n'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """So many orders, each with three lines."""

    orders: int

    @property
    def customers(self) -> int:
        """How many accounts they are spread over."""
        return max(1, self.orders // 10)

    def file_for(self, query: str) -> tuple[int, int, int, Callable[[int], Iterator[bytes]]]:
        """For a bulk query: the file's size, all objects, those at the root, how to read it."""
        found = _KIND.search(query)
        kind = found[1] if found else "orders"
        roots, each = {
            "orders": (self.orders, 1 + _LINES),
            "customers": (self.customers, 1),
            "products": (min(_PRODUCTS, self.orders), 2),
        }[kind]
        make = {"orders": self._order, "customers": self._customer, "products": self._product}[kind]
        length = len(make(0))
        return roots * length, roots * each, roots, lambda start: _read(make, roots, length, start)

    def _order(self, number: int) -> bytes:
        buyer = number * 7919 % self.customers
        words: dict[str, object] = {
            "order": LONG + number,
            "name": number,
            "at": _at(_BEGIN + number),
            "tick": "true " if number % 3 == 0 else "false",
            "buyer": buyer,
            "digits": buyer % 100_000,
            "customer": LONG + buyer,
            "total": 100 + number * 37 % 9000,
            "tax": 20 + number * 7 % 1800,
        }
        text = _ORDER % words
        for place in range(_LINES):
            text += _LINE % self._sold(number * _LINES + place, LONG + number)
        return text.encode()

    def _sold(self, line: int, order: int) -> Mapping[str, object]:
        colour = line * 31 % min(_PRODUCTS, self.orders)
        return {
            "line": LONG + line,
            "colour": colour,
            "product": LONG + colour,
            "variant": LONG + colour,
            "price": 10 + line * 13 % 900,
            "tax": 2 + line * 3 % 180,
            "order": order,
        }

    def _customer(self, number: int) -> bytes:
        state = ("SUBSCRIBED    ", "UNSUBSCRIBED  ", "NOT_SUBSCRIBED")[number % 3]
        words = {
            "customer": LONG + number,
            "buyer": number,
            "digits": number % 100_000,
            "at": _at(_BEGIN),
            "state": state.strip(),
        }
        return (_CUSTOMER % words).replace("}\n", "}".ljust(1 + state.count(" ")) + "\n").encode()

    def _product(self, number: int) -> bytes:
        sold = self._sold(0, 0)
        words = {
            **sold,
            "colour": number,
            "product": LONG + number,
            "variant": LONG + number,
            "at": _at(_BEGIN),
        }
        return (_PRODUCT % words).encode()


def _read(make: Callable[[int], bytes], roots: int, length: int, start: int) -> Iterator[bytes]:
    number, skip = divmod(start, length)
    for begin in range(number, roots, _AT_ONCE):
        piece = b"".join(map(make, range(begin, min(begin + _AT_ONCE, roots))))
        yield piece[skip:]
        skip = 0


def _at(seconds: int) -> str:
    """As ``strftime`` would write it, in a third of the time."""
    days, rest = divmod(seconds, _DAY)
    return f"{_date(days)}T{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}Z"


@lru_cache(maxsize=64)
def _date(days: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=days)).isoformat()
