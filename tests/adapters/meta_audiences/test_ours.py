"""Which audiences are ours: made once, found again whatever people call them, others left alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.meta_audiences.destination import MetaAudiencesDestination
from adapters.meta_audiences.ours import description_of
from adapters.meta_audiences.sandbox import Sandbox
from connector.errors import ConfigurationFault, LaneDown, TryLater
from connector.ports import OWNER, CheckableDestination, Finding, Grade, Introducing
from tests.adapters.meta_audiences.people import NOW, SHAPE, person, step, steps


def test_each_segment_has_an_audience_made_once(
    meta: Sandbox, lookalikes: MetaAudiencesDestination
) -> None:
    """Of customers whom the shop told of, and marked as ours."""
    for _ in range(2):
        assert [] == list(lookalikes.prepare(SHAPE))
    assert ["Returning", "VIP"] == meta.names()
    assert 2 == meta.calls["POST /account/customaudiences"]
    form = next(form for name, form in meta.bodies if name == "customaudiences")
    assert {
        "name": "Returning",
        "description": description_of("Returning"),
        "subtype": "CUSTOM",
        "customer_file_source": "USER_PROVIDED_ONLY",
    } == form


def test_one_that_a_person_renamed_is_still_ours(
    meta: Sandbox, lookalikes: MetaAudiencesDestination
) -> None:
    """The name is for people; the mark is ours."""
    lookalikes.prepare(SHAPE)
    meta.audience("VIP").name = "Our best"
    lookalikes.prepare(SHAPE)
    lookalikes.push(steps(person()), now=NOW)
    assert ["Our best", "Returning"] == meta.names()
    assert 1 == len(meta.audience("Our best").people)


def test_others_audiences_are_never_touched(
    meta: Sandbox, lookalikes: MetaAudiencesDestination
) -> None:
    """Neither one of the same name, nor one that is made of a website's visitors."""
    theirs = meta.put("VIP", description="by hand")
    meta.put("Visitors", description=description_of("Returning"), subtype="WEBSITE")
    lookalikes.prepare(SHAPE)
    lookalikes.push(steps(person()), now=NOW)
    lookalikes.push([step(person(), None)], now=NOW)
    assert {} == theirs.people
    assert ["Returning", "VIP", "VIP", "Visitors"] == meta.names()


def test_ours_is_found_on_a_later_page(
    meta: Sandbox, connect: Callable[..., MetaAudiencesDestination]
) -> None:
    """With hundreds of others before it."""
    for number in range(230):
        meta.put(f"Others {number}")
    connect().prepare(SHAPE)
    connect().prepare(SHAPE)
    assert 2 == meta.calls["POST /account/customaudiences"]
    assert 4 == meta.calls["GET /account/customaudiences"]


def test_of_two_with_one_mark_the_older_is_used(
    meta: Sandbox, lookalikes: MetaAudiencesDestination
) -> None:
    """A copy in Ads Manager has the same description."""
    first = meta.put("VIP", description=description_of("VIP"))
    copy = meta.put("VIP, a copy", description=description_of("VIP"))
    lookalikes.prepare(SHAPE)
    lookalikes.push(steps(person()), now=NOW)
    assert (1, 0) == (len(first.people), len(copy.people))


def test_an_audience_of_values_is_made_as_one(
    meta: Sandbox, lookalikes: MetaAudiencesDestination
) -> None:
    """It cannot become the other kind later: a person gives it another name."""
    lookalikes.prepare(replace(SHAPE, valued=("VIP",)))
    assert (True, False) == (meta.audience("VIP").valued, meta.audience("Returning").valued)
    with pytest.raises(LaneDown, match="VIP") as caught:
        lookalikes.prepare(SHAPE)
    assert "another name" in caught.value.mend


def test_one_that_left_the_mapping_is_emptied_and_stays(
    meta: Sandbox, connect: Callable[..., MetaAudiencesDestination]
) -> None:
    """Advertisements may use it; a person is told."""
    connect().prepare(SHAPE)
    connect_again = connect()
    connect_again.prepare(SHAPE)
    connect_again.push(steps(person(tags=("VIP", "Returning"))), now=NOW)
    later = connect()
    (finding,) = later.prepare(replace(SHAPE, tags=("VIP",)))
    assert (Grade.NOTE, True) == (finding.grade, "Returning" in finding.what)
    later.push([step(person(tags=("VIP", "Returning")), person(tags=("VIP",)))], now=NOW)
    assert (1, 0) == (len(meta.audience("VIP").people), len(meta.audience("Returning").people))


def test_a_flagged_audience_is_an_alarm_with_its_mend(
    meta: Sandbox, lookalikes: MetaAudiencesDestination
) -> None:
    """Code 471: only deleting the whole audience takes people out of it."""
    lookalikes.prepare(SHAPE)
    meta.flag("VIP")
    for findings in (lookalikes.prepare(SHAPE), lookalikes.check_up(SHAPE, now=datetime.now(UTC))):
        (alarm,) = [each for each in findings if each.grade is Grade.ALARM]
        assert ("VIP" in alarm.what, OWNER) == (True, alarm.who)
        assert "delete the whole audience" in alarm.mend


@pytest.mark.parametrize("fault", ["terms", "no permission", "error 190"])
def test_who_mends_it(meta: Sandbox, lookalikes: MetaAudiencesDestination, fault: str) -> None:
    """1870090 and 1870050 are for the shop's owner, a refused token for who runs this."""
    if fault == "terms":
        meta.ask_for_terms()
    else:
        meta.misbehave(fault, endpoint="POST /account/customaudiences")
    with pytest.raises(LaneDown) as caught:
        lookalikes.prepare(SHAPE)
    finding = Finding.of("audiences", caught.value)
    assert finding.mend
    assert (fault != "error 190") == (OWNER == finding.who)
    assert [] == meta.names()


def test_trouble_while_looking(meta: Sandbox, lookalikes: MetaAudiencesDestination) -> None:
    """Nothing is made while it is unknown what is there: it would be made twice."""
    meta.misbehave("500", endpoint="GET /account/customaudiences")
    with pytest.raises(TryLater):
        lookalikes.prepare(SHAPE)
    assert [] == meta.names()


def test_it_says_which_ad_account_it_is(lookalikes: MetaAudiencesDestination) -> None:
    """By Meta's own word, with Meta's time."""
    introduction = lookalikes.introduce()
    assert "act_42" == introduction.account
    assert introduction.at is not None
    assert abs(datetime.now(UTC) - introduction.at) < timedelta(minutes=1)
    assert isinstance(lookalikes, Introducing)
    assert isinstance(lookalikes, CheckableDestination)


@pytest.mark.parametrize(
    ("fault", "grades"),
    [(None, [Grade.FINE, Grade.FINE]), ("500", [Grade.WARNING]), ("error 190", [Grade.ALARM])],
)
def test_an_examination_never_raises_and_makes_nothing(
    meta: Sandbox, lookalikes: MetaAudiencesDestination, fault: str | None, grades: list[Grade]
) -> None:
    """It says what is right, and what is not with its mend."""
    if fault is not None:
        meta.misbehave(fault)
    findings = lookalikes.check_up(SHAPE, now=datetime.now(UTC))
    assert grades == [finding.grade for finding in findings]
    assert [] == meta.names()


@pytest.mark.parametrize(
    ("ad_account", "token", "base_url", "word"),
    [
        ("42", "EAAx", None, "ad_account"),
        ("act_", "EAAx", None, "ad_account"),
        ("act_42/users", "EAAx", None, "ad_account"),
        ("act_42", "EAA secret", None, "access token"),
        ("act_42", "EAAx", "http://graph.facebook.com", "https"),
    ],
)
def test_settings_that_cannot_be_right(
    ad_account: str, token: str, base_url: str | None, word: str
) -> None:
    """Are told before anything is sent, and a token is never repeated."""
    with pytest.raises(ConfigurationFault, match=word) as caught:
        MetaAudiencesDestination("lookalikes", ad_account, token, base_url=base_url)
    assert "secret" not in str(caught.value)
