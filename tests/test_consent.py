"""Consent: the truth table row by row, the rules of time, and the promises M1 to M7."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.consent import (
    ConsentPolicy,
    Summary,
    by_permission,
    decide,
    is_sendable,
    newest_grant,
    summarise,
    withdrawals_only,
)
from connector.model import Claim, ConsentState, Evidence, Purpose
from tests import consent_controls as controls
from tests import consent_properties as properties
from tests.consent_properties import HISTORIES, POLICIES, UNIVERSE, at, event

Check = Callable[[controls.Rule, Sequence[ConsentPolicy]], Iterator[properties.Case]]

DEFAULT = ConsentPolicy()
COLUMNS = (
    DEFAULT,
    ConsentPolicy(soft=True),
    ConsentPolicy(double_opt_in=True),
    ConsentPolicy(accept_undated=True),
)

# Evidence | default | soft opt-in | double opt-in | undated accepted
TABLE = """
                                           | unknown   | unknown    | unknown   | unknown
neutral                                    | unknown   | unknown    | unknown   | unknown
grantU                                     | unproven  | unproven   | unproven  | granted_undated
soft@1000A                                 | unknown   | soft_optin | unknown   | unknown
pending@1000A                              | pending   | pending    | pending   | pending
grantS@1000A                               | granted   | granted    | pending   | granted
grant1@1000A                               | granted   | granted    | pending   | granted
grant2@1000A                               | granted_confirmed
withdraw@1000A                             | withdrawn
withdraw@1000A + neutral                   | withdrawn
withdraw@1000A + grantU                    | withdrawn
withdraw@1000A + soft@2000B                | withdrawn
withdraw@1000A + pending@2000B             | withdrawn
withdraw@1000A + grantS@2000A              | granted   | granted    | pending   | granted
withdraw@1000A + grantS@2000B              | withdrawn
withdraw@1000A + grant1@1000A              | withdrawn
withdraw@1000A + grant1@1001A              | granted   | granted    | pending   | granted
withdraw@1000A + grant1@1200B              | withdrawn
withdraw@1000A + grant1@2000B              | granted   | granted    | pending   | granted
withdraw@1000A + grant2@2000B              | granted_confirmed
grant1@1000A + withdraw@2000B              | withdrawn
grant2@2000A + withdraw@1000B              | granted_confirmed
grant1@1000A + withdraw@2000B + grant1@1000A | withdrawn
withdraw@1000A + withdraw@2000B + grant1@1200A | withdrawn
erase@1000A                                | suppressed
erase@1000A + grantU                       | suppressed
erase@1000A + grantS@2000B                 | suppressed
erase@1000A + grant1@1000B                 | suppressed
erase@1000A + grant1@1200B                 | suppressed
erase@1000A + grant1@2000B                 | granted   | granted    | pending   | granted
erase@1000A + soft@2000B                   | suppressed
erase@1000A + withdraw@1200A + grant2@2000B | granted_confirmed
"""
ROWS = [line for line in TABLE.splitlines() if line.strip()]


def parsed(text: str) -> Evidence:
    """``grant1@1000A`` as evidence."""
    claim, _, when = text.strip().partition("@")
    return event(Claim(claim), int(when[:-1]), when[-1]) if when else event(Claim(claim))


def held(contact: str, purpose: Purpose, statement: Evidence) -> Evidence:
    """The same statement about another permission."""
    return replace(statement, contact=contact, purpose=purpose)


@lru_cache(maxsize=10_000)
def remembered(history: tuple[Evidence, ...]) -> Summary:
    """The summary of a history; the same one is asked for under eight policies."""
    return summarise(history)


def our_rule(history: Sequence[Evidence], policy: ConsentPolicy) -> ConsentState:
    """The rule under test, its sums remembered."""
    return decide(remembered(tuple(history)), policy)


@pytest.mark.parametrize("column", range(4), ids=["default", "soft", "doi", "undated"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.partition("|")[0].strip() or "nothing")
def test_truth_table(row: str, column: int) -> None:
    """Each row of the table comes to its state in each column."""
    evidence, *states = (cell.strip() for cell in row.split("|"))
    expected = states[column] if len(states) > 1 else states[0]
    history = [parsed(text) for text in evidence.split("+") if text.strip()]
    assert expected == decide(summarise(history), COLUMNS[column])


def test_the_universe_is_the_one_that_was_promised() -> None:
    """31 events, 9 of them a no; 5,984 histories, 3,761 different sums."""
    sums = {repr(summarise(sorted(history, key=repr))) for history in HISTORIES}
    assert 31 == len(set(UNIVERSE))
    assert 9 == sum(each.claim in properties.ENDING for each in UNIVERSE)
    assert 5_984 == len(HISTORIES)
    assert 3_761 == len(sums)


@pytest.mark.parametrize(
    "check",
    [
        properties.order_matters,
        properties.resurrections,
        properties.unheard_withdrawals,
        properties.lost_permissions,
        properties.gains_by_loss,
    ],
    ids=["M1", "M3", "M4", "M5", "M6"],
)
def test_promises_hold_for_every_history_and_policy(check: Check) -> None:
    """M1, M3, M4, M5, M6: no case out of all, under all eight policies, breaks them."""
    assert [] == list(check(our_rule, POLICIES))


def test_m1_sums_are_equal_not_only_states() -> None:
    """M1: permuted and doubled, a history has the very same summary."""
    for history in HISTORIES:
        backwards = history[::-1]
        assert remembered(history) == summarise(backwards + history)
        assert remembered(history) == summarise(backwards)


def test_m2_join_is_associative_commutative_idempotent() -> None:
    """M2: 100,000 random triples; and the join of sums is the sum of all the evidence."""
    chance = random.Random(20261123)
    for _ in range(100_000):
        a, b, c = chance.choices(HISTORIES, k=3)
        one, two, three = remembered(a), remembered(b), remembered(c)
        joined = one.join(two)
        assert joined.join(three) == one.join(two.join(three))
        assert joined == two.join(one) == joined.join(one)
        assert joined.join(Summary.empty()) == joined
    for a, b in zip(HISTORIES, reversed(HISTORIES), strict=True):
        assert remembered(a).join(remembered(b)) == summarise(a + b)


def test_m6_looks_at_every_loss() -> None:
    """M6: the check goes through 98,736 cases."""
    assert 98_736 == len(POLICIES) * sum(
        len(list(properties.losses(history))) for history in HISTORIES
    )


@given(
    st.lists(st.sampled_from(UNIVERSE), max_size=4),
    st.lists(st.sampled_from(UNIVERSE), max_size=4),
    st.sampled_from([Purpose.EMAIL, Purpose.SMS]),
)
def test_m7_purposes_are_independent(
    ads: list[Evidence], other: list[Evidence], purpose: Purpose
) -> None:
    """M7: what is said about e-mail or SMS, or by another contact point, leaves ads as it was."""
    alone = [held("a", Purpose.ADS, each) for each in ads]
    mixed = [held("a", purpose, each) for each in other]
    mixed += [held("b", Purpose.ADS, each) for each in other]
    before = by_permission(alone).get(("a", Purpose.ADS), Summary.empty())
    after = by_permission([*mixed, *alone]).get(("a", Purpose.ADS), Summary.empty())
    assert before == after


@pytest.mark.parametrize(
    ("rule", "order", "resurrected", "unheard"),
    [
        (controls.latest_timestamp_wins, 0, 2_708, 0),
        (controls.last_to_arrive_wins, 7_938, 8_222, 0),
        (controls.not_subscribed_is_subscribed, 0, 2_676, 3_267),
        (controls.subscribed_anywhere_wins, 0, 7_303, 28_305),
    ],
)
def test_wrong_rules_of_the_real_world_are_caught(
    rule: controls.Rule, order: int, resurrected: int, unheard: int
) -> None:
    """The checks that our rule passes find the four rules that write to people who said no."""
    assert order == len(list(properties.order_matters(rule, [DEFAULT])))
    assert resurrected == len(list(properties.resurrections(rule, [DEFAULT])))
    assert unheard == len(list(properties.unheard_withdrawals(rule, [DEFAULT])))


RECEIVED = 3000


@pytest.mark.parametrize("claim", sorted(properties.DATED))
@pytest.mark.parametrize("time", [None, RECEIVED + 301, 2**35])
def test_a_grant_without_believable_time_is_undated(claim: Claim, time: int | None) -> None:
    """No time, or one more than 300 seconds in the future, proves nothing."""
    assert Summary(grant_undated=True) == summarise([event(claim, time)])


@pytest.mark.parametrize("time", [None, RECEIVED + 301, 2**35])
def test_a_no_without_believable_time_counts_from_its_arrival(time: int | None) -> None:
    """A withdrawal or erasure without time, or from the future, is set to when it was received."""
    no = [event(Claim.WITHDRAW, time), event(Claim.ERASE, time)]
    assert Summary(withdraw={"A": at(RECEIVED)}, erase=at(RECEIVED)) == summarise(no)


def test_times_within_the_margin_are_believed() -> None:
    """Exactly 300 seconds ahead of our clock is still that source's time."""
    history = [event(Claim.GRANT, RECEIVED + 300), event(Claim.WITHDRAW, RECEIVED + 300, "B")]
    expected = Summary(grant1={"A": at(RECEIVED + 300)}, withdraw={"B": at(RECEIVED + 300)})
    assert expected == summarise(history)


@pytest.mark.parametrize(("seconds", "state"), [(1300, "withdrawn"), (1301, "granted")])
def test_another_source_must_beat_the_margin(seconds: int, state: str) -> None:
    """A grant elsewhere counts from one second after the margin of 300."""
    history = [event(Claim.WITHDRAW, 1000), event(Claim.GRANT, seconds, "B")]
    assert state == decide(summarise(history), DEFAULT)


@pytest.mark.parametrize(("seconds", "state"), [(1300, "suppressed"), (1301, "granted")])
def test_erasure_is_beaten_only_beyond_the_margin(seconds: int, state: str) -> None:
    """Even the source that erased must be more than the margin later."""
    history = [event(Claim.ERASE, 1000), event(Claim.GRANT, seconds)]
    assert state == decide(summarise(history), DEFAULT)


def test_an_unconfirmed_tick_does_not_end_a_soft_opt_in() -> None:
    """With double opt-in, a ticked box neither confirms nor takes away what was there."""
    policy = ConsentPolicy(soft=True, double_opt_in=True)
    history = [event(Claim.SOFT, 1000), event(Claim.GRANT, 2000)]
    assert ConsentState.SOFT_OPTIN == decide(summarise(history), policy)


def test_an_address_that_bounces_is_not_written_to_and_has_withdrawn_nothing() -> None:
    """Undeliverable blocks sending and leaves the state as it was."""
    before = summarise([event(Claim.GRANT_CONFIRMED, 1000)])
    after = summarise([event(Claim.GRANT_CONFIRMED, 1000), event(Claim.UNDELIVERABLE, 2000)])
    assert ConsentState.GRANTED_CONFIRMED == decide(before, DEFAULT) == decide(after, DEFAULT)
    assert is_sendable(decide(before, DEFAULT), before)
    assert not is_sendable(decide(after, DEFAULT), after)


@pytest.mark.parametrize("state", list(ConsentState))
def test_only_four_states_are_sendable(state: ConsentState) -> None:
    """Granted in its three forms and soft opt-in; nothing else."""
    assert (state in properties.SENDABLE) == is_sendable(state, Summary.empty())


def test_newest_grant_is_first_hand() -> None:
    """A platform's state and an undated yes are no act of the person."""
    assert (
        newest_grant(summarise([event(Claim.GRANT_STATE, 2000), event(Claim.SOFT, 2000)])) is None
    )
    history = [event(Claim.GRANT, 1000), event(Claim.GRANT_CONFIRMED, 1200, "B")]
    assert at(1200) == newest_grant(summarise([*history, event(Claim.WITHDRAW, 2000)]))


def test_only_a_no_follows_a_person_to_a_new_address() -> None:
    """Of everything that can be said, withdrawals and erasures travel, grants never."""
    travelling = withdrawals_only(summarise(UNIVERSE))
    assert Summary(withdraw={"A": at(2000), "B": at(2000)}, erase=at(2000)) == travelling
    for history in HISTORIES:
        moved = withdrawals_only(remembered(history))
        for policy in POLICIES:
            assert decide(moved, policy) not in properties.SENDABLE
