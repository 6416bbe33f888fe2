"""What is posted, and what every answer of a receiver makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from adapters.http import parcels
from adapters.http.destination import HttpDestination
from adapters.http.sandbox import Sandbox
from adapters.http.sandbox_faults import answer
from adapters.town.faults import Fault
from connector.errors import LaneDown, TryLater
from connector.model import Change, Parked, Permission, Postponed, Record, Settled

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
People = Callable[[int], list[Change]]


def test_a_batch_says_what_happened_to_whom(crm: Sandbox, destination: HttpDestination) -> None:
    """The documented body: type, time, destination, and each record with its step."""
    before = Record(key="a@x.example", email="a@x.example", permission=Permission.SEND)
    after = replace(before, fields={"ORDERS": 2}, tags=("VIP",), tables={"t": ({"n": 1},)})
    changes = [
        Change(key="a@x.example", before=before, after=after),
        Change(key="b@x.example", before=replace(before, key="b@x.example"), after=None),
        Change(key="c@x.example", before=None, after=None, erased=True),
    ]
    assert {Settled()} == set(destination.push(changes, now=NOW).values())
    old = {"email": "a@x.example", "permission": "send", "fields": {}, "tags": [], "tables": {}}
    new = old | {"fields": {"ORDERS": 2}, "tags": ["VIP"], "tables": {"t": [{"n": 1}]}}
    assert [
        {
            "type": "records.changed",
            "timestamp": "2026-11-23T10:00:00Z",
            "destination": "crm",
            "data": [
                {"key": "a@x.example", "action": "upsert", "record": new, "before": old},
                {"key": "b@x.example", "action": "remove", "record": None, "before": old},
                {"key": "c@x.example", "action": "erase", "record": None, "before": None},
            ],
        }
    ] == crm.batches


def test_a_repetition_has_the_same_id_and_a_new_step_another(
    crm: Sandbox, destination: HttpDestination, people: People
) -> None:
    """An answer that was lost costs nothing; there, back and there again is not taken for it."""
    crm.misbehave("torn after")
    with pytest.raises(TryLater):
        destination.push(people(3), now=NOW)
    again = destination.push(people(3), now=NOW + timedelta(minutes=1))
    assert [Settled()] * 3 == list(again.values())
    assert (1, 2, 1) == (len(set(crm.ids)), len(crm.ids), len(crm.batches))
    anew = [replace(change, revision=3) for change in people(3)]
    destination.push(anew, now=NOW)
    assert (2, 2) == (len(set(crm.ids)), len(crm.batches))


@pytest.mark.parametrize("fault", ["empty", "says ok", "201", "202", "204"])
def test_2xx_without_results_settles_all(
    crm: Sandbox, destination: HttpDestination, people: People, fault: str
) -> None:
    """Nothing, an object, whichever of the good statuses."""
    crm.misbehave(answer(int(fault)) if fault.isdigit() else fault)
    assert [Settled()] * 3 == list(destination.push(people(3), now=NOW).values())


def test_each_record_by_itself(crm: Sandbox, destination: HttpDestination, people: People) -> None:
    """Refused, put off, and taken, in one answer."""
    crm.refuse("p0@shop.example", "no such branch")
    crm.put_off("p1@shop.example")
    outcomes = destination.push(people(3), now=NOW)
    first = outcomes["p0@shop.example"]
    assert isinstance(first, Parked)
    assert "the receiver says: no such branch" == first.reason
    assert Postponed(reason="the receiver says: busy") == outcomes["p1@shop.example"]
    assert Settled() == outcomes["p2@shop.example"]


@pytest.mark.parametrize("reason", ["p0@shop.example is odd", "card 4111111111111111", "é" * 200])
def test_words_that_could_name_somebody_are_not_repeated(
    crm: Sandbox, destination: HttpDestination, people: People, reason: str
) -> None:
    """Addresses, long numbers and long texts stay where they are."""
    crm.refuse("p0@shop.example", reason)
    outcome = destination.push(people(1), now=NOW)["p0@shop.example"]
    assert isinstance(outcome, Parked)
    assert "the receiver does not take it" == outcome.reason


def test_results_that_do_not_name_a_record_prove_nothing_of_it(
    crm: Sandbox, destination: HttpDestination, people: People
) -> None:
    """It is tried again; what is odd in the list is passed over."""
    crm.misbehave("odd results")
    outcomes = destination.push(people(2), now=NOW)
    assert {Postponed} == {type(outcome) for outcome in outcomes.values()}
    rows = [("ok", "ok"), ("ok", "refused"), ("later", "ok"), ("fine", "ok")]
    for (one, other), expected in zip(rows, (Settled, Parked, Postponed, Postponed), strict=True):
        key = "p0@shop.example"
        told = [{"key": key, "status": one}, {"key": key, "status": other}]
        crm.misbehave(answer(200, {"results": told}))
        assert expected is type(destination.push(people(1), now=NOW)[key])


@pytest.mark.parametrize("most", [1, 3])
def test_413_halves_and_the_size_is_remembered(
    crm: Sandbox, destination: HttpDestination, people: People, most: int
) -> None:
    """Down to one; the next push begins with what was taken."""
    crm.take_at_most(most)
    assert [Settled()] * 8 == list(destination.push(people(8), now=NOW).values())
    assert max(len(batch["data"]) for batch in crm.batches) <= most
    calls = crm.calls["POST /hooks"]
    destination.push([replace(change, revision=2) for change in people(2)], now=NOW)
    assert calls + (2 if most == 1 else 1) == crm.calls["POST /hooks"]


def test_one_record_too_large_alone_is_parked(
    crm: Sandbox, destination: HttpDestination, people: People
) -> None:
    """The others go."""
    crm.misbehave("413")
    [outcome] = destination.push(people(1), now=NOW).values()
    assert isinstance(outcome, Parked)
    assert "is too large for the receiver" == outcome.reason


@pytest.mark.parametrize("bad", [0, 3, 7])
def test_a_record_that_spoils_its_batch_is_found(
    crm: Sandbox, destination: HttpDestination, people: People, bad: int
) -> None:
    """422 for the whole: halved until it stands alone; the good ones are held."""
    crm.choke_on(f"p{bad}@shop.example")
    outcomes = destination.push(people(8), now=NOW)
    assert {f"p{bad}@shop.example"} == {
        key for key, outcome in outcomes.items() if isinstance(outcome, Parked)
    }
    assert 7 == len(crm.records())


def test_a_receiver_that_refuses_everything_is_one_alarm(
    crm: Sandbox, destination: HttpDestination, people: People
) -> None:
    """Not one for each record."""
    for number in range(20):
        crm.choke_on(f"p{number}@shop.example")
    with pytest.raises(LaneDown, match="refuses every record"):
        destination.push(people(20), now=NOW)
    assert {} == crm.records()


@pytest.mark.parametrize("fault", ["401", "403", "404", "405", "410", "501", "redirect"])
def test_what_a_person_must_mend(
    crm: Sandbox, destination: HttpDestination, people: People, fault: str
) -> None:
    """Key, address, or switched off; where a redirect leads is told without its query."""
    crm.misbehave(fault)
    expected = TryLater if fault == "501" else LaneDown
    with pytest.raises(expected) as caught:
        destination.push(people(1), now=NOW)
    assert "secret" not in caught.value.reason
    if fault == "redirect":
        assert "http://127.0.0.1:9" in caught.value.reason
        assert 1 == crm.calls["POST /hooks"]
    if fault == "410":
        assert "wants nothing more" in caught.value.mend
    assert {} == crm.records()


def date_in(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("120", 120.0),
        ("in two minutes", 120.0),
        ("yesterday", 0.0),
        ("0", 0.0),
        ("1000000000", None),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_every_form_of_retry_after(
    crm: Sandbox,
    destination: HttpDestination,
    people: People,
    status: int,
    told: str,
    expected: float | None,
) -> None:
    """Seconds, a date by the receiver's own clock, and nonsense."""
    dates = {"in two minutes": date_in(120), "yesterday": date_in(-86_400)}
    crm.misbehave(answer(status, Retry_After=dates.get(told, told)))
    with pytest.raises(TryLater) as caught:
        destination.push(people(1), now=NOW)
    if told in dates:
        assert expected == pytest.approx(caught.value.retry_after, abs=3)
    else:
        assert expected == caught.value.retry_after


@pytest.mark.parametrize(
    "fault",
    [
        *("408", "409", "425", "429", "500", "502", "503", "504", "HTML", "list", "text", "bomb"),
        *("endless", "torn before", "torn after", "results are no list", "error in 200"),
    ],
)
def test_what_may_be_otherwise_next_time(
    crm: Sandbox, destination: HttpDestination, people: People, fault: str
) -> None:
    """Nothing is believed to be taken, and the next time it is."""
    crm.misbehave(fault)
    with pytest.raises(TryLater):
        destination.push(people(2), now=NOW)
    assert [Settled()] * 2 == list(destination.push(people(2), now=NOW).values())
    assert 2 == len(crm.records())


def test_an_answer_that_drips_is_not_waited_for(
    crm: Sandbox, connect: Callable[..., HttpDestination], people: People
) -> None:
    """The whole answer has its time, whether or not there is anything in it."""
    for named in ("", "somebody@else.example"):
        if named:
            crm.refuse(named)
        crm.misbehave(Fault(drip=0.01, after_work=True))
        with pytest.raises(TryLater, match="ReadTimeout"):
            connect(timeout=0.6).push(people(1), now=NOW)


def test_what_was_taken_before_a_trouble_stays_taken(
    crm: Sandbox,
    destination: HttpDestination,
    people: People,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The rest waits, for as long as was asked."""
    monkeypatch.setattr(parcels, "MOST_BYTES", 200)
    crm.misbehave("says ok")
    crm.misbehave(answer(503, Retry_After="7"))
    outcomes = list(destination.push(people(5), now=NOW).values())
    assert Settled() == outcomes[0]
    assert {Postponed(reason="the receiver answered 503", retry_after=7.0)} == set(outcomes[1:])
    assert 2 == crm.calls["POST /hooks"]


def test_bodies_are_bounded(
    crm: Sandbox, destination: HttpDestination, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parcel ends before it is too large; a record that is too large goes alone."""
    monkeypatch.setattr(parcels, "MOST_BYTES", 400)
    changes = people(7)
    large = replace(changes[3].after, fields={"NOTE": "x" * 900}) if changes[3].after else None
    changes[3] = replace(changes[3], after=large)
    assert [Settled()] * 7 == list(destination.push(changes, now=NOW).values())
    assert [2, 1, 1, 2, 1] == [len(batch["data"]) for batch in crm.batches]


def test_what_cannot_be_written_as_json_is_parked(
    crm: Sandbox, destination: HttpDestination, people: People
) -> None:
    """Half of a surrogate pair is no text; the neighbour goes."""
    good, bad = people(2)
    assert bad.after is not None
    bad = replace(bad, after=replace(bad.after, fields={"FNAME": "\ud83d"}))
    outcomes = destination.push([good, bad], now=NOW)
    assert (Settled, Parked) == (type(outcomes[good.key]), type(outcomes[bad.key]))
    assert {good.key} == crm.records().keys()
