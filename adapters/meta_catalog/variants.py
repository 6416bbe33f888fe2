"""Which of Meta's four variant fields a shop's own word for a choice means, in eight languages."""

from __future__ import annotations

from collections.abc import Mapping

LONGEST = {"color": 200, "size": 200, "material": 200, "pattern": 100}
"""Meta's variant fields with the most characters each takes.

https://developers.facebook.com/docs/commerce-platform/catalog/variants
"""

ADDITIONAL = "additional_variant_attribute"
_LONGEST_ADDITIONAL = 200

# English, Norwegian, Danish, Swedish, Polish, German, Dutch, French.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "color": (
        *("color", "colour", "colors", "colours", "farge", "farve", "färg", "kolor", "barwa"),
        *("farbe", "kleur", "couleur", "fargevalg"),
    ),
    "size": (
        *("size", "sizes", "størrelse", "str", "storlek", "rozmiar", "größe", "groesse", "maat"),
        *("taille", "pointure", "skostørrelse", "skostorlek", "wielkość"),
    ),
    "material": (
        *("material", "fabric", "materiale", "stoff", "stof", "materiał", "tkanina", "materiaal"),
        *("stoffart", "matière", "tyg", "kvalitet"),
    ),
    "pattern": (
        *("pattern", "mønster", "mönster", "wzór", "wzor", "muster", "patroon", "motif", "design"),
    ),
}
_MEANS = {word: field for field, words in _WORDS.items() for word in words}


def variant_fields(options: Mapping[str, str]) -> dict[str, str]:
    """The options as Meta's fields; what fits none of the four goes together into a fifth.

    There the names and values stand as ``Scent:Lime,Strength:Mild``.
    """
    found: dict[str, str] = {}
    others: list[str] = []
    for name, value in options.items():
        field = _MEANS.get(_plain(name))
        if field is not None and field not in found:
            found[field] = value[: LONGEST[field]]
        else:
            others.append(f"{_bare(name)}:{_bare(value)}")
    while others and len(",".join(others)) > _LONGEST_ADDITIONAL:
        others.pop()
    return found | ({ADDITIONAL: ",".join(others)} if others else {})


def _plain(name: str) -> str:
    """A choice's name without capitals, dots and the prefix of WooCommerce's shared ones."""
    return name.strip().casefold().removeprefix("pa_").rstrip(".:")


def _bare(text: str) -> str:
    """Without the two signs that part names from values and one from the next."""
    return " ".join(text.replace(",", " ").replace(":", " ").split())
