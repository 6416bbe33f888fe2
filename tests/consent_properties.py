"""The promises M1 to M6 about consent, as checks that count the cases in which a rule breaks them.

The universe: 31 events of two sources at three times, of which 1000 and 1200 lie within the margin
for wrong clocks, and the 5,984 histories of at most three of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import combinations_with_replacement, permutations, product

from connector.consent import SKEW, ConsentPolicy
from connector.model import Claim, ConsentState, Evidence, Purpose
from connector.moments import EPOCH
from tests.consent_controls import Rule

SENDABLE = {
    ConsentState.GRANTED_CONFIRMED,
    ConsentState.GRANTED,
    ConsentState.GRANTED_UNDATED,
    ConsentState.SOFT_OPTIN,
}
ENDING = {Claim.WITHDRAW, Claim.ERASE}
FIRST_HAND = {Claim.GRANT, Claim.GRANT_CONFIRMED}
DATED = FIRST_HAND | {Claim.GRANT_STATE}
POLICIES = [
    ConsentPolicy(soft=soft, double_opt_in=double, accept_undated=undated)
    for soft, double, undated in product((False, True), repeat=3)
]

Case = tuple[Sequence[Evidence], Evidence, ConsentPolicy]


def at(seconds: int) -> datetime:
    """So many seconds after 1970."""
    return EPOCH + timedelta(seconds=seconds)


def event(claim: Claim, time: int | None = None, source: str = "A") -> Evidence:
    """One statement, received long after it was made, always at the same moment."""
    return Evidence(
        contact="a@example.org",
        purpose=Purpose.EMAIL,
        claim=claim,
        source=source,
        received_at=at(3000),
        at=None if time is None else at(time),
    )


UNIVERSE = (
    event(Claim.NEUTRAL),
    event(Claim.GRANT_UNDATED),
    event(Claim.SOFT, 1000),
    event(Claim.PENDING, 1000),
    *(event(Claim.ERASE, time) for time in (1000, 1200, 2000)),
    *(
        event(claim, time, source)
        for claim in (Claim.WITHDRAW, *sorted(DATED))
        for time in (1000, 1200, 2000)
        for source in "AB"
    ),
)
HISTORIES = [
    history for length in range(4) for history in combinations_with_replacement(UNIVERSE, length)
]


def order_matters(rule: Rule, policies: Sequence[ConsentPolicy]) -> Iterator[Case]:
    """M1: the histories that, permuted or doubled, come to another state."""
    for history in HISTORIES:
        for policy in policies:
            state = rule(history, policy)
            for order in set(permutations(history)):
                if rule(order, policy) is not state or rule(order * 2, policy) is not state:
                    yield history, order[-1], policy


def resurrections(rule: Rule, policies: Sequence[ConsentPolicy]) -> Iterator[Case]:
    """M3: a no ever said, and yet a yes by something else than a newer first-hand one.

    Beside the state's own words "withdrawn" and "suppressed", this covers people whose new yes
    still waits for its confirmation. The one exception is a source's own later state.
    """
    for history, added, policy, before, after in _transitions(rule, policies):
        if before in SENDABLE or after not in SENDABLE or _may_restore(added, history):
            continue
        if any(each.claim in ENDING for each in history):
            yield history, added, policy


def unheard_withdrawals(rule: Rule, policies: Sequence[ConsentPolicy]) -> Iterator[Case]:
    """M4: a no at or after the newest yes that does not end sending."""
    for history, added, policy, _, after in _transitions(rule, policies):
        if added.claim in ENDING and after in SENDABLE:
            newest = max((yes.at for yes in history if yes.claim in DATED and yes.at), default=None)
            if newest is None or (added.at is not None and added.at >= newest):
                yield history, added, policy


def lost_permissions(rule: Rule, policies: Sequence[ConsentPolicy]) -> Iterator[Case]:
    """M5: something else than a no that takes a permission away."""
    for history, added, policy, before, after in _transitions(rule, policies):
        if added.claim not in ENDING and before in SENDABLE and after not in SENDABLE:
            yield history, added, policy


def losses(history: Sequence[Evidence]) -> Iterator[tuple[Evidence, Sequence[Evidence]]]:
    """Each event of a history that is no withdrawal, and the history without it."""
    for place, lost in enumerate(history):
        if lost.claim not in ENDING:
            yield lost, (*history[:place], *history[place + 1 :])


def gains_by_loss(rule: Rule, policies: Sequence[ConsentPolicy]) -> Iterator[Case]:
    """M6: people who become sendable because evidence that is no withdrawal got lost."""
    for policy in policies:
        for history in HISTORIES:
            if rule(history, policy) not in SENDABLE:
                for lost, rest in losses(history):
                    if rule(rest, policy) in SENDABLE:
                        yield history, lost, policy


def _transitions(
    rule: Rule, policies: Sequence[ConsentPolicy]
) -> Iterator[tuple[Sequence[Evidence], Evidence, ConsentPolicy, ConsentState, ConsentState]]:
    for history in HISTORIES:
        before = [rule(history, policy) for policy in policies]
        for added in UNIVERSE:
            longer = (*history, added)
            for policy, was in zip(policies, before, strict=True):
                yield history, added, policy, was, rule(longer, policy)


def _may_restore(yes: Evidence, history: Sequence[Evidence]) -> bool:
    if yes.at is None:
        return False
    for no in history:
        same = no.claim is Claim.WITHDRAW and no.source == yes.source
        if no.claim in ENDING and no.at is not None:
            if yes.claim not in FIRST_HAND and not (yes.claim is Claim.GRANT_STATE and same):
                return False
            if yes.at <= (no.at if same else no.at + SKEW):
                return False
    return True
