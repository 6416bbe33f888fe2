"""Loading a mapping: what a good one means, and that a bad one tells everything at once."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest

from connector.errors import ConfigurationFault
from connector.model import Purpose
from mappings.fields import ATTRIBUTES
from mappings.grammar import (
    COUNTING,
    Attribute,
    Audience,
    ConsentSource,
    DestinationMapping,
    ItemRules,
    Mapping,
)
from mappings.load import load_file, load_mapping
from mappings.segments.values import Text

BAD = Path(__file__).with_name("bad")
SHOPS = {"wool": "woocommerce", "yarn": "shopify"}
DESTINATIONS = {
    "newsletter": "mailchimp",
    "crm": "files",
    "catalog": "meta_catalog",
    "lookalikes": "meta_audiences",
}
GOOD = r"""
version: 1

orders:
  counting: {woocommerce: [completed]}

attributes:
  newsletter_topic: {shop: wool, from: order.meta_data._topic}
  club_number:      {shop: yarn, from: customer.metafields.club.number}

consent:
  wordings:
    box-2026: "Yes, send me news and offers by e-mail."
  sources:
    - {shop: wool, purpose: email, from: order.meta_data._wc_other/mycorp/newsletter-opt-in,
       granted: ["1", "TRUE ", yes], wording: box-2026}
    - {shop: yarn, purpose: email, from: shopify}
    - {purpose: email, from: customer.meta_data.mailchimp_woocommerce_is_subscribed,
       wording: box-2026}
  double_opt_in: false
  soft_opt_in: [{country: NO, wording: box-2026}]

segments:
  vips:        {when: "in_segment('returning') AND amount_spent > 5000", tag: "VIP"}
  returning:   {when: "number_of_orders >= 2"}
  big-basket:  {when: "amount_spent > 5000 AND customer_countries CONTAINS 'NO'", tag: Big}

destinations:
  newsletter:
    contacts: {policy: existing_only}
    fields: {FNAME: first_name, TOPIC: newsletter_topic}
    tags: {prefix: "Shop: ", segments: [returning, vips]}
    ecommerce: true
  catalog:
    items: {when: "status = 'active'", id: "{shop}_{variant_id}"}
    fields: {brand: vendor}
    labels: {custom_label_0: category, custom_label_1: tag.sale}
  lookalikes:
    audiences: {vips: {segment: vips}}
  files:
    tables: [customers, orders]
"""


def load(text: str | bytes) -> Mapping:
    return load_mapping(text, shops=SHOPS, destinations=DESTINATIONS)


def faults_of(text: str | bytes) -> tuple[str, ...]:
    with pytest.raises(ConfigurationFault) as caught:
        load(text)
    return caught.value.faults


# --- A good one -------------------------------------------------------------------------------


def test_sections_become_typed_nouns() -> None:
    """Every section of a mapping is there with its types, and defaults fill what is not written."""
    mapping = load(GOOD)

    assert mapping.counting == {
        "woocommerce": frozenset({"completed"}),
        "shopify": COUNTING["shopify"],
    }
    assert mapping.attributes == (
        Attribute(name="newsletter_topic", shop="wool", path="order.meta_data._topic"),
        Attribute(name="club_number", shop="yarn", path="customer.metafields.club.number"),
    )
    assert mapping.consent.wordings == {"box-2026": "Yes, send me news and offers by e-mail."}
    assert mapping.consent.sources == (
        ConsentSource(
            shop="wool",
            purpose=Purpose.EMAIL,
            path="order.meta_data._wc_other/mycorp/newsletter-opt-in",
            granted=frozenset({"1", "true", "yes"}),
            wording="box-2026",
        ),
        ConsentSource(shop="yarn", purpose=Purpose.EMAIL, path="shopify"),
        ConsentSource(
            shop=None,
            purpose=Purpose.EMAIL,
            path="customer.meta_data.mailchimp_woocommerce_is_subscribed",
            granted=frozenset({"1", "subscribed"}),
            withdrawn=frozenset({"unsubscribed"}),
            wording="box-2026",
        ),
    )
    assert mapping.consent.double_opt_in is False
    assert mapping.consent.accept_undated is False
    assert mapping.consent.soft_opt_in == frozenset({"NO"})
    assert mapping.consent.soft_wordings == {"NO": "box-2026"}
    assert mapping.consent.counting == mapping.counting


def test_segments_come_after_those_they_ask_for() -> None:
    """The order of the segments is one in which each can be worked out."""
    names = list(load(GOOD).segments)

    assert sorted(names) == ["big-basket", "returning", "vips"]
    assert names.index("returning") < names.index("vips")


def test_a_destination_has_its_tags_fields_and_policy() -> None:
    """Tags carry the prefix and the segment's tag, or its name where it has none."""
    mapping = load(GOOD)
    newsletter = mapping.destinations["newsletter"]

    assert newsletter == DestinationMapping(
        policy="existing_only",
        fields={"FNAME": "first_name", "TOPIC": "newsletter_topic"},
        tag_prefix="Shop: ",
        tag_segments=("returning", "vips"),
        ecommerce=True,
    )
    assert newsletter.tags(mapping) == {"returning": "Shop: returning", "vips": "Shop: VIP"}
    assert mapping.destinations["files"].tags(mapping) == {
        "returning": "returning",
        "vips": "VIP",
        "big-basket": "Big",
    }


def test_parts_for_other_destinations_load() -> None:
    """Items and labels load, and audiences need the consent for ads by default."""
    destinations = load(GOOD).destinations

    assert destinations["catalog"].items == ItemRules()
    assert destinations["catalog"].labels == {
        "custom_label_0": "category",
        "custom_label_1": "tag.sale",
    }
    assert destinations["lookalikes"].audiences == {"vips": Audience(segment="vips")}
    assert destinations["lookalikes"].purpose is Purpose.ADS


def test_a_destination_without_a_section_uses_its_platforms() -> None:
    """An own section goes before the platform's; without either there is nothing to hold."""
    mapping = load(GOOD)

    both = Mapping(
        destinations={"list": DestinationMapping(), "mailchimp": DestinationMapping(ecommerce=True)}
    )

    assert mapping.for_destination("crm", "files") is mapping.destinations["files"]
    assert both.for_destination("list", "mailchimp") is both.destinations["list"]
    assert both.for_destination("other", "mailchimp") is both.destinations["mailchimp"]
    assert mapping.for_destination("newsletter", "mailchimp") is mapping.destinations["newsletter"]
    assert mapping.for_destination("second", "mailchimp") is None


def test_one_key_may_be_two_boxes_in_two_shops() -> None:
    """A box for ads may have the key that another shop gave its box for e-mail."""
    mapping = load(
        "version: 1\n"
        "consent:\n"
        "  wordings: {box: text}\n"
        "  sources:\n"
        "    - {shop: wool, purpose: email, from: order.meta_data.box, wording: box}\n"
        "    - {shop: yarn, purpose: ads, from: order.meta_data.box, wording: box}\n"
    )

    assert [source.purpose for source in mapping.consent.sources] == [Purpose.EMAIL, Purpose.ADS]


def test_an_almost_empty_mapping_is_one() -> None:
    """Only the version is needed; sections without anything in them are as if not written."""
    assert load("version: 1") == Mapping()
    assert load("version: '1'\nsegments:\ndestinations: ~\nconsent:\n") == Mapping()


# --- Bad ones: each file beside its messages -----------------------------------------------------


@pytest.mark.parametrize("file", sorted(BAD.glob("*.yaml")), ids=lambda file: file.stem)
def test_bad_mappings_are_told_word_for_word(file: Path) -> None:
    """Each bad mapping is refused with exactly the messages in the text file beside it."""
    with pytest.raises(ConfigurationFault) as caught:
        load_mapping(file.read_bytes(), source=file.name, shops=SHOPS, destinations=DESTINATIONS)

    assert file.with_suffix(".txt").read_text().splitlines() == list(caught.value.faults)
    assert caught.value.exit_code == 2


def test_every_message_names_its_file_and_line() -> None:
    """Whatever is wrong, it is told as file:line path: sentence."""
    told = [line for file in BAD.glob("*.txt") for line in file.read_text().splitlines()]

    assert [line for line in told if not re.match(r"[\w-]+\.yaml:\d+( \S.*)?: \S", line)] == []


def test_all_faults_are_told_at_once() -> None:
    """Six faults of six kinds give six messages, in the order of their lines."""
    faults = faults_of(
        "version: 1\n"
        "attributes: {topic: {shop: wol, from: order.number}}\n"
        "attributes: {}\n"
        "consent: {double_opt_in: maybe}\n"
        "segments: {vips: {when: 'number_of_ordres > 1'}}\n"
        "destinations: {newsletter: {fields: {FNAME: firstname}, tag: {}}}\n"
    )

    assert [int(fault.split(":")[1].split()[0]) for fault in faults] == [2, 3, 4, 5, 6, 6]


def test_many_faults_are_counted_rather_than_listed() -> None:
    """A hundred faults are listed, the rest are counted, and it takes no time worth noticing."""
    text = "version: 1\nsegments:\n" + "".join(
        f"  segment-{number}: {{when: \"in_segment('segmnt-{number}')\"}}\n"
        for number in range(400)
    )
    faults = faults_of(text)

    assert len(faults) == 101
    assert faults[-1] == "mapping.yaml: and 300 more faults"


def test_who_refers_to_a_faulty_part_is_not_at_fault() -> None:
    """A segment, wording or attribute that is itself wrong does not make its users wrong."""
    faults = faults_of(
        "version: 1\n"
        "attributes: {topic: {shop: wool}}\n"
        "consent:\n"
        "  wordings: {box: [x]}\n"
        "  sources: [{purpose: email, from: order.meta_data.box, wording: box}]\n"
        "segments:\n"
        "  vips: {tag: VIP}\n"
        "  more: {when: \"in_segment('vips')\"}\n"
        "destinations: {newsletter: {fields: {TOPIC: topic}, tags: {segments: [vips]}}}\n"
    )

    assert faults == (
        "mapping.yaml:2 attributes.topic.from: is missing",
        "mapping.yaml:4 consent.wordings.box: wants one text, not a list or a table",
        "mapping.yaml:7 segments.vips.when: is missing",
    )


def test_messages_cannot_carry_terminal_codes() -> None:
    """An escape written in YAML is refused, and never reaches the terminal as such."""
    (fault,) = faults_of(
        'version: 1\nsegments: {vips: {when: "number_of_orders > 1", tag: "\\e]0;"}}'
    )

    assert (
        fault
        == "mapping.yaml:2 segments.vips.tag: an invisible character U+001B stands here; remove it"
    )


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_written_is_either_loaded_or_told(seed: int) -> None:
    """Two thousand slips of the pen in a good mapping never end in anything but a fault."""
    chance = random.Random(seed)
    pieces = ["{", "}", "[", "]", ":", ",", '"', "'", "- ", "\n", "  ", "x", "&a ", "*a", "~", "<<"]
    for _ in range(100):
        text = GOOD
        for _ in range(chance.randint(1, 3)):
            start = chance.randrange(len(text))
            end = start + chance.choice([0, 0, 1, 5, 30])
            text = text[:start] + chance.choice([*pieces, ""]) + text[end:]
        try:
            load(text)
        except ConfigurationFault as told:
            assert told.faults  # noqa: PT017 - either end is right, a third is not


# --- Rows that are not one small file -------------------------------------------------------------


def test_row_73_257_kib_are_refused_by_size(tmp_path: Path) -> None:
    """A file of 257 KiB is refused whatever is in it; one of 256 KiB is read."""
    file = tmp_path / "mapping.yaml"
    file.write_text("version: 1\n#" + "x" * (256 * 1024 - 12))
    assert file.stat().st_size == 256 * 1024
    assert load_file(file, shops=SHOPS, destinations=DESTINATIONS) == Mapping()

    file.write_text("version: 1\n#" + "x" * 257 * 1024)
    with pytest.raises(ConfigurationFault, match="263180 bytes long; at most 262144 are read"):
        load_file(file, shops=SHOPS, destinations=DESTINATIONS)


def test_row_76_scalars_stay_the_text_they_are() -> None:
    """What YAML 1.1 would turn into other things is kept as it is written."""
    mapping = load(
        "version: 1\n"
        "consent:\n"
        "  wordings: {no: NO, 'on': 12:30, 0123: 1_000}\n"
        "  sources:\n"
        "    - {purpose: email, from: order.meta_data.1.10, wording: no,\n"
        "       granted: [NO, on, yes, 12:30, 0123, 1.10, 1_000, .nan]}\n"
        "segments: {yes: {when: \"customer_countries CONTAINS 'NO'\", tag: off}}\n"
    )

    assert mapping.consent.wordings == {"no": "NO", "on": "12:30", "0123": "1_000"}
    assert mapping.consent.sources[0].path == "order.meta_data.1.10"
    assert mapping.consent.sources[0].granted == frozenset(
        {"no", "on", "yes", "12:30", "0123", "1.10", "1_000", ".nan"}
    )
    assert mapping.segments["yes"].label == "off"


def test_row_82_sql_in_a_value_is_a_literal() -> None:
    """A value that looks like SQL is a value."""
    mapping = load(
        "version: 1\n"
        "consent:\n"
        "  wordings: {box: text}\n"
        "  sources: [{purpose: email, from: order.meta_data.x, wording: box,\n"
        '             granted: ["1; DROP TABLE profiles"]}]\n'
        "segments: {odd: {when: \"customer_tags CONTAINS '1; DROP TABLE profiles'\"}}\n"
    )

    (clause,) = mapping.segments["odd"].query.clauses
    assert clause.values == (Text("1; DROP TABLE profiles"),)
    assert mapping.consent.sources[0].granted == frozenset({"1; drop table profiles"})


def test_row_83_a_regex_bomb_is_refused_at_once() -> None:
    """The language has no patterns: 50 KB of a malicious one are refused, quickly."""
    bomb = "(a+)+$" * 8_500
    began = time.process_time()
    (fault,) = faults_of(f'version: 1\nsegments: {{bomb: {{when: "{bomb}"}}}}\n')

    assert fault == (
        "mapping.yaml:2 segments.bomb.when: Line 1 Column 0: "
        "Query is too long (maximum is 5000 characters)."
    )
    assert time.process_time() - began < 2


def test_row_88_other_encodings_are_refused_and_bom_and_crlf_are_not() -> None:
    """A byte order mark and CRLF are how Windows saves; UTF-16 and Latin-1 are not UTF-8."""
    expected = load(GOOD)

    assert load(b"\xef\xbb\xbf" + GOOD.encode()) == expected
    assert load(GOOD.replace("\n", "\r\n").encode()) == expected
    assert faults_of("version: 1\n# Blåbær\n".encode("latin-1")) == (
        "mapping.yaml:2: the file is not UTF-8 text; save it as UTF-8",
    )
    assert faults_of("version: 1\n".encode("utf-16")) == (
        "mapping.yaml:1: the file is not UTF-8 text; save it as UTF-8",
    )


def test_row_89_a_file_that_anybody_may_write_is_refused(tmp_path: Path) -> None:
    """Who can write to the mapping can read everybody's address: mode 0666 is refused."""
    file = tmp_path / "mapping.yaml"
    file.write_text(GOOD)
    file.chmod(0o664)
    assert load_file(file, shops=SHOPS, destinations=DESTINATIONS) == load(GOOD)

    file.chmod(0o666)
    with pytest.raises(ConfigurationFault) as caught:
        load_file(str(file), shops=SHOPS, destinations=DESTINATIONS)
    assert caught.value.faults == (
        f"{file}:1: anybody on this machine may write to the file (mode 0666); "
        f"run chmod o-w {file}",
    )


def test_rows_68_to_89_that_concern_loading_are_all_here() -> None:
    """Every row of the list of bad mappings is a file or a test that bears its number."""
    here = {int(number) for file in BAD.glob("*.yaml") for number in re.findall(r"^\d+", file.stem)}
    here |= {int(name.split("_")[2]) for name in globals() if name.startswith("test_row_")}

    assert set(range(68, 86)) | {88, 89} == here


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    """A missing file and a folder are told with their path."""
    missing = tmp_path / "mapping.yaml"

    with pytest.raises(ConfigurationFault, match=r"mapping\.yaml: cannot be read: No such file"):
        load_mapping(missing, shops=SHOPS, destinations=DESTINATIONS)
    with pytest.raises(ConfigurationFault, match="cannot be read: Is a directory"):
        load_file(tmp_path, shops=SHOPS, destinations=DESTINATIONS)


def test_the_example_on_the_page_is_a_mapping() -> None:
    """What ``docs/mapping.md`` shows can be copied as it is, and every attribute stands there."""
    page = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text()
    mapping = load(page.split("```yaml\n")[1].split("```")[0])

    assert list(mapping.segments) == ["returning", "lapsed"]
    assert [name for name in ATTRIBUTES if not re.search(rf"\b{name}\b", page)] == []
