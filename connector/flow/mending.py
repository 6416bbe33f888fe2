"""What is done about webhooks that are not right: mended, left to a person, or only told of.

A revived webhook of WooCommerce keeps its failures: the next one switches it off again
(https://github.com/woocommerce/woocommerce/blob/trunk/plugins/woocommerce/includes/class-wc-webhook.php,
``failed_delivery``). So nothing is revived before our public address was seen to answer and the
store to be written; and what falls over three times in a day is left until a person has looked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connector.errors import LaneDown, TryLater
from connector.flow.posts import DOWN, HoldsBack, Post, register
from connector.ports import (
    OPERATOR,
    Finding,
    Flaw,
    FlawKind,
    Grade,
    Letterbox,
    Watchable,
)
from connector.store import watching
from connector.store.connect import Store
from connector.store.watching import Noticed, Refused, Seen

MOST_REVIVALS = 3
"""So often within a day a webhook is put back; when it fell over again after that, it is left."""
NOT_YET = "not mended yet"
"""So begins what is said of a webhook that is tried again soon."""
_DAY = timedelta(days=1)
_UNTIL_MENDED = timedelta(hours=1)  # before a platform that refused to mend the same is asked again
_UNKNOWABLE = (FlawKind.ADDRESS, FlawKind.SECRET)
"""Flaws that webhooks which a person set up by hand always have."""


def treat(store: Store, post: Post, flaws: Sequence[Flaw], before: Seen, *, now: datetime) -> Seen:
    """Mend the flaws that may be mended; what was seen and done.

    Raises `StoreUnavailable`: then nothing was mended, or it is mended once more.
    """
    with store.read() as conn:
        was_set_up = watching.was_set_up(conn, post.name)
    down = {flaw.topic for flaw in flaws if flaw.kind in DOWN}
    revived = _lately(before, down, now)
    left = sorted(
        topic
        for topic in down
        if topic in before.left or len(revived.get(topic, ())) >= MOST_REVIVALS
    )
    wrong = [
        flaw
        for flaw in flaws
        if flaw.kind is not FlawKind.VERSION
        and flaw.topic not in left
        and (was_set_up or flaw.kind not in _UNKNOWABLE)
    ]
    seen = replace(
        before,
        checked_at=now,
        fine_at=before.fine_at if down else now,
        revived=revived,
        unproven={topic: at for topic, at in before.unproven.items() if topic in down - {*left}},
        left=tuple(left),
        refused=before.refused if wrong else None,
    )
    undone = [*_left(post.name, flaws, left), *_foreign(flaws)]
    if not wrong:
        return replace(seen, ok=not undone, findings=tuple(undone))
    obstacle = _obstacle(post, seen.refused, wrong, was_set_up=was_set_up, now=now)
    if obstacle is not None:
        told = [_held(flaw, obstacle) for flaw in wrong]
        return replace(seen, ok=False, findings=(*told, *undone))
    return _mend(store, post, wrong, seen, undone, now)


def _mend(
    store: Store, post: Post, wrong: Sequence[Flaw], seen: Seen, undone: list[Noticed],
    now: datetime,
) -> Seen:  # fmt: skip
    assert post.guest is not None  # noqa: S101 - for the types: the flaws are its own
    assert post.letterbox is not None  # noqa: S101 - likewise
    reviving = {flaw.topic for flaw in wrong if flaw.kind in DOWN}
    with store.write() as conn:  # before a shop is told to call us, the store is seen to take it
        meant = {topic: (*seen.revived.get(topic, ()), now) for topic in reviving}
        watching.write(conn, post.name, replace(seen, revived={**seen.revived, **meant}), now=now)
    trouble: TryLater | LaneDown | None = None
    try:
        box = replace(post.letterbox(store), left=seen.left)
        post.remember(store, box, post.guest.register_webhooks(box), now)
    except (TryLater, LaneDown) as problem:
        trouble = problem
    still = _still(post.guest, post.letterbox(store), wrong, trouble)
    mended = [flaw for flaw in wrong if (flaw.topic, flaw.kind) not in still]
    told = [
        _mended(flaw) if flaw in mended else _unmended(flaw, trouble, post.name) for flaw in wrong
    ]
    up_again = reviving & {flaw.topic for flaw in mended}
    return replace(
        seen,
        ok=len(mended) == len(wrong) and not undone,
        findings=(*told, *undone),
        revived={
            **seen.revived,
            **{topic: times for topic, times in meant.items() if topic in up_again},
        },
        unproven={**seen.unproven, **dict.fromkeys(sorted(up_again), now)},
        refused=Refused(at=now, flaws=_names(wrong), reason=trouble.reason, mend=trouble.mend)
        if isinstance(trouble, LaneDown)
        else None,
    )


def _still(
    guest: Watchable,
    box: Letterbox,
    wrong: Sequence[Flaw],
    trouble: TryLater | LaneDown | None,
) -> set[tuple[str, FlawKind]]:
    """What is wrong still; where that cannot be seen, all of it if there was trouble."""
    try:
        return {(flaw.topic, flaw.kind) for flaw in guest.look_at_webhooks(box)}
    except (TryLater, LaneDown):
        return {(flaw.topic, flaw.kind) for flaw in wrong} if trouble else set()


def _lately(
    before: Seen, down: Collection[str], now: datetime
) -> Mapping[str, tuple[datetime, ...]]:
    """When each webhook was put back within a day; one that a person mended begins anew.

    A clock that was set back forgets what it has not come to yet.
    """
    lately = {
        topic: tuple(at for at in times if timedelta(0) <= now - at <= _DAY)
        for topic, times in before.revived.items()
        if topic in down or topic not in before.left
    }
    return {topic: times for topic, times in lately.items() if times}


def _obstacle(
    post: Post,
    refused: Refused | None,
    wrong: Sequence[Flaw],
    *,
    was_set_up: bool,
    now: datetime,
) -> HoldsBack | None:
    """Why nothing can be mended now, the cheapest reason first."""
    if post.holds_back is not None:
        return post.holds_back
    if not was_set_up:
        return HoldsBack(
            why="not mended: webhooks were never set up from here",
            mend=register(post.name),
            who=OPERATOR,
            alarming=(FlawKind.OFF,),
        )
    if (
        refused is not None
        and refused.flaws == _names(wrong)
        and timedelta(0) <= now - refused.at < _UNTIL_MENDED
    ):
        return _refusal(LaneDown(refused.reason, mend=refused.mend))
    entrance = post.entrance()
    if entrance.grade is Grade.FINE:
        return None
    return HoldsBack(
        why=f"{NOT_YET}: {entrance.what}. The first delivery must not fail",
        mend=entrance.mend,
        who=entrance.who,
        alarming=tuple(FlawKind),
    )


def _refusal(problem: LaneDown) -> HoldsBack:
    finding = Finding.of("", problem)
    return HoldsBack(
        why=f"not mended: {problem.reason}",
        mend=finding.mend,
        who=finding.who,
        alarming=tuple(FlawKind),
    )


def _held(flaw: Flaw, obstacle: HoldsBack) -> Noticed:
    return Noticed(
        topic=flaw.topic,
        what=flaw.what,
        done=obstacle.why,
        mend=obstacle.mend,
        who=obstacle.who,
        alarm=flaw.kind in obstacle.alarming,
    )


def _mended(flaw: Flaw) -> Noticed:
    return Noticed(topic=flaw.topic, what=flaw.what, done="mended")


def _unmended(flaw: Flaw, trouble: TryLater | LaneDown | None, name: str) -> Noticed:
    if isinstance(trouble, LaneDown):
        return _held(flaw, _refusal(trouble))
    if trouble is not None:
        return Noticed(
            topic=flaw.topic,
            what=flaw.what,
            done=f"{NOT_YET}: {trouble.reason}",
        )
    return Noticed(
        topic=flaw.topic,
        what=flaw.what,
        done="mended, and it is so again",
        mend=f"See with `connector doctor` what changes it, then: {register(name)}",
        who=OPERATOR,
        alarm=True,
    )


def _left(name: str, flaws: Sequence[Flaw], left: Collection[str]) -> Iterator[Noticed]:
    for flaw in flaws:
        if flaw.topic in left and flaw.kind in DOWN:
            yield Noticed(
                topic=flaw.topic,
                what=flaw.what,
                done=f"left so: it was put back {MOST_REVIVALS} times within a day and fell over "
                "each time",
                mend="See in `connector doctor` and in the shop's log of this webhook why its "
                f"deliveries fail, mend that, then: {register(name)}",
                who=OPERATOR,
                alarm=True,
            )


def _foreign(flaws: Sequence[Flaw]) -> Iterator[Noticed]:
    for flaw in flaws:
        if flaw.kind is FlawKind.VERSION:
            yield Noticed(
                topic=flaw.topic,
                what=flaw.what,
                done="read all the same",
                mend="Set the webhooks' API version in the app's settings; or name the other one "
                "as api_version in connector.yaml, if the connector was written for it too.",
                who=OPERATOR,
            )


def _names(flaws: Sequence[Flaw]) -> tuple[str, ...]:
    return tuple(sorted(f"{flaw.topic} {flaw.kind}" for flaw in flaws))
