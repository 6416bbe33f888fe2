"""Words that tell of a person's health or money, in English, Norwegian, Danish and Polish.

Meta flags an audience whose name or rule suggests an illness or a financial status (such as
arthritis, diabetes, credit score, high income), stops its advertisements, and blocks removals from
it: https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences. So such
names are found here first. A list cannot be complete; Meta's own judgement comes on top of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

HEALTH = "health"
MONEY = "financial status"

# Beginnings of words; those with a blank at the end are whole words, and longer ones phrases.
_HEALTH = """
addict, adhd , aids , alcoholi, allerg, alzheim, anorexi, antidepress, anxiety, arthriti, asthma,
autis, bipolar, blood pressure, bulimi, cancer, chemotherap, cholesterol, chronic, dementia,
depress, diabet, disabilit, disabled, disease, eating disorder, eczema, epilep, erectile, fertility,
hiv , ibs , illness, impoten, incontinen, infertil, insulin, ivf , menopaus, mental health,
migraine, miscarriage, obes, oncolog, overweight, parkinson, patients, pregnan, psoria, psychiat,
rheumat, schizo, stroke , surgery, tumor, tumour, weight loss, wheelchair,
angst, astma, blodtrykk, brystkreft, demens, eksem, epileps, fedme, fibromyalgi, fysioterap, gikt,
gravid, hjertesyk, hudkreft, infertilit, inkontinens, kolesterol, kreft, kronisk syk, leddgikt,
lungekreft, migrene, overgangsalder, overvekt, psykisk, rullestol, rusmid, sykdom, sykmeld, uføre,
ufør , slanke, vektreduk,
afhængighed, blodtryk , brystkræft, epileps, gigt, hjertesyg, kræft, kronisk syg, kørestol,
leddegigt, migræne, overvægt, sygdom, sygemeld, vægttab,
alkoholi, alergi, artretyz, astm, cholesterol, chorob, chory , chorych , ciąż, cukrzyc, depresj,
inwalid, klimakter, menopauz, migren, nadciśn, nadwag, niepełnosprawn, niepłodn, nowotwor, nowotwór,
odchudza, otył, otyłość, padaczk, psychiczn, rak , raka , reumat, uzależn, łuszczyc, zaburzen
"""
_MONEY = """
bad credit, bankrupt, credit rating, credit score, creditworth, debt, financial hardship,
foreclos, high income, high net worth, household income, income, indebted, insolven, loan , loans ,
low income, mortgage, net worth, overdraft, payday, poverty, unemploy, wealth, welfare,
arbeidsledig, betalingsanmerk, boliglån, forbrukslån, formue, fattig, gjeld , gjeldsatt, inkasso,
inntekt, kredittscore, kredittverdig, konkurs , lavinntekt, låntaker, sosialhjelp,
arbejdsløs, betalingsstandset, boliglån, forbrugslån, gæld , gældsat, indkomst, kontanthjælp,
kreditvurder, kreditværdig, kviklån, låntager,
bezrobot, bogat, chwilów, dłużni, dług , długi , długów , dochod, dochód, hipote, komornik, kredyt,
majątek, niewypłacaln, pożyczk, upadłoś, wynagrodzen, zadłuż, zarobk, zdolność kredyt
"""
_NO_LETTERS = re.compile(r"[\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A word that was found, and what it tells of."""

    word: str
    about: str


def find(text: str) -> Hit | None:
    """The first sensitive word in a text; ``None`` where there is none."""
    plain = f" {_plain(text)} "
    for about, pattern in _PATTERNS.items():
        if found := pattern.search(plain):
            return Hit(word=found[1], about=about)
    return None


def _plain(text: str) -> str:
    """Small letters of words with one blank between: ``big_spenders-2`` is ``big spenders``."""
    return _NO_LETTERS.sub(" ", unicodedata.normalize("NFC", text).casefold()).strip()


def _beginnings(listed: str) -> Iterator[str]:
    for each in listed.replace("\n", " ").split(","):
        word = each.lstrip()
        if word.strip():
            yield re.escape(_plain(word)) + ("(?= )" if word.endswith(" ") else r"\w*")


def _pattern(listed: str) -> re.Pattern[str]:
    words = sorted(set(_beginnings(listed)), key=len, reverse=True)
    return re.compile(f" ({'|'.join(words)})")


_PATTERNS: Mapping[str, re.Pattern[str]] = {HEALTH: _pattern(_HEALTH), MONEY: _pattern(_MONEY)}
