"""Whether a person may be written to: what all the evidence for one permission adds up to.

Evidence is summed to a `Summary`, for each source the newest time of each claim. Joining two
summaries is a point-wise maximum, so order and repetition cannot matter; `decide` reads the state
off the summary. Untrusted times always work against sending.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from connector.model import Claim, Evidence, Purpose
from connector.model import ConsentState as State

# How far two sources' clocks may disagree: the figure that webhook senders promise.
# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
SKEW = timedelta(seconds=300)

_SENDABLE = {State.GRANTED_CONFIRMED, State.GRANTED, State.GRANTED_UNDATED, State.SOFT_OPTIN}
_GRANTS = {Claim.GRANT_CONFIRMED, Claim.GRANT, Claim.GRANT_STATE}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentPolicy:
    """What the merchant's law and taste allow."""

    soft: bool = False  # soft opt-in counts; it is recorded only where the law has it
    double_opt_in: bool = False  # a single opt-in waits for its confirmation
    accept_undated: bool = False  # "subscribed" counts even without a believable date


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The newest time of each claim, by source where the source matters to the decision."""

    withdraw: Mapping[str, datetime] = field(default_factory=dict)
    grant1: Mapping[str, datetime] = field(default_factory=dict)
    grant2: Mapping[str, datetime] = field(default_factory=dict)
    grant_state: Mapping[str, datetime] = field(default_factory=dict)
    grant_undated: bool = False
    pending: datetime | None = None
    soft: datetime | None = None
    erase: datetime | None = None
    undeliverable: datetime | None = None  # the address bounces; says nothing of its owner's will

    @classmethod
    def empty(cls) -> Summary:
        """What no evidence adds up to; joining it changes nothing."""
        return cls()

    def join(self, other: Summary) -> Summary:
        """The point-wise maximum: commutative, associative, idempotent."""
        names = (each.name for each in fields(self))
        return Summary(
            **{name: _newest(getattr(self, name), getattr(other, name)) for name in names}
        )


def summarise(evidence: Iterable[Evidence]) -> Summary:
    """Sum the evidence for one purpose of one contact point."""
    newest: dict[Claim, dict[str, datetime]] = {claim: {} for claim in Claim}
    for each in evidence:
        claim, at = _trusted(each)
        newest[claim][each.source] = max(at, newest[claim].get(each.source, at))
    return Summary(
        withdraw=newest[Claim.WITHDRAW],
        grant1=newest[Claim.GRANT],
        grant2=newest[Claim.GRANT_CONFIRMED],
        grant_state=newest[Claim.GRANT_STATE],
        grant_undated=bool(newest[Claim.GRANT_UNDATED]),
        pending=max(newest[Claim.PENDING].values(), default=None),
        soft=max(newest[Claim.SOFT].values(), default=None),
        erase=max(newest[Claim.ERASE].values(), default=None),
        undeliverable=max(newest[Claim.UNDELIVERABLE].values(), default=None),
    )


def by_permission(evidence: Iterable[Evidence]) -> dict[tuple[str, Purpose], Summary]:
    """Sum mixed evidence apart for each contact point and purpose: none inherits from another."""
    apart: dict[tuple[str, Purpose], list[Evidence]] = {}
    for each in evidence:
        apart.setdefault((each.contact, each.purpose), []).append(each)
    return {permission: summarise(statements) for permission, statements in apart.items()}


def decide(summary: Summary, policy: ConsentPolicy) -> State:
    """The state that the summary adds up to; the first rule that fits wins."""
    kept = not summary.withdraw and summary.erase is None
    granted = _beats_all(summary.grant1, summary) or _states_itself(summary)
    if _beats_all(summary.grant2, summary):
        return State.GRANTED_CONFIRMED
    if granted and not policy.double_opt_in:
        return State.GRANTED
    # Before "pending": a box ticked but not yet confirmed must not end what was allowed without it.
    if kept and policy.accept_undated and summary.grant_undated:
        return State.GRANTED_UNDATED
    if kept and policy.soft and summary.soft is not None:
        return State.SOFT_OPTIN
    if granted:
        return State.PENDING
    return _without_grant(summary)


def is_sendable(state: State, summary: Summary) -> bool:
    """May a message go out: the state allows it and the address does not bounce."""
    return state in _SENDABLE and summary.undeliverable is None


def newest_grant(summary: Summary) -> datetime | None:
    """When the person last acted to say yes, once or twice confirmed; ``None`` if never seen."""
    return max((*summary.grant1.values(), *summary.grant2.values()), default=None)


def withdrawals_only(summary: Summary) -> Summary:
    """What follows a person from an old address to a new one: every no, never a yes."""
    return Summary(withdraw=summary.withdraw, erase=summary.erase)


def _trusted(statement: Evidence) -> tuple[Claim, datetime]:
    """A claim with the time that it counts from.

    A no from the future counts from when it came, not from its own time: garbage such as the year
    2999 would else forbid the person's next yes. So where this machine's clock was set back, such a
    no can lose to a yes of the same day; it is the clock that must be right, of which `clocks` and
    the doctor warn.
    """
    at = statement.at
    if at is not None and at <= statement.received_at + SKEW:
        return statement.claim, at
    undated = Claim.GRANT_UNDATED if statement.claim in _GRANTS else statement.claim
    return undated, statement.received_at


def _newest(ours: Any, theirs: Any) -> Any:
    if not ours or not theirs:
        return ours or theirs
    if isinstance(ours, Mapping):
        return {**ours, **{who: max(at, ours.get(who, at)) for who, at in theirs.items()}}
    return max(ours, theirs)


def _beats_all(grants: Mapping[str, datetime], summary: Summary) -> bool:
    return any(
        (summary.erase is None or at > summary.erase + SKEW)
        and all(
            at > (no if source == who else no + SKEW) for source, no in summary.withdraw.items()
        )
        for who, at in grants.items()
    )


def _states_itself(summary: Summary) -> bool:
    """A platform's "subscribed" answers only that platform's own earlier "unsubscribed"."""
    return summary.erase is None and any(
        all(source == who and at > no for source, no in summary.withdraw.items())
        for who, at in summary.grant_state.items()
    )


def _without_grant(summary: Summary) -> State:
    if summary.erase is not None:
        return State.SUPPRESSED
    if summary.withdraw:
        return State.WITHDRAWN
    if summary.pending is not None:
        return State.PENDING
    return State.UNPROVEN if summary.grant_undated else State.UNKNOWN
