"""Four rules that real connectors follow and that write to people who said no.

They are kept as positive controls: the checks that pass our own rule must catch each of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from connector.consent import ConsentPolicy, decide, summarise
from connector.model import Claim, ConsentState, Evidence

Rule = Callable[[Sequence[Evidence], ConsentPolicy], ConsentState]
"""What a history of evidence, in the order of its arrival, adds up to."""

_YES = {Claim.GRANT_CONFIRMED, Claim.GRANT, Claim.GRANT_STATE}
_NO = {Claim.WITHDRAW, Claim.ERASE}


def our_rule(history: Sequence[Evidence], policy: ConsentPolicy) -> ConsentState:
    """The rule under test."""
    return decide(summarise(history), policy)


def latest_timestamp_wins(history: Sequence[Evidence], policy: ConsentPolicy) -> ConsentState:
    """Whoever stamped last is right, whether a person acted or an import did."""
    del policy
    spoken = [each for each in history if each.claim in _YES | _NO and each.at is not None]
    return _said(max(spoken, key=lambda each: (each.at, each.claim in _NO), default=None))


def last_to_arrive_wins(history: Sequence[Evidence], policy: ConsentPolicy) -> ConsentState:
    """Each delivery overwrites what was there."""
    del policy
    spoken = [each for each in history if each.claim in _YES | _NO]
    return _said(spoken[-1] if spoken else None)


def not_subscribed_is_subscribed(
    history: Sequence[Evidence], policy: ConsentPolicy
) -> ConsentState:
    """A platform's neutral "not subscribed" is mapped to "subscribed", as of when it came."""
    return our_rule(
        [
            replace(each, claim=Claim.GRANT, at=each.received_at)
            if each.claim is Claim.NEUTRAL
            else each
            for each in history
        ],
        policy,
    )


def subscribed_anywhere_wins(history: Sequence[Evidence], policy: ConsentPolicy) -> ConsentState:
    """The first sync subscribes everybody whom any of the sources calls subscribed."""
    del policy
    yes = [each for each in history if each.claim in _YES | {Claim.GRANT_UNDATED}]
    no = [each for each in history if each.claim in _NO]
    return _said(yes[-1] if yes else no[-1] if no else None)


def _said(statement: Evidence | None) -> ConsentState:
    if statement is None:
        return ConsentState.UNKNOWN
    return ConsentState.WITHDRAWN if statement.claim in _NO else ConsentState.GRANTED
