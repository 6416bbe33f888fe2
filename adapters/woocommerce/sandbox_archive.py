"""A long past for the stand-in shop: a million orders that are made up when they are asked for.

Each order follows from its number alone, so nothing is kept of it. Some dozens are written out
beforehand, with gaps for what differs; a page only fills the gaps.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from adapters.woocommerce import sandbox_orders as bodies
from adapters.woocommerce import sandbox_queries as lists
from adapters.woocommerce.sandbox_desk import OPT_IN
from adapters.woocommerce.sandbox_orders import Goods
from adapters.woocommerce.sandbox_payloads import Body, Site, gmt, local, php_json, touch
from adapters.woocommerce.sandbox_refunds import refund_entry
from adapters.woocommerce.sandbox_samples import ATTRIBUTION, YARNS

_PATTERNS = 48
_REFUNDED = 12  # every so many patterns one has a refund
_PRIME = 7919
_THEN = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
_NUMBER, _BUYER, _ACCOUNT = 987650321, 987650888, 987650999


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePage:
    """One page of the archive: bodies as the shop would send them, and how many there are."""

    bodies: list[bytes]
    total: int
    pages: int


@dataclass(slots=True, kw_only=True)
class Archive:
    """``orders`` orders, numbered from 1, one ``every`` so often since ``first``, by ``buyers``.

    Every second buyer has an account; about every twelfth order was refunded in part.
    """

    site: Site
    orders: int
    buyers: int = 20_000
    first: datetime = datetime(2018, 1, 1, tzinfo=UTC)
    every: timedelta = timedelta(seconds=240)
    _patterns: list[bytes] = field(default_factory=list)
    _chosen: dict[tuple[int, str], bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._patterns = [php_json(_written_out(self.site, each)) for each in range(_PATTERNS)]

    def body(self, number: int, fields: str = "") -> bytes:
        """One order, or only those ``fields`` of it, as the shop would send it."""
        buyer = number * _PRIME % self.buyers + 1
        moment = self.first + number * self.every
        return self._pattern(number % _PATTERNS, fields) % {
            b"number": b"%d" % number,
            b"buyer": b"%d" % buyer,
            b"account": b"%d" % (buyer if buyer % 2 == 0 else 0),
            b"gmt": (gmt(moment) or "").encode(),
            b"local": (local(moment, self.site) or "").encode(),
        }

    def page(self, given: lists.Given) -> ArchivePage:
        """The page that was asked for; in order of id or time, which are the same here."""
        number = lists.integer(given, "page", 1, low=1)
        size = lists.integer(given, "per_page", 10, low=1, high=lists.LARGEST_PAGE)
        start = lists.integer(given, "offset", (number - 1) * size, low=0)
        lists.member("orderby", given.get("orderby", "date"), ("id", "date", "modified"))
        lists.member("order", given.get("order", "desc"), ("asc", "desc"))
        begun = self._after(given)
        total = max(0, self.orders - begun)
        places = range(start, min(start + size, total))
        falling = given.get("order", "desc") == "desc"
        fields = given.get("_fields", "")
        found = [
            self.body(self.orders - place if falling else begun + place + 1, fields)
            for place in places
        ]
        total = total if found or start == 0 else 0
        return ArchivePage(bodies=found, total=total, pages=-(-total // size))

    def _after(self, given: lists.Given) -> int:
        """How many orders are left out by a moment."""
        names = [name for name in ("modified_after", "after") if given.get(name)]
        seconds = max((lists.seconds_of(given, name, self.site) for name in names), default=None)
        if seconds is None:
            return 0
        return min(
            self.orders,
            max(0, int((seconds - self.first.timestamp()) // self.every.total_seconds())),
        )

    def _pattern(self, which: int, fields: str) -> bytes:
        known = self._chosen.get((which, fields))
        if known is None:
            known = self._chosen[which, fields] = _with_gaps(
                self._patterns[which], fields, self.site
            )
        return known


def _with_gaps(pattern: bytes, fields: str, site: Site) -> bytes:
    """A body with a gap for everything that depends on its number."""
    if fields:
        whole = json.loads(pattern)
        pattern = php_json({name: whole[name] for name in fields.split(",") if name in whole})
    gaps = {
        str(_NUMBER): b"%(number)b",
        str(_BUYER): b"%(buyer)b",
        str(_ACCOUNT): b"%(account)b",
        gmt(_THEN): b"%(gmt)b",
        local(_THEN, site): b"%(local)b",
    }
    pattern = pattern.replace(b"%", b"%%")
    for then, gap in gaps.items():
        pattern = pattern.replace((then or "").encode(), gap)
    return pattern


def _written_out(site: Site, which: int) -> Body:
    chance = random.Random(which)
    names = {"first_name": chance.choice(("Kari", "Ola", "Åse")), "last_name": "Ødegård"}
    buyer = names | {
        "address_1": "Strandgata 4",
        "city": "Bodø",
        "postcode": "8006",
        "country": "NO",
        "email": f"kunde{_BUYER}@epost.example",
        "phone": f"+47412{which:05}",
    }
    meta = [
        {"id": at, "key": f"_wc_order_attribution_{name}", "value": value}
        for at, (name, value) in enumerate(ATTRIBUTION.items())
    ]
    if chance.random() < 0.6:  # noqa: PLR2004 - so many tick the box
        meta.append({"id": 19, "key": OPT_IN, "value": "1"})
    given = {
        "customer_id": _ACCOUNT,
        "billing": buyer,
        "shipping": buyer,
        "payment_method": "stripe",
        "payment_method_title": "Kort",
        "customer_ip_address": "192.0.2.7",
        "customer_user_agent": ATTRIBUTION["user_agent"],
    }
    key = f"wc_order_{_NUMBER}"
    order = bodies.new_order(
        site, _NUMBER, _THEN, given, key=key, created_via="store-api", meta_data=meta
    )
    order["line_items"] = [_line(site, chance, at) for at in range(chance.choice((4, 5, 6, 6, 7)))]
    order["shipping_lines"] = [bodies.shipping_line(site, _item(8), 7900)]
    bodies.total_up(order, site, _item(9))
    bodies.turn(order, "completed", _THEN, site, paid=True)
    if which % _REFUNDED == 0:
        order["refunds"] = [refund_entry(site, _item(7), amount=4900, reason="for liten")]
        touch(order, _THEN, site)
    return order


def _item(digit: int) -> int:
    """The id of a part of an order: the order's number and one more digit."""
    return _NUMBER * 10 + digit


def _line(site: Site, chance: random.Random, at: int) -> Body:
    price, quantity = chance.choice((4900, 8900, 12900, 19900)), chance.choice((1, 1, 2, 4))
    product, name = chance.randint(1, 400), chance.choice(YARNS)
    return bodies.line(
        site,
        _item(at),
        Goods(
            name=f"{name} - farge {product % 40}",
            product_id=product,
            variation_id=product + 1000,
            sku=f"GARN-{product:04}",
            parent_name=name,
            options=({"slug": "pa_farge", "name": "Farge", "option": "mose"},),
        ),
        quantity=quantity,
        subtotal=price * quantity,
        total=price * quantity,
    )
