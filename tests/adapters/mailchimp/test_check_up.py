"""The examination of an audience: it says everything and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.mailchimp.destination import MailchimpDestination
from adapters.mailchimp.sandbox import Sandbox
from connector.errors import LaneDown
from connector.ports import FieldType, Finding, Grade, Shape

SHAPE = Shape(fields={"FNAME": FieldType.TEXT, "ORDERS": FieldType.NUMBER})


@pytest.fixture
def mc() -> Iterator[Sandbox]:
    """An audience with double opt-in."""
    with Sandbox(double_optin=True) as sandbox:
        yield sandbox


def destination(mc: Sandbox, *, audience: str | None = None) -> MailchimpDestination:
    return MailchimpDestination(
        "newsletter", audience or mc.audience, mc.api_key, base_url=mc.url, timeout=5
    )


def look(mc: Sandbox, **off: float) -> list[Finding]:
    now = datetime.now(UTC) + timedelta(**off)
    return list(destination(mc).check_up(SHAPE, now=now))


def test_a_right_audience_is_fine_and_unchanged(mc: Sandbox) -> None:
    """Double opt-in and fields to be made are told as notes; no call changed anything."""
    findings = look(mc)
    assert {Grade.FINE, Grade.NOTE} == {each.grade for each in findings}
    notes = [each.what for each in findings if each.grade is Grade.NOTE]
    assert 2 == len(notes)
    assert "double opt-in" in notes[0]
    assert "ORDERS" in notes[1]
    assert "FNAME" not in notes[1]
    assert all(call.startswith("GET ") for call in mc.calls)


def test_a_field_of_another_type_is_a_warning(mc: Sandbox) -> None:
    """With who mends it."""
    mc.add_field("ORDERS", "date")
    (warning,) = [each for each in look(mc) if each.grade is Grade.WARNING]
    assert "ORDERS is of type date" in warning.what
    assert warning.mend


def test_a_refused_key_is_an_alarm_without_the_key(mc: Sandbox) -> None:
    """One finding, and nothing more is asked."""
    mc.change_key("f" * 32 + "-us1")
    (alarm,) = look(mc)
    assert Grade.ALARM == alarm.grade
    assert mc.api_key not in repr(alarm)
    assert "0123456789abcdef" not in repr(alarm)


def test_an_audience_that_is_gone_is_an_alarm(mc: Sandbox) -> None:
    """The key is fine, and the audience is named."""
    findings = destination(mc, audience="ffffffffff").check_up(SHAPE, now=datetime.now(UTC))
    assert [Grade.FINE, Grade.FINE, Grade.ALARM] == [each.grade for each in findings]
    assert "ffffffffff" in findings[-1].cause


@pytest.mark.parametrize(
    ("off", "grade"), [({"minutes": 6}, Grade.WARNING), ({"days": -2}, Grade.ALARM)]
)
def test_row_100_mailchimps_clock_is_compared(
    mc: Sandbox, off: dict[str, float], grade: Grade
) -> None:
    """Five minutes are a warning, a day is an alarm."""
    (clock,) = [each for each in look(mc, **off) if "clock" in each.what]
    assert grade == clock.grade


def test_it_introduces_itself(mc: Sandbox) -> None:
    """The account's id, and Mailchimp's time."""
    told = destination(mc).introduce()
    assert mc.world.account == told.account
    assert told.at is not None
    assert abs(datetime.now(UTC) - told.at) < timedelta(minutes=1)
    mc.change_key("f" * 32 + "-us1")
    with pytest.raises(LaneDown):
        destination(mc).introduce()
