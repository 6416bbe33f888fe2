"""What Mailchimp may answer, row by row: each becomes a retry, a stop, or one contact's own end.

The numbers are those of the list of bad inputs that this project answers to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import responses

from adapters.mailchimp.destination import MailchimpDestination
from adapters.mailchimp.sandbox import AUDIENCE, KEY, Sandbox
from adapters.mailchimp.sandbox_faults import FAULTS
from adapters.town.faults import Fault, torn_at
from connector.errors import LaneDown, TryLater
from connector.model import Claim, Parked, Postponed, Settled
from tests.adapters.mailchimp.people import (
    KARI,
    NOW,
    OLA,
    ago,
    person,
    push,
    push_one,
    step,
    withdrawn,
)

BATCH = "POST /lists/{list_id}"
LIST = f"https://us1.api.mailchimp.com/3.0/lists/{AUDIENCE}"


@pytest.mark.parametrize("fault", ["HTML", "empty", "half JSON", "list", "text"])
def test_105_an_answer_that_is_none(
    mc: Sandbox, destination: MailchimpDestination, fault: str
) -> None:
    """A 200 with a page, nothing, half or the wrong kind of JSON proves nothing: again later."""
    mc.misbehave(fault)
    with pytest.raises(TryLater):
        push_one(destination, None, person())
    assert {} == mc.members()
    assert Settled() == push_one(destination, None, person())


def test_105_an_empty_object_settles_nobody(mc: Sandbox, destination: MailchimpDestination) -> None:
    """``{}`` mentions nobody: nobody is settled."""
    mc.misbehave(Fault(status=200, kind="application/json", body=b"{}"))
    outcome = push_one(destination, None, person())
    assert Postponed(reason="Mailchimp's answer did not mention this contact") == outcome


def test_106_every_pattern_of_failures_in_a_batch(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """Of eight contacts exactly the refused ones are parked; the others are not sent again."""
    for pattern in range(256):
        emails = [f"p{bit}-{pattern}@shop.example" for bit in range(8)]
        bad = {email for bit, email in enumerate(emails) if pattern >> bit & 1}
        for email in bad:
            mc.refuse(email, f"{email} looks fake or invalid, please enter a real address.")
        outcomes = push(destination, *(step(None, person(email)) for email in emails))
        parked = {email for email, each in outcomes.items() if isinstance(each, Parked)}
        settled = {email for email, each in outcomes.items() if each == Settled()}
        assert (pattern, bad, set(emails) - bad) == (pattern, parked, settled)
    assert 8 * 128 == len(mc.members())
    assert {BATCH: 256} == dict(mc.calls)


def test_106_one_of_five_hundred(mc: Sandbox, destination: MailchimpDestination) -> None:
    """499 are done in one pass."""
    emails = [f"p{number}@shop.example" for number in range(499)] + ["nobody@nowhere.invalid"]
    outcomes = push(destination, *(step(None, person(email)) for email in emails))
    assert 499 == list(outcomes.values()).count(Settled())
    assert "invalid_address" == outcomes["nobody@nowhere.invalid"].reason
    assert {BATCH: 1} == dict(mc.calls)


@pytest.mark.parametrize("status", [200, 201, 202, 206])
def test_109_every_kind_of_yes(status: int) -> None:
    """Any 2xx with the right content is an answer."""
    with responses.RequestsMock() as wire:
        _ready(wire)
        member = {"email_address": KARI, "status": "subscribed", "last_changed": "", "tags": []}
        wire.post(LIST, json={"new_members": [member], "errors": []}, status=status)
        assert Settled() == push_one(_destination(), None, person())


def test_109_an_empty_204(mc: Sandbox, destination: MailchimpDestination) -> None:
    """Archiving and tagging are answered by 204 without a word; a batch is not."""
    push_one(destination, None, person())
    assert Settled() == push_one(destination, person(), None)
    mc.misbehave(Fault(status=204, kind=""))
    with pytest.raises(TryLater):
        push_one(destination, None, person(OLA))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_110_redirects_are_not_followed(
    mc: Sandbox, destination: MailchimpDestination, status: int
) -> None:
    """A redirect stops the lane: our key goes nowhere else."""
    target = f"{mc.url}/3.0/elsewhere"
    mc.misbehave(Fault(status=status, kind="", headers={"Location": target}))
    with pytest.raises(LaneDown, match="redirect"):
        push_one(destination, None, person())
    assert {BATCH: 1} == dict(mc.calls)


COMPLIANCE = f"{KARI} is in a compliance state due to unsubscribe, bounce, or compliance review"


def test_111_compliance_state_is_a_withdrawal(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """The opt-out is reported with the time at which the member changed; nothing is retried."""
    mc.sign_up(KARI, ago(days=9))
    mc.unsubscribe(KARI, ago(days=3))
    mc.refuse(KARI, COMPLIANCE)
    outcome = push_one(destination, None, person(), granted_at=ago(days=5))
    assert isinstance(outcome, Settled)
    assert [(Claim.WITHDRAW, ago(days=3))] == [(each.claim, each.at) for each in outcome.evidence]
    assert 1 == mc.calls[BATCH]
    assert 0 == mc.calls["PUT /lists/{list_id}/members/{subscriber_hash}"]


def test_111_compliance_state_of_a_stranger(mc: Sandbox, destination: MailchimpDestination) -> None:
    """When the member cannot be read, the withdrawal counts from now."""
    mc.refuse(KARI, COMPLIANCE)
    outcome = push_one(destination, None, person(), granted_at=ago(days=5))
    assert isinstance(outcome, Settled)
    assert [(Claim.WITHDRAW, NOW)] == [(each.claim, each.at) for each in outcome.evidence]
    assert {} == mc.members()


def test_111_leaving_between_two_calls(mc: Sandbox, destination: MailchimpDestination) -> None:
    """Who unsubscribes while being raised from transactional stays out."""
    body = json.dumps({"title": "Member In Compliance State", "status": 400, "detail": COMPLIANCE})
    kind = "application/problem+json"
    mc.misbehave(
        Fault(status=400, kind=kind, body=body.encode()),
        endpoint="PUT /lists/{list_id}/members/{subscriber_hash}",
    )
    mc.sign_up(KARI)
    mc._set(KARI, "transactional", ago(days=2))
    outcome = push_one(destination, None, person(), granted_at=ago(days=5))
    assert isinstance(outcome, Settled)
    assert [Claim.WITHDRAW] == [each.claim for each in outcome.evidence]
    assert "transactional" == mc.members()[KARI]["status"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (f"{KARI} was permanently deleted and cannot be re-imported.", "forgotten_email"),
        (f"{KARI} has signed up to a lot of lists very recently; not again", "many_lists"),
        (f"{KARI} looks fake or invalid, please enter a real email address.", "invalid_address"),
        ("Please provide a valid email address.", "invalid_address"),
        ("Something never heard of", "refused: ERROR_GENERIC"),
    ],
)
def test_112_113_refused_for_good(
    mc: Sandbox, destination: MailchimpDestination, words: str, reason: str
) -> None:
    """Each has its reason and its mend, neither holds the address, and nothing is retried."""
    mc.refuse(KARI, words)
    outcome = push_one(destination, None, person())
    assert isinstance(outcome, Parked)
    assert (reason, ()) == (outcome.reason, outcome.evidence)
    assert outcome.mend
    assert KARI not in outcome.reason + outcome.mend
    assert {BATCH: 1} == dict(mc.calls)


def test_112_permanently_deleted(mc: Sandbox, destination: MailchimpDestination) -> None:
    """Forgotten in Mailchimp: parked when wanted, fine when withdrawn or removed."""
    push_one(destination, None, person())
    mc.permanently_delete(KARI)
    assert isinstance(push_one(destination, person(), person(FNAME="K")), Parked)
    assert isinstance(push_one(destination, person(), withdrawn()), Settled)
    assert isinstance(push_one(destination, None, withdrawn()), Settled)
    assert isinstance(push_one(destination, person(), None), Settled)
    assert {} == mc.members()


def test_114_a_required_field_is_one_alarm(mc: Sandbox, destination: MailchimpDestination) -> None:
    """A field that the audience requires and nobody mapped stops the lane once, naming it."""
    mc.add_field("SHOE", "number", required=True)
    mc.world.skip_validation_works = False
    emails = [f"p{number}@shop.example" for number in range(50)]
    with pytest.raises(LaneDown, match="SHOE"):
        push(destination, *(step(None, person(email)) for email in emails))
    assert {BATCH: 1} == dict(mc.calls)


def test_114_required_fields_of_others_are_skipped(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """Where Mailchimp lets us skip its validation of fields, nobody is refused for them."""
    mc.add_field("SHOE", "number", required=True)
    assert Settled() == push_one(destination, None, person())
    mc._set(KARI, "transactional", NOW)
    assert Settled() == push_one(destination, person(), person(FNAME="K"))
    assert "subscribed" == mc.members()[KARI]["status"]


def test_114_a_bad_field_is_dropped_and_the_contact_kept(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """Only the contact with the bad value is sent again, without it."""
    mc.add_field("SIZE", "dropdown", choices=["S", "M"])
    destination._read_audience()
    mc.calls.clear()
    outcomes = push(
        destination,
        step(None, person(FNAME="Kari", SIZE="enormous")),
        step(None, person(OLA, FNAME="Ola", SIZE="M")),
    )
    assert Settled(note="left out: SIZE, refused by Mailchimp") == outcomes[KARI]
    assert Settled() == outcomes[OLA]
    held = mc.members()
    assert ({"FNAME": "Kari"}, {"FNAME": "Ola", "SIZE": "M"}) == (
        held[KARI]["fields"],
        held[OLA]["fields"],
    )
    assert {BATCH: 2} == dict(mc.calls)
    assert [KARI] == [item["email_address"] for item in mc.bodies[-1][1]["members"]]


def test_114_a_contact_with_nothing_but_bad_fields(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """Six bad values, and a complaint that names none: the contact is kept without them."""
    tags = [f"SIZE{number}" for number in range(6)]
    for tag in tags:
        mc.add_field(tag, "dropdown", choices=["S"])
    destination._read_audience()
    outcome = push_one(destination, None, person(**dict.fromkeys(tags, "XL")))
    assert isinstance(outcome, Settled)
    assert ("subscribed", {}) == (mc.members()[KARI]["status"], mc.members()[KARI]["fields"])
    assert 6 == mc.calls[BATCH]


@pytest.mark.parametrize("fault", ["401", "403"])
def test_115_a_refused_key_stops_the_lane(
    mc: Sandbox, destination: MailchimpDestination, fault: str
) -> None:
    """A person has to make a new key; neither the old nor an address is shown."""
    mc.misbehave(fault)
    with pytest.raises(LaneDown) as caught:
        push_one(destination, None, person())
    assert mc.api_key not in str(caught.value)
    assert KARI not in str(caught.value)
    assert {BATCH: 1} == dict(mc.calls)


@pytest.mark.parametrize("fault", ["403 bare", "429"])
def test_116_a_bare_403_or_429_is_a_brake(
    mc: Sandbox, destination: MailchimpDestination, fault: str
) -> None:
    """Without JSON it is not about our key: again later."""
    mc.misbehave(fault)
    with pytest.raises(TryLater):
        push_one(destination, None, person())
    assert {BATCH: 1} == dict(mc.calls)


def test_117_the_audience_is_gone(mc: Sandbox, destination: MailchimpDestination) -> None:
    """A 404 of the audience stops the lane, also where a member's 404 would mean success."""
    push_one(destination, None, person())
    mc.world.gone = True
    for before, after in ((None, person(OLA)), (None, withdrawn()), (person(), None)):
        with pytest.raises(LaneDown, match="no audience"):
            push_one(destination, before, after)
    mc.world.gone = False
    assert "subscribed" == mc.members()[KARI]["status"]


def test_117_118_removing_what_is_not_there(mc: Sandbox, destination: MailchimpDestination) -> None:
    """404 and 405 on removal are success: the contact is not there, or archived already."""
    mc.sign_up(KARI)
    mc.archive(KARI)
    outcomes = push(destination, step(person(), None), step(person(OLA), None))
    assert {Settled(note="was not in the audience any more")} == set(outcomes.values())


@pytest.mark.parametrize("status", [400, 405, 410, 422])
def test_118_a_permanent_refusal_of_one_call(
    mc: Sandbox, destination: MailchimpDestination, status: int
) -> None:
    """A contact whose own call is refused is parked, and the others are done."""
    mc.sign_up(KARI)
    mc._set(KARI, "transactional", NOW)
    mc.misbehave(
        Fault(status=status, kind="application/json", body=b'{"title": "No", "detail": "no"}'),
        endpoint="PUT /lists/{list_id}/members/{subscriber_hash}",
    )
    outcomes = push(destination, step(None, person()), step(None, person(OLA)))
    assert "refused: No" == outcomes[KARI].reason
    assert Settled() == outcomes[OLA]


def test_119_a_conflict_is_tried_once_more(mc: Sandbox, destination: MailchimpDestination) -> None:
    """After one 409 the call is repeated, after two it waits."""
    mc.misbehave("409")
    assert Settled() == push_one(destination, None, person())
    assert {BATCH: 2} == dict(mc.calls)
    mc.misbehave("409", times=2)
    with pytest.raises(TryLater):
        push_one(destination, None, person(OLA))
    assert {BATCH: 4} == dict(mc.calls)


def test_120_too_large_is_halved(mc: Sandbox, destination: MailchimpDestination) -> None:
    """A batch that is too large goes in halves, down to one, and everybody arrives."""
    mc.misbehave("413", times=3)
    emails = [f"p{number}@shop.example" for number in range(8)]
    outcomes = push(destination, *(step(None, person(email)) for email in emails))
    assert [Settled()] * 8 == list(outcomes.values())
    assert set(emails) == set(mc.members())
    sizes = [len(body["members"]) for endpoint, body in mc.bodies if endpoint == BATCH]
    assert [1, 1, 2, 4] == sizes


def test_120_one_contact_that_is_too_large(mc: Sandbox, destination: MailchimpDestination) -> None:
    """What cannot be halved is parked."""
    mc.misbehave("413")
    assert "too_large" == push_one(destination, None, person()).reason


def test_120_a_batch_refused_as_a_whole(mc: Sandbox, destination: MailchimpDestination) -> None:
    """One contact that spoils the whole call is found by halving; the other seven are done."""
    emails = [f"p{number}@shop.example" for number in range(8)]
    bad = Fault(status=400, kind="application/json", body=b'{"title": "Bad", "detail": "bad"}')
    mc.misbehave(bad, times=4)  # 8, 4, 2, and the first alone
    outcomes = push(destination, *(step(None, person(email)) for email in emails))
    assert "refused: Bad" == outcomes[emails[0]].reason
    assert set(emails[1:]) == set(mc.members())
    mc.misbehave(bad, times=1000)
    mc.calls.clear()
    with pytest.raises(LaneDown, match="every contact"):
        push(destination, *(step(None, person(f"q{n}@shop.example")) for n in range(500)))
    assert 30 > mc.calls[BATCH]


@pytest.mark.parametrize(
    ("given", "date", "expected"),
    [
        ("7", "", 7.0),
        ("0", "", 0.0),
        ("-5", "", None),
        ("1000000000", "", 14400.0),
        ("9" * 400, "", 14400.0),
        ("Mon, 23 Nov 2026 10:02:00 GMT", "Mon, 23 Nov 2026 10:00:00 GMT", 120.0),
        ("Mon, 23 Nov 2026 09:00:00 GMT", "Mon, 23 Nov 2026 10:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2027 09:00:00 GMT", "Mon, 23 Nov 2026 10:00:00 GMT", 14400.0),
        ("Mon, 23 Nov 2026 10:02:00 GMT", "yesterday", None),
        ("Mon, 23 Nov 2026 10:02:00 -0000", "Mon, 23 Nov 2026 10:00:00 GMT", None),
        ("soon", "", None),
        ("²", "", None),
        ("", "", None),
    ],
)
def test_121_retry_after(given: str, date: str, expected: float | None) -> None:
    """Seconds or a date, beside the answer's own date, at most four hours; nonsense is nothing."""
    with responses.RequestsMock() as wire:
        _ready(wire)
        headers = {"Retry-After": given.encode().decode("latin-1"), "Date": date}
        wire.post(LIST, status=429, headers=headers)
        with pytest.raises(TryLater) as caught:
            push_one(_destination(), None, person())
        assert expected == caught.value.retry_after


@pytest.mark.parametrize("fault", ["500", "502", "503", "504", "429 in JSON"])
def test_122_a_server_in_trouble(
    mc: Sandbox, destination: MailchimpDestination, fault: str
) -> None:
    """Whatever its body, a 5xx is for later."""
    mc.misbehave(fault)
    with pytest.raises(TryLater):
        push_one(destination, None, person())
    assert {} == mc.members()


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "https://no-such-host.invalid"])
def test_124_nobody_there(address: str) -> None:
    """No name, no connection: later, and the reason names neither key nor address."""
    destination = MailchimpDestination("n", AUDIENCE, KEY, base_url=address, timeout=2)
    with pytest.raises(TryLater) as caught:
        push_one(destination, None, person())
    assert KEY not in str(caught.value)


def test_124_no_tls_there(mc: Sandbox) -> None:
    """A server without TLS where there should be: later."""
    destination = MailchimpDestination(
        "n", AUDIENCE, KEY, base_url=mc.url.replace("http:", "https:"), timeout=2
    )
    with pytest.raises(TryLater):
        push_one(destination, None, person())


def test_125_slower_than_the_limit(mc: Sandbox, destination: MailchimpDestination) -> None:
    """A byte now and then does not keep us: the whole answer has a last moment."""
    hurried = MailchimpDestination("n", mc.audience, mc.api_key, base_url=mc.url, timeout=0.5)
    for fault in (FAULTS["drip"], Fault(wait=1.0)):
        mc.misbehave(fault)
        with pytest.raises(TryLater):
            push_one(hurried, None, person())
    mc.misbehave("drip", endpoint=BATCH)
    with pytest.raises(TryLater):
        push_one(hurried, None, person())
    assert Settled() == push_one(destination, None, person())


@pytest.mark.parametrize(("fault", "why"), [("endless", "larger than"), ("bomb", "compressed")])
def test_126_a_reply_that_would_drown_us(
    mc: Sandbox, destination: MailchimpDestination, fault: str, why: str
) -> None:
    """An endless or an exploding reply is dropped at the limit."""
    mc.misbehave(fault)
    with pytest.raises(TryLater, match=why):
        push_one(destination, None, person())
    assert Settled() == push_one(destination, None, person())


def test_126_endless_headers(mc: Sandbox, destination: MailchimpDestination) -> None:
    """A reply with more headers than anybody needs is dropped."""
    mc.misbehave(Fault(status=200, headers={f"X-{number}": "y" for number in range(200)}))
    with pytest.raises(TryLater):
        push_one(destination, None, person())


def test_127_an_answer_to_somebody_else(mc: Sandbox, destination: MailchimpDestination) -> None:
    """An answer that speaks of others settles nobody; the repeat does."""
    other = {"email_address": "x@y.example", "status": "subscribed"}
    body = json.dumps({"new_members": [other], "errors": [{"email_address": "z@y.example"}]})
    mc.misbehave(Fault(status=200, kind="application/json", body=body.encode()))
    assert isinstance(push_one(destination, None, person()), Postponed)
    assert Settled() == push_one(destination, None, person())


@pytest.mark.parametrize(
    "said",
    [
        {"new_members": None, "updated_members": 7, "errors": {}},
        {"new_members": [None, 3, "x", {"email_address": 5}, {"email_address": KARI}]},
        {"errors": [None, {"error": "no address"}, {"email_address": None}]},
    ],
)
def test_127_an_answer_out_of_shape(
    mc: Sandbox, destination: MailchimpDestination, said: Mapping[str, Any]
) -> None:
    """Parts of the wrong kind are passed over."""
    mc.misbehave(Fault(status=200, kind="application/json", body=json.dumps(said).encode()))
    assert isinstance(push_one(destination, None, person()), Postponed)


def test_127_an_address_in_another_spelling(mc: Sandbox, destination: MailchimpDestination) -> None:
    """Mailchimp answers with the capitals in which the contact came first: it is the same."""
    mc.sign_up("Kari@Shop.example")
    assert Settled() == push_one(destination, None, person(FNAME="Kari"))
    mc.refuse(KARI, "looks fake or invalid")
    loud = person(KARI.upper())
    assert isinstance(push_one(destination, None, loud), Parked)


def test_128_the_status_differs_from_what_was_sent(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """A withdrawal that the answer does not show is not done."""
    member = {"email_address": KARI, "status": "subscribed"}
    body = json.dumps({"updated_members": [member]}).encode()
    mc.misbehave(Fault(status=200, kind="application/json", body=body))
    expected = Postponed(reason="Mailchimp still holds this contact as subscribed")
    assert expected == push_one(destination, person(), withdrawn())


@pytest.mark.parametrize("keep", [0, 1, 60, 400, 480])
def test_p12_a_connection_torn_anywhere_is_safe(
    mc: Sandbox, destination: MailchimpDestination, keep: int
) -> None:
    """The work was done, the reply cut anywhere: the repeat ends right, with one mail."""
    mc.sign_up(KARI, ago(days=9))
    mc.unsubscribe(KARI, ago(days=3))
    change = step(None, person(FNAME="Kari", tags=["VIP"]), ago(days=1))
    put = "PUT /lists/{list_id}/members/{subscriber_hash}"
    for endpoint in (BATCH, put):
        mc.misbehave(torn_at(keep), endpoint=endpoint)
        with pytest.raises(TryLater):
            push(destination, change)
    assert "pending" == mc.members()[KARI]["status"]
    assert isinstance(push(destination, change)[KARI], Settled)
    held = mc.members()[KARI]
    assert ("pending", {"FNAME": "Kari"}, ["VIP"]) == (held["status"], held["fields"], held["tags"])
    assert {BATCH: 3, put: 1} == {name: mc.calls[name] for name in (BATCH, put)}


def test_p13_never_more_than_eight_calls_at_once(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """Calls for single contacts go side by side, and leave room for others."""
    mc.delay(0.02)
    emails = [f"p{number}@shop.example" for number in range(60)]
    outcomes = push(destination, *(step(None, withdrawn(email)) for email in emails))
    assert 60 == sum(isinstance(outcome, Settled) for outcome in outcomes.values())
    assert mc.peak in range(2, 9)


def test_p13_a_brake_stops_the_calls_for_single_contacts(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """Those under way end, and no other begins."""
    mc.misbehave("429", times=500)
    changes = [step(None, withdrawn(f"p{number}@shop.example")) for number in range(500)]
    with pytest.raises(TryLater):
        push(destination, *changes)
    assert 8 >= mc.calls.total()


def test_p13_after_a_brake_no_further_call(mc: Sandbox, destination: MailchimpDestination) -> None:
    """What is done stays done, what is not is postponed, and nobody is asked again now."""
    mc.sign_up(KARI)
    mc.misbehave("429", endpoint=BATCH)
    changes = [
        step(None, withdrawn()),
        *(step(None, person(f"p{n}@shop.example")) for n in range(9)),
    ]
    outcomes = push(destination, *changes)
    assert Settled() == outcomes.pop(KARI)
    assert {Postponed(reason="Mailchimp answered 429")} == set(outcomes.values())
    assert 1 == mc.calls[BATCH]


def _destination() -> MailchimpDestination:
    return MailchimpDestination("newsletter", AUDIENCE, KEY)


def _ready(wire: responses.RequestsMock) -> None:
    wire.get(LIST, json={"id": AUDIENCE, "double_optin": False})
    wire.get(f"{LIST}/merge-fields", json={"merge_fields": []})
