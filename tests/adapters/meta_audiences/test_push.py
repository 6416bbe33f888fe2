"""People in and out of audiences: how it is written, in how many calls, and what may go wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from adapters.meta_audiences.destination import MetaAudiencesDestination
from adapters.meta_audiences.sandbox import Sandbox
from adapters.town.faults import Fault
from connector.errors import LaneDown, TryLater
from connector.match_keys import digest, phone
from connector.model import Change, Parked, Permission, Postponed, Record, Settled
from connector.store.flights import either
from tests.adapters.meta_audiences.people import NOW, SHAPE, of, person, step, steps

ADD = "POST /audience/users"


@pytest.fixture
def ready(lookalikes: MetaAudiencesDestination) -> MetaAudiencesDestination:
    """A destination whose audiences are made."""
    lookalikes.prepare(SHAPE)
    return lookalikes


def told(meta: Sandbox, verb: str) -> list[dict[str, Any]]:
    """The last calls of one kind as they were sent, their JSON read."""
    return [
        {**form, "payload": json.loads(form["payload"]), "session": json.loads(form["session"])}
        if "session" in form
        else {**form, "payload": json.loads(form["payload"])}
        for name, form in meta.bodies
        if name == verb
    ]


def test_rows_are_digests_in_the_order_of_the_schema(
    meta: Sandbox, ready: MetaAudiencesDestination
) -> None:
    """What nobody has is no column; what one person lacks is the empty text."""
    ready.push(steps(person(1, phone="+4791234567"), person(2, first_name="")), now=NOW)
    (call,) = told(meta, "add")
    assert ["EMAIL", "PHONE", "FN", "COUNTRY"] == call["payload"]["schema"]
    first, second = call["payload"]["data"]
    assert [of(1), digest(phone, "+4791234567")] == first[:2]
    assert [of(2), "", ""] == second[:3]
    assert {"payload"} == call.keys()


def test_more_than_ten_thousand_are_a_session(
    meta: Sandbox, ready: MetaAudiencesDestination
) -> None:
    """Parts of 10,000 with one id and one schema, counted from 1; the last says so."""
    people = [person(number) for number in range(25_000)]
    people[-1] = person(24_999, phone="+4791234567")
    outcomes = ready.push(steps(*people), now=NOW)
    assert {Settled()} == set(outcomes.values())
    calls = told(meta, "add")
    assert [10_000, 10_000, 5_000] == [len(call["payload"]["data"]) for call in calls]
    sessions = [call["session"] for call in calls]
    assert 1 == len({each["session_id"] for each in sessions})
    assert [(1, False), (2, False), (3, True)] == [
        (each["batch_seq"], each["last_batch_flag"]) for each in sessions
    ]
    assert {25_000} == {each["estimated_num_total"] for each in sessions}
    assert 1 == len({tuple(call["payload"]["schema"]) for call in calls})
    assert 25_000 == len(meta.audience("VIP").people)


def test_few_calls_for_many_people(meta: Sandbox, ready: MetaAudiencesDestination) -> None:
    """20,000 people in two audiences are 4 calls, and unchanged none."""
    people = [person(number, ("VIP", "Returning")) for number in range(20_000)]
    for start in range(0, len(people), ready.batch_size):
        ready.push(steps(*people[start : start + ready.batch_size]), now=NOW)
    assert 4 == meta.calls[ADD]
    assert 20_000 == len(meta.audience("VIP").people) == len(meta.audience("Returning").people)
    ready.push([step(each, each) for each in people[: ready.batch_size]], now=NOW)
    assert 4 == meta.calls[ADD]


def test_out_before_in_and_within_one_run(meta: Sandbox, ready: MetaAudiencesDestination) -> None:
    """Who left is out in the first call of the push, by POST: no digest stands in an address."""
    ready.push(steps(person(1), person(2)), now=NOW)
    meta.bodies.clear()
    ready.push([*steps(person(3)), step(person(1), None), step(person(2), None)], now=NOW)
    assert ["remove", "add"] == [name for name, _ in meta.bodies]
    assert [2] == [len(call["payload"]["data"]) for call in told(meta, "remove")]
    assert [of(3)] == list(meta.audience("VIP").people)
    assert not any(of(1) in address or "payload" in address for address in meta.seen)


def test_a_person_is_taken_out_by_what_was_sent(
    meta: Sandbox, ready: MetaAudiencesDestination
) -> None:
    """Also when the address is another now: the acknowledged record is enough."""
    before = person(1, phone="+4791234567")
    ready.push(steps(before), now=NOW)
    bare = replace(before, key="p1@shop.example", email=None)
    assert {bare.key: Settled()} == ready.push([step(bare, None)], now=NOW)
    assert {} == meta.audience("VIP").people


def test_a_lost_phone_number_is_taken_out(meta: Sandbox, ready: MetaAudiencesDestination) -> None:
    """It may be somebody else's by now; then the person is put in again as they are."""
    before = person(1, phone="+4791234567")
    ready.push(steps(before), now=NOW)
    ready.push([step(before, person(1))], now=NOW)
    (removal,) = told(meta, "remove")
    assert (["PHONE"], [[digest(phone, "+4791234567")]]) == (
        removal["payload"]["schema"],
        removal["payload"]["data"],
    )
    assert [of(1)] == list(meta.audience("VIP").people)


def test_a_changed_name_takes_nobody_out(meta: Sandbox, ready: MetaAudiencesDestination) -> None:
    """It only tells two people apart better."""
    ready.push(steps(person(1)), now=NOW)
    ready.push([step(person(1), person(1, first_name="Karianne"))], now=NOW)
    assert [] == told(meta, "remove")
    assert 2 == meta.calls[ADD]


def test_a_value_alone_goes_only_where_it_is_wanted(
    meta: Sandbox, lookalikes: MetaAudiencesDestination
) -> None:
    """As a plain number beside an identifier; what the other audience holds is as it was."""
    lookalikes.prepare(replace(SHAPE, valued=("VIP",)))
    before = person(1, ("VIP", "Returning"), value="0.00")
    after = person(1, ("VIP", "Returning"), value="1234.50")
    lookalikes.push(steps(before), now=NOW)
    meta.bodies.clear()
    lookalikes.push([step(before, after)], now=NOW)
    (call,) = told(meta, "add")
    assert ["EMAIL", "FN", "COUNTRY", "LOOKALIKE_VALUE"] == call["payload"]["schema"]
    assert 1234.5 == call["payload"]["data"][0][-1]
    assert '"LOOKALIKE_VALUE"' in meta.bodies[-1][1]["payload"]
    assert ",1234.50]" in meta.bodies[-1][1]["payload"]


def test_an_erased_person_is_in_no_audience_of_the_account(
    meta: Sandbox, ready: MetaAudiencesDestination
) -> None:
    """Not in those that others made either: the person is to be forgotten, wherever they are."""
    theirs = meta.put("By hand")
    before = person(1, ("VIP", "Returning"), phone="+4791234567")
    ready.push(steps(before, person(2)), now=NOW)
    theirs.put_in({"EMAIL": of(1)})
    gone = Change(key=before.key, before=before, after=None, erased=True)
    assert {before.key: Settled()} == ready.push([gone], now=NOW)
    assert {} == meta.inside(of(1))
    assert 1 == meta.calls["POST /account/usersofanyaudience"]
    assert [of(2)] == list(meta.audience("VIP").people)


def test_an_erased_person_without_an_address_is_no_call(
    meta: Sandbox, ready: MetaAudiencesDestination
) -> None:
    """Nobody could be known by a customer's number in the shop."""
    gone = Change(key="wool:customer:7", before=None, after=None, erased=True)
    assert {"wool:customer:7": Settled()} == ready.push([gone], now=NOW)
    assert 0 == meta.calls["POST /account/usersofanyaudience"]


# --- What may go wrong ----------------------------------------------------------------------------


def test_invalid_entries_flag_the_batch(meta: Sandbox, ready: MetaAudiencesDestination) -> None:
    """Row 107: who is among the samples is parked, the others are told of, nothing is repeated."""
    meta.find_invalid(of(2))
    outcomes = ready.push(steps(person(1), person(2), person(3)), now=NOW)
    assert isinstance(outcomes["p2@shop.example"], Parked)
    for number in (1, 3):
        settled = outcomes[f"p{number}@shop.example"]
        assert isinstance(settled, Settled)
        assert "of 3 rows sent with it to VIP, Meta found 1 invalid" in settled.note
    assert 1 == meta.calls[ADD]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"email": "p1@shop.example"}, "not_hashed"),
        ({"email": of(1), "first_name": "Kari"}, "not_hashed"),
        ({"first_name": of(1)}, "no_identifier"),
        ({}, "no_identifier"),
    ],
)
def test_what_must_not_go_is_parked(
    meta: Sandbox, ready: MetaAudiencesDestination, fields: dict[str, str], reason: str
) -> None:
    """Before anything is sent: a name in clear never leaves."""
    bad = Record(
        key="p1@shop.example", email=None, permission=Permission.SEND, fields=fields, tags=("VIP",)
    )
    outcome = ready.push(steps(bad), now=NOW)["p1@shop.example"]
    assert isinstance(outcome, Parked)
    assert reason == outcome.reason
    assert 0 == meta.calls[ADD]


@pytest.mark.parametrize("value", [None, "", "NaN", "-1.00", "a lot"])
def test_an_audience_of_values_needs_a_value(
    meta: Sandbox, lookalikes: MetaAudiencesDestination, value: str | None
) -> None:
    """A number that is none would spoil the call for everybody."""
    lookalikes.prepare(replace(SHAPE, valued=("VIP",)))
    outcomes = lookalikes.push(steps(person(1, value=value), person(2, value="1")), now=NOW)
    assert [Parked, Settled] == [type(each) for each in outcomes.values()]
    assert [of(2)] == list(meta.audience("VIP").people)


def test_a_call_that_is_refused_is_sent_in_halves(
    meta: Sandbox, ready: MetaAudiencesDestination
) -> None:
    """One row is one row: the others of its call arrive."""
    for fault in ("unknown error", "unknown error", "too large"):
        meta.misbehave(fault, endpoint=ADD)
    outcomes = ready.push(steps(*(person(number) for number in range(4))), now=NOW)
    assert [Parked, Settled, Settled, Settled] == [type(each) for each in outcomes.values()]
    assert {of(1), of(2), of(3)} == set(meta.audience("VIP").people)
    assert 5 == meta.calls[ADD]


def test_a_lost_answer_counts_as_taken(meta: Sandbox, ready: MetaAudiencesDestination) -> None:
    """Who withdraws before it is repeated must be taken out, for they may be in."""
    meta.misbehave("torn after", endpoint=ADD)
    (outcome,) = ready.push(steps(person()), now=NOW).values()
    assert isinstance(outcome, Postponed)
    assert outcome.sent
    assert [of()] == list(meta.audience("VIP").people)


def test_a_lost_answer_to_a_removal_leaves_it_due(
    meta: Sandbox, ready: MetaAudiencesDestination
) -> None:
    """It never counts as done; and nobody is added who was to be taken out elsewhere first."""
    before = person(1, ("Returning",))
    ready.push(steps(before), now=NOW)
    added = meta.calls[ADD]
    meta.misbehave("500", endpoint=ADD)
    with pytest.raises(TryLater):
        ready.push([step(before, person(1, ("VIP",)))], now=NOW)
    assert added + 1 == meta.calls[ADD]
    assert {} == meta.audience("VIP").people


def test_a_trouble_midway_spares_who_was_done(
    meta: Sandbox, ready: MetaAudiencesDestination
) -> None:
    """Those out are out; those not in yet wait, and are not thought to be in."""
    ready.push(steps(person(1)), now=NOW)
    changes = [step(person(1), None), step(None, person(2))]
    meta.misbehave(Fault(), endpoint=ADD)  # the first call is answered as it should be
    meta.misbehave("busy for 3 minutes", endpoint=ADD)
    outcomes = ready.push(changes, now=NOW)
    assert Settled() == outcomes["p1@shop.example"]
    late = outcomes["p2@shop.example"]
    assert isinstance(late, Postponed)
    assert (180.0, False) == (late.retry_after, late.sent)


def test_almost_all_calls_used_up_holds_additions_back(
    meta: Sandbox, ready: MetaAudiencesDestination
) -> None:
    """But no removal: it has a right to the rest."""
    ready.push(steps(person(1)), now=NOW)
    meta.use_up(97, minutes=2)
    ready.push([step(person(1), None)], now=NOW)
    with pytest.raises(TryLater) as caught:
        ready.push(steps(person(2)), now=NOW)
    assert 120.0 == caught.value.retry_after
    assert {} == meta.audience("VIP").people


def test_a_flagged_audience_keeps_removals_due_and_is_told(
    meta: Sandbox, ready: MetaAudiencesDestination
) -> None:
    """1713230: the others go on; and when nothing else is there to be done, it stops the lane."""
    before = person(1, ("VIP", "Returning"))
    ready.push(steps(before), now=NOW)
    meta.flag("VIP")
    outcomes = ready.push([step(before, None), *steps(person(2, ("Returning",)))], now=NOW)
    blocked = outcomes["p1@shop.example"]
    assert isinstance(blocked, Postponed)
    assert "delete the whole audience" in blocked.reason
    assert (3600.0, False) == (blocked.retry_after, blocked.sent)
    assert Settled() == outcomes["p2@shop.example"]
    assert ({of(1)}, {of(2)}) == (
        set(meta.audience("VIP").people),
        set(meta.audience("Returning").people),
    )
    with pytest.raises(LaneDown, match="VIP") as caught:
        ready.push([step(before, None)], now=NOW)
    assert "delete the whole audience" in caught.value.mend


def test_an_audience_that_a_person_deleted_holds_nobody(
    meta: Sandbox, connect: Callable[..., MetaAudiencesDestination], ready: MetaAudiencesDestination
) -> None:
    """Removals are done; additions wait until it is made anew."""
    ready.push(steps(person(1)), now=NOW)
    meta.delete("VIP")
    assert {"p1@shop.example": Settled()} == ready.push([step(person(1), None)], now=NOW)
    with pytest.raises(LaneDown):
        ready.push(steps(person(2)), now=NOW)
    again = connect()
    again.prepare(SHAPE)
    assert {"p2@shop.example": Settled()} == again.push(steps(person(2)), now=NOW)


def test_before_the_audiences_are_made_nothing_is_sent(
    meta: Sandbox, lookalikes: MetaAudiencesDestination
) -> None:
    """Nobody knows their ids yet."""
    with pytest.raises(TryLater, match="not made"):
        lookalikes.push(steps(person()), now=NOW)
    assert [] == meta.names()


def test_who_may_be_there_by_two_names_is_taken_out_by_both(
    meta: Sandbox, ready: MetaAudiencesDestination
) -> None:
    """An answer was lost while the phone number changed: nobody knows which is held."""
    old, new = person(1, phone="+4791234567"), person(1, phone="+4798765432")
    for number in ("+4791234567", "+4798765432"):
        meta.audience("VIP").put_in({"PHONE": digest(phone, number)})
    doubtful = either(old, new)
    assert doubtful is not None
    assert {"p1@shop.example": Settled()} == ready.push([step(doubtful, None)], now=NOW)
    assert {} == meta.audience("VIP").people
    meta.audience("VIP").put_in({"PHONE": old.fields["phone"]})
    ready.push([step(doubtful, new)], now=NOW)
    assert [(of(1), new.fields["phone"])] == [
        (row["EMAIL"], row["PHONE"]) for row in meta.audience("VIP").people.values()
    ]


# --- Held against the platform's own description -------------------------------------------------


@pytest.mark.corpus
def test_calls_are_valid_by_the_schema(
    corpus: Path, meta: Sandbox, lookalikes: MetaAudiencesDestination
) -> None:
    """Additions with values, removals and erasures, in sessions and alone."""
    schema = json.loads(
        (corpus / "specs/meta/schemas/custom_audience_users.request.schema.json").read_text()
    )
    lookalikes.prepare(replace(SHAPE, valued=("VIP",)))
    people = [person(number, ("VIP", "Returning"), value="1.50") for number in range(10_001)]
    lookalikes.push(steps(*people), now=NOW)
    lookalikes.push([step(people[0], None)], now=NOW)
    gone = Change(key=people[1].key, before=people[1], after=None, erased=True)
    lookalikes.push([gone], now=NOW)
    calls = [call for verb in ("add", "remove", "forget") for call in told(meta, verb)]
    assert 7 == len(calls)
    for call in calls:
        call.pop("method", None)
        jsonschema.Draft202012Validator(schema).validate(call)
