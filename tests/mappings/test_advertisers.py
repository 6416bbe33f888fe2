"""What a mapping may say of advertisers: whose audiences, which names never, which ids."""

from __future__ import annotations

import pytest

from connector.errors import ConfigurationFault
from connector.model import Purpose
from mappings.grammar import Audience, DestinationMapping, ItemRules
from mappings.item_rules import default_mapping
from mappings.load import load_mapping
from mappings.sensitive import HEALTH, MONEY, find

SEGMENTS = """
segments:
  returning: {when: "number_of_orders >= 2"}
  socks: {when: "customer_tags CONTAINS 'diabetes'", tag: Socks}
  soft: {when: "in_segment('socks') AND number_of_orders > 1"}
  spenders: {when: "amount_spent > 5000", tag: High income}
"""
DESTINATIONS = {
    "lookalikes": "meta_audiences",
    "purchases": "meta_conversions",
    "news": "mailchimp",
}


def load(written: str, segments: str = "segments: {returning: {when: 'number_of_orders >= 2'}}\n",
         **destinations: str) -> dict[str, DestinationMapping]:  # fmt: skip
    text = f"version: 1\n{segments}destinations:\n{written}"
    return dict(
        load_mapping(
            text, shops={"wool": "woocommerce"}, destinations=destinations or DESTINATIONS
        ).destinations
    )


def faults(written: str, segments: str = SEGMENTS) -> list[str]:
    with pytest.raises(ConfigurationFault) as caught:
        load(written, segments)
    return list(caught.value.faults)


def test_audiences_load() -> None:
    """Each with its segment; only who granted ads is held, and no other tag there is."""
    mapped = load(
        "  lookalikes: {audiences: {Comes back: {segment: returning, value: amount_spent}}}\n"
    )
    assert (
        DestinationMapping(
            policy="granted_only",
            purpose=Purpose.ADS,
            tag_segments=(),
            audiences={"Comes back": Audience(segment="returning", valued=True)},
        )
        == mapped["lookalikes"]
    )


def test_an_advertiser_without_a_section_is_told_of_nobody() -> None:
    """No audience, no tag; purchases need no section."""
    audiences = default_mapping("meta_audiences")
    assert ("granted_only", {}, ()) == (
        audiences.policy,
        audiences.audiences,
        audiences.tag_segments,
    )
    purchases = default_mapping("meta_conversions")
    assert (Purpose.ADS, ItemRules()) == (purchases.purpose, purchases.items)


def test_ids_of_purchases() -> None:
    """The same pattern as the catalog's, and nothing else of its section."""
    mapped = load('  purchases: {items: {id: "{sku}-{variant_id}"}}\n')["purchases"]
    assert "{sku}-{variant_id}" == (mapped.items or ItemRules()).id
    (fault,) = faults("  purchases: {items: {unpublished: delete}}\n")
    assert "destinations.purchases.items.unpublished: is for catalogs" in fault


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("lookalikes: {contacts: {policy: everyone}}", "contacts: is not for advertisers"),
        ("lookalikes: {tags: {segments: all}}", "tags: is not for advertisers"),
        ("lookalikes: {fields: {EMAIL: email}}", "fields: is not for advertisers"),
        ("lookalikes: {consent: email}", "consent: meta_audiences needs the consent ads"),
        ("purchases: {consent: email}", "consent: meta_conversions needs the consent ads"),
        ("lookalikes: {audiences: {A: {segment: returnin}}}", 'Did you mean "returning"?'),
        ("lookalikes: {audiences: {A: {segment: returning, value: orders}}}", "value"),
        ("lookalikes: {audiences: {A: {segment: returning, sensitive: yes}}}", "sensitive"),
        (
            "lookalikes: {audiences: {A: {segment: returning}, B: {segment: returning}}}",
            'B.segment: is also the segment of "A"',
        ),
        ("news: {audiences: {A: {segment: returning}}}", "is for advertisers (meta_audiences)"),
    ],
)
def test_what_cannot_be(written: str, told: str) -> None:
    """Is refused with its line and the nearest right word."""
    (fault,) = faults(f"  {written}\n")
    assert fault.startswith("mapping.yaml:9 ")
    assert told in fault


# --- O6: what must not be told of anybody -------------------------------------------------------


@pytest.mark.parametrize(
    ("audience", "segment", "what", "about"),
    [
        ("Diabetes", "returning", "its name", HEALTH),
        ("Socks", "socks", 'the rule of "socks" speaks of health ("diabetes")', HEALTH),
        ("Soft", "soft", 'the rule of "socks"', HEALTH),
        ("Big", "spenders", 'the tag of "spenders"', MONEY),
    ],
)
def test_o6_sensitive_audiences_are_refused(
    audience: str, segment: str, what: str, about: str
) -> None:
    """By name, tag or rule, also of a segment that is asked for; with the line of the audience."""
    (fault,) = faults(f"  lookalikes:\n    audiences:\n      {audience}: {{segment: {segment}}}\n")
    assert fault.startswith(f"mapping.yaml:11 destinations.lookalikes.audiences.{audience}: ")
    assert what in fault
    assert f"speaks of {about}" in fault
    assert "sensitive: accepted" in fault


def test_o6_a_person_may_answer_for_it() -> None:
    """For that audience, and for no other."""
    line = "      {}: {{segment: {}{}}}\n"
    accepted = line.format("Socks", "socks", ", sensitive: accepted")
    head = "  lookalikes:\n    audiences:\n"
    assert ["Socks"] == list(load(head + accepted, SEGMENTS)["lookalikes"].audiences)
    (fault,) = faults(head + accepted + line.format("Big", "spenders", ""))
    assert "audiences.Big" in fault


def test_o6_other_destinations_are_left_alone() -> None:
    """A newsletter for people with diabetes is the shop's own affair."""
    assert "news" in load("  news: {tags: {segments: all}}\n", SEGMENTS)


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("Diabetes", HEALTH),
        ("diabetic socks", HEALTH),
        ("tag = 'arthritis'", HEALTH),
        ("over_weight_loss", HEALTH),
        ("HIV", HEALTH),
        ("mental-health", HEALTH),
        ("gravide kvinner", HEALTH),
        ("Leddgikt", HEALTH),
        ("Kreftpasienter", HEALTH),
        ("kræft", HEALTH),
        ("Sygdom", HEALTH),
        ("overvægtige", HEALTH),
        ("cukrzyca", HEALTH),
        ("w ciąży", HEALTH),
        ("otyłość", HEALTH),
        ("ciąża", HEALTH),
        ("debt", MONEY),
        ("Credit score low", MONEY),
        ("high income", MONEY),
        ("bankruptcy", MONEY),
        ("gjeld", MONEY),
        ("Inkassosaker", MONEY),
        ("høy inntekt", MONEY),
        ("gæld", MONEY),
        ("lav indkomst", MONEY),
        ("zadłużenie", MONEY),
        ("kredyt hipoteczny", MONEY),
        ("długi", MONEY),
    ],
)
def test_o6_words_in_four_languages(text: str, about: str) -> None:
    """English, Norwegian, Danish and Polish; whatever the capitals, and what parts the words."""
    hit = find(text)
    assert hit is not None
    assert about == hit.about


@pytest.mark.parametrize(
    "text",
    [
        *("Returning", "First-time buyer", "Champion", "VIP", "At risk", "Big basket", "Lapsed"),
        *("Knitters", "Hive", "gjeldende", "bekreftet", "lånt", "amount_spent > 5000", "Rakvere"),
        *("number_of_orders BETWEEN 2 AND 3 AND last_order_date >= -365d", "Striper", "Strokes"),
        *("in_segment('good-customer')", "długopisy", "Dronning", "Loaned books", ""),
    ],
)
def test_o6_harmless_words_pass(text: str) -> None:
    """Words that only look alike, and the rules that shops write."""
    assert find(text) is None


def test_o6_the_ready_mappings_pass() -> None:
    """Every segment of every preset could be an audience."""
    from mappings.load import load_preset, preset_names

    for name in preset_names():
        mapping = load_preset(name, shops={"wool": "woocommerce"}, destinations={})
        for segment in mapping.segments.values():
            assert find(f"{segment.name} {segment.tag} {segment.when}") is None, segment
