"""An audience read back: what was taken whole compares as the same, whatever it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.mailchimp import audience_client
from adapters.mailchimp.destination import MailchimpDestination
from adapters.mailchimp.sandbox import Sandbox
from connector.errors import TryLater
from connector.model import Permission, Record, Settled
from connector.ports import Held
from tests.adapters.mailchimp.people import KARI, NOW, OLA, person, push, push_one, step

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)

texts = st.text(max_size=300) | st.sampled_from(
    ["", "  Åse  ", "A & B", "a&amp;b", "Ola\nNordmann", "é" * 200, "<b>x</b>", "0", "\x00x"]
)
numbers = st.none() | st.integers(-(10**14), 10**14) | st.decimals(-1000, 1000, places=2).map(str)
days = st.none() | st.dates().map(str) | texts
tags = st.lists(texts, max_size=3).map(tuple)
people = st.builds(
    lambda permission, tags, **fields: person(permission=permission, tags=tags, **fields),
    permission=st.sampled_from([Permission.SEND, Permission.CONFIRM, Permission.SILENT]),
    tags=tags,
    FNAME=texts,
    ORDERS=numbers,
    LASTORDER=days,
)


def everything(destination: MailchimpDestination) -> dict[str, Held]:
    """All pages of a reading."""
    found: dict[str, Held] = {}
    cursor: str | None = None
    while True:
        page = destination.show(cursor, now=NOW)
        found |= page.held
        cursor = page.cursor
        if cursor is None:
            return found


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=people, after=people)
def test_what_was_taken_is_what_is_shown(
    mc: Sandbox, destination: MailchimpDestination, before: Record, after: Record
) -> None:
    """For every contact, new or changed: reading it back finds no difference to be repaired."""
    mc.permanently_delete(KARI)
    mc.world.state.db.execute("DELETE FROM forgotten")
    held: Record | None = None
    for record in (before, after):
        assert isinstance(push_one(destination, held, record), Settled)
        held = record
        shown, real = destination.as_shown(record), everything(destination)[KARI].record
        assert shown.fields == {name: real.fields.get(name) for name in shown.fields}
        assert {tag.casefold() for tag in shown.tags} == {tag.casefold() for tag in real.tags}


@pytest.mark.parametrize(
    ("field", "value"), [("FNAME", "Another"), ("ORDERS", 8), ("LASTORDER", "2026-02-03")]
)
def test_what_was_not_kept_shows(
    mc: Sandbox, destination: MailchimpDestination, field: str, value: Any
) -> None:
    """The property above can fail: a step that was answered for and not kept is a difference."""
    first = person(FNAME="Kari", ORDERS=7, LASTORDER="2026-01-02")
    push_one(destination, None, first)
    mc.forget(KARI)
    second = person(**{**first.fields, field: value})
    assert isinstance(push_one(destination, first, second), Settled)
    shown, real = destination.as_shown(second), everything(destination)[KARI].record
    assert [field] == [name for name in shown.fields if shown.fields[name] != real.fields.get(name)]


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten contacts a page instead of a thousand."""
    monkeypatch.setattr(audience_client, "_PAGE", 10)


@pytest.mark.usefixtures("small_pages")
def test_everybody_is_shown_once(mc: Sandbox, destination: MailchimpDestination) -> None:
    """More than a page of contacts, with how they are held and when they were changed."""
    names = [f"kunde{number:04}@shop.example" for number in range(11)]
    push(destination, *(step(None, person(name)) for name in names))
    mc.unsubscribe(names[7])
    mc.calls.clear()
    found = everything(destination)
    assert names == sorted(found)
    assert Permission.WITHDRAWN is found[names[7]].record.permission
    assert {Permission.SEND} == {found[name].record.permission for name in names[8:]}
    assert all(each.changed_at is not None for each in found.values())
    assert {"GET /lists/{list_id}/members": 2} == dict(mc.calls)


@pytest.mark.usefixtures("small_pages")
def test_who_leaves_the_list_meanwhile_hides_nobody(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """All after a contact that was deleted move up: as many are read once more."""
    names = [f"kunde{number:04}@shop.example" for number in range(24)]
    push(destination, *(step(None, person(name)) for name in names))
    first = destination.show(None, now=NOW)
    for name in list(first.held)[:3]:
        mc.permanently_delete(name)
    found, cursor = dict(first.held), first.cursor
    while cursor is not None:
        page = destination.show(cursor, now=NOW)
        found |= page.held
        cursor = page.cursor
    assert names == sorted(found)


@pytest.mark.parametrize("fault", ["HTML", "empty", "half JSON", "list", "500"])
def test_a_page_that_is_none_is_read_again(
    mc: Sandbox, destination: MailchimpDestination, fault: str
) -> None:
    """Nothing is concluded from an answer that is not the platform's."""
    push(destination, step(None, person(KARI)), step(None, person(OLA)))
    mc.misbehave(fault, times=3, endpoint="GET /lists/{list_id}/members")
    with pytest.raises(TryLater):
        destination.show(None, now=NOW)
    mc.behave()
    assert {KARI, OLA} == everything(destination).keys()
