"""What the stand-in shop sells: yarn, needles, patterns and bags, simple and in several colours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adapters.woocommerce.sandbox_books import Books
    from adapters.woocommerce.sandbox_shelves import Shelves


@dataclass(frozen=True, slots=True, kw_only=True)
class Ware:
    """One product as it is put on sale; prices as a shopkeeper types them."""

    kind: str
    name: str
    price: str
    sale: str = ""
    counted: bool = False
    option: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Something that can be put in a basket; ``variation_id`` is 0 for a simple product."""

    kind: str
    product_id: int
    variation_id: int


WARES = (
    Ware(kind="yarn", name="Sølvgarn ull & alpakka 50 g", price="79", counted=True),
    Ware(kind="yarn", name="Tynn ull 50 g", price="64.90", sale="49.90"),
    Ware(
        kind="yarn",
        name="Tjukk ull 100 g",
        price="119.00",
        option="Farge",
        options=("Rød", "Blå", "Grønn", "Ubleket"),
    ),
    Ware(
        kind="yarn", name="Sokkegarn", price="89.5", option="Farge", options=("Lilla", "Kråkesvart")
    ),
    Ware(
        kind="needles",
        name="Rundpinne i bjørk",
        price="149.00",
        counted=True,
        option="Størrelse",
        options=("3,5 mm", "4 mm", "5 mm"),
    ),
    Ware(kind="needles", name="Strømpepinner 2,5 mm", price="99.00"),
    Ware(kind="needles", name="Heklenål 4 mm", price="59", counted=True),
    Ware(kind="patterns", name="Mønster: Åsgard-genser", price="65.00"),
    Ware(kind="patterns", name='Mønster: "Łódź" lue', price="45.00", sale="39"),
    Ware(kind="patterns", name="Bok: Strikk & drikk", price="399.00"),
    Ware(kind="bags", name="Prosjektveske", price="349", option="Farge", options=("Grå", "Rust")),
    Ware(kind="bags", name="Garnskål i keramikk", price="429.00", sale="359.00", counted=True),
    Ware(kind="buttons", name="Tinnknapper, 6 stk.", price="84.00"),
    Ware(kind="buttons", name="Knapper i horn", price="24.25"),
)
KINDS = tuple(dict.fromkeys(ware.kind for ware in WARES))
COUPON = "velkommen-12"


def stock(shelves: Shelves, now: datetime) -> list[Offer]:
    """Put everything on sale; gives what can be bought."""
    offers = []
    for number, ware in enumerate(WARES, 1):
        sku = f"{ware.kind[:2].upper()}-{number:03}"
        kind = {"id": KINDS.index(ware.kind) + 1, "name": ware.kind, "slug": ware.kind}
        given: dict[str, Any] = {"name": ware.name, "sku": sku, "categories": [kind]}
        if not ware.options:
            made = shelves.create({**given, **_terms(ware)}, now=now)
            offers.append(Offer(kind=ware.kind, product_id=made["id"], variation_id=0))
            continue
        axis = {"name": ware.option, "options": ware.options}
        parent = shelves.create({**given, "type": "variable", "attributes": [axis]}, now=now)
        for place, option in enumerate(ware.options, 1):
            chosen = {"attributes": [{"name": ware.option, "option": option}]}
            terms = {**_terms(ware), **chosen, "sku": f"{sku}-{place}"}
            made = shelves.create(terms, parent_id=parent["id"], now=now)
            offers.append(Offer(kind=ware.kind, product_id=parent["id"], variation_id=made["id"]))
    shelves.create_coupon({"code": COUPON, "amount": "12.50"}, now=now)
    return offers


def on_sale(books: Books, shelves: Shelves) -> list[Offer]:
    """What can be bought in a shop that has goods already."""
    found = []
    for row in books.rows("products", "status = 'publish' AND type <> 'variable'"):
        body = shelves.get(row["parent_id"] or row["id"])
        kinds = [category["slug"] for category in body["categories"]]
        if body["status"] == "publish" and kinds and kinds[0] in KINDS:
            variation = row["id"] if row["parent_id"] else 0
            found.append(Offer(kind=kinds[0], product_id=body["id"], variation_id=variation))
    return found


def _terms(ware: Ware) -> dict[str, Any]:
    counted = {"manage_stock": True, "stock_quantity": 100_000} if ware.counted else {}
    return {"regular_price": ware.price, "sale_price": ware.sale, **counted}
