"""The people of the town who may buy: names and addresses of the North and of Poland.

Nobody here exists: domains end in ``.example`` (RFC 2606), Swedish phone numbers are from the range
that is kept for fiction (https://www.pts.se), other people give none.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.town.slugs import slug


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """Where somebody lives: how often, what they are called, which towns and streets there are."""

    weight: int
    domain: str
    firsts: tuple[str, ...]
    lasts: tuple[str, ...]
    towns: tuple[tuple[str, str], ...]
    streets: tuple[str, ...]


_ICELANDIC = (
    ("Þórunn", "Guðrún", "Björk", "Sigríður", "Ólafur", "Jón", "Ragnheiður", "Æsa"),
    ("Jónsdóttir", "Guðmundsson", "Þórsdóttir", "Einarsson", "Björnsdóttir", "Ægisdóttir"),
)

LANDS: Mapping[str, Land] = {
    "NO": Land(
        weight=50,
        domain="epost.example",
        firsts=(
            *("Åse", "Bjørn", "Ingrid", "Øyvind", "Solveig", "Kjærsti", "Håkon", "Ragnhild"),
            *("Máret", "Tor Åge", "Anne-Grete", "Synnøve", "Leif", "Astrid", "Jøran", "Gro"),
        ),
        lasts=(
            *("Ødegård", "Hansen", "Bråten", "Sæther", "Nygård", "Løvås", "Myhre", "Østby"),
            *("Åsheim", "Kjærvik", "Haugland", "Sørlie", "Bjørnstad", "Dahl", "Skår", "O'Neill"),
        ),
        towns=(("Oslo", "0155"), ("Tromsø", "9008"), ("Bergen", "5003"), ("Ålesund", "6002")),
        streets=("Storgata", "Bryggen", "Kirkeveien", "Sjøgata"),
    ),
    "SE": Land(
        weight=12,
        domain="brev.example",
        firsts=("Åsa", "Björn", "Märta", "Göran", "Linnéa", "Örjan", "Siv", "Håkan"),
        lasts=("Ångström", "Lindström", "Sjögren", "Öberg", "Åkesson", "Nyström", "Häggkvist"),
        towns=(("Göteborg", "411 03"), ("Malmö", "211 20"), ("Umeå", "903 26")),
        streets=("Storgatan", "Kungsgatan", "Ågatan"),
    ),
    "DK": Land(
        weight=12,
        domain="brevkasse.example",
        firsts=("Søren", "Kirsten", "Jørgen", "Maj-Britt", "Pærnille", "Åge", "Bodil"),
        lasts=("Sørensen", "Kjær", "Nørgaard", "Bæk", "Østergaard", "Højgaard", "Ågesen"),
        towns=(("København", "1050"), ("Aarhus", "8000"), ("Rønne", "3700")),
        streets=("Strøget", "Nørregade", "Ærøvej"),
    ),
    "FI": Land(
        weight=8,
        domain="posti.example",
        firsts=("Päivi", "Väinö", "Aino", "Jyrki", "Öystein", "Eeva-Liisa", "Tyyne"),
        lasts=("Mäkinen", "Hämäläinen", "Pöyhönen", "Väisänen", "Järvi", "Åström", "Lehto"),
        towns=(("Jyväskylä", "40100"), ("Helsinki", "00100"), ("Hyvinkää", "05800")),
        streets=("Hämeenkatu", "Mäkikatu", "Töölönkatu"),
    ),
    "PL": Land(
        weight=10,
        domain="poczta.example",
        firsts=("Łukasz", "Małgorzata", "Święcisława", "Zofia", "Krzysztof", "Agnieszka", "Józef"),
        lasts=("Żółć", "Wiśniewska", "Gałązka", "Święcicki", "Ćwikła", "Łoś", "Dąbrowski-Źrebiec"),
        towns=(("Łódź", "90-001"), ("Kraków", "30-001"), ("Świnoujście", "72-600")),
        streets=("ul. Żwirki", "ul. Piękna", "ul. Łąkowa"),
    ),
    "DE": Land(
        weight=8,
        domain="briefkasten.example",
        firsts=("Jürgen", "Käthe", "Sören", "Anja", "Günther", "Mareike"),
        lasts=("Müller", "Groß", "Schäfer", "Jäger", "Weiß", "Öztürk"),
        towns=(("Flensburg", "24937"), ("Köln", "50667"), ("Lübeck", "23552")),
        streets=("Mühlenstraße", "Große Gasse", "Am Wall"),
    ),
}


@dataclass(slots=True, kw_only=True)
class Person:
    """Somebody who may buy.

    ``rate`` is how keen they are beside others, ``loss`` the chance that a purchase was their last,
    ``taste`` their liking for each kind of goods, ``ticks`` the chance that they tick the box for
    the newsletter; ``allows_ads`` whether they tick the one for advertisements. ``account`` is 0
    for a guest.
    """

    number: int
    email: str
    first_name: str
    last_name: str
    company: str
    address: Mapping[str, str]
    rate: float
    loss: float
    taste: Mapping[str, float]
    ticks: float
    allows_ads: bool = False
    account: int = 0
    opted_in: bool = False

    def billing(self, *, typed: bool = False) -> dict[str, str]:
        """The address for a bill, with the e-mail as it was typed this time."""
        names = {"first_name": self.first_name, "last_name": self.last_name}
        email = self.email.title() if typed else self.email
        return {**names, "company": self.company, **self.address, "email": email}


def meet(chance: random.Random, number: int, kinds: tuple[str, ...]) -> Person:
    """Somebody new, the ``number``-th of this market.

    Buying rates are spread as a gamma distribution, the chance to fall silent as a beta
    distribution (Fader, Hardie and Lee, 2005), tastes as a Dirichlet distribution.
    """
    country = chance.choices(list(LANDS), [land.weight for land in LANDS.values()])[0]
    land = LANDS[country]
    icelandic = country in {"NO", "DK"} and chance.random() < 1 / 8
    firsts, lasts = _ICELANDIC if icelandic else (land.firsts, land.lasts)
    first, last = chance.choice(firsts), chance.choice(lasts)
    town, postcode = chance.choice(land.towns)
    address = {
        "address_1": f"{chance.choice(land.streets)} {chance.randint(1, 90)}",
        "city": town,
        "postcode": postcode,
        "country": country,
        "phone": f"+46 70 174 06 {chance.randint(5, 99):02}" if country == "SE" else "",
    }
    liking = [chance.gammavariate(0.6, 1) for _ in kinds]
    return Person(
        number=number,
        email=f"{slug(first)}.{slug(last)}{number}@{land.domain}",
        first_name=first,
        last_name=last,
        company=f"{last} Garn & Strikk <AS>" if chance.random() < 1 / 25 else "",
        address=address,
        rate=chance.gammavariate(0.8, 1),
        loss=chance.betavariate(0.9, 2.6),
        taste=dict(zip(kinds, liking, strict=True)),
        ticks=chance.choice((0.05, 0.3, 0.9)),
        allows_ads=number % 3 == 0,
    )
