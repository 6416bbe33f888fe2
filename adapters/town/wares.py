"""What the town's shop sells: yarn, needles, patterns and bags, simple and in several colours."""

from __future__ import annotations

from dataclasses import dataclass


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
    """Something that can be put in a basket, by the shop's numbers; ``variant`` may be 0: none."""

    kind: str
    product: int
    variant: int


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
COUPON_PERCENT = "12.50"
PIECES = 100_000
"""How many pieces of a counted ware lie in stock."""
SENDING = "79.00"
"""What sending costs when it is not free."""


def sku_of(number: int, ware: Ware, place: int = 0) -> str:
    """The number that a ware (its ``number`` from 1) has on its label; ``place`` of its options."""
    whole = f"{ware.kind[:2].upper()}-{number:03}"
    return f"{whole}-{place}" if place else whole


def picture_of(number: int) -> str:
    """The address of a ware's picture, by its place in `WARES` from 1."""
    return f"https://pictures.example/{number}.jpg"
