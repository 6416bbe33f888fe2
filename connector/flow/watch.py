"""Watches the webhooks of shops and destinations, and listens for a silence unlike a shop.

Every ten minutes each is asked for its webhooks. What its platform switched off, deleted or changed
is put right by `connector.flow.mending` where that may be; whatever is found, is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from connector.errors import LaneDown, TryLater
from connector.flow import mending, shop_pins
from connector.flow.posts import Post
from connector.policy import silence
from connector.ports import Finding, Flaw, FlawKind
from connector.ports.versions import OTHER_VERSION, Versioned
from connector.store import flagged, hastened, watching
from connector.store.connect import Store
from connector.store.watching import Noticed, Seen

log = structlog.get_logger()

EVERY = timedelta(minutes=10)
_SOON = timedelta(minutes=2)  # one that could not answer just now
_MISSED = timedelta(days=1)  # may have been missed where it is not known since when


class Rounds:
    """Looks at each post when its time has come."""

    def __init__(self, store: Store, posts: Sequence[Post]) -> None:
        self._store = store
        self._posts = posts
        self._next: dict[str, datetime] = {}

    def walk(self, *, now: datetime) -> int:
        """Look at those whose time has come. Gives 0, as a lane does that waits then.

        Raises `StoreUnavailable`.
        """
        if not self._next:
            with self._store.write() as conn:
                watching.forget_others(conn, [post.name for post in self._posts])
        for post in self._posts:
            if not _is_later(self._next.get(post.name), now):
                self._next[post.name] = now + EVERY
                if _look(self._store, post, now)[1]:
                    self._next[post.name] = now + _SOON
        return 0


def look(store: Store, post: Post, *, now: datetime, logs: bool = True) -> Seen:
    """Look at one post, mend what may be mended, and keep what was seen.

    What was not so at the look before is logged, unless the caller tells it itself. Raises
    `StoreUnavailable`; then nothing was mended.
    """
    return _look(store, post, now, logs=logs)[0]


def _look(store: Store, post: Post, now: datetime, *, logs: bool = True) -> tuple[Seen, bool]:
    with store.read() as conn:
        before = watching.read(conn, post.name) or Seen(checked_at=now, where=post.where)
        halted = shop_pins.halted(conn, post.name) if post.is_shop else None
        silent = silent_since(conn, post.name, now=now) if post.is_shop else None
    seen = replace(before, checked_at=now, where=post.where, ok=True, findings=())
    soon = False
    if halted is not None:
        done = "left alone: another shop answers under its name"
        what = "the webhooks were not looked at"
        seen = replace(seen, ok=False, findings=(Noticed(topic="*", what=what, done=done),))
    elif post.guest is not None and post.letterbox is not None:
        try:
            seen = mending.treat(store, post, _flaws(store, post), before, now=now)
        except (TryLater, LaneDown) as problem:
            seen = _not_seen(seen, before, problem)
            soon = isinstance(problem, TryLater)
    soon = soon or any(each.done.startswith(mending.NOT_YET) for each in seen.findings)
    seen = replace(seen, silent_since=silent)
    with store.write() as conn:
        watching.write(conn, post.name, seen, now=now)
        if post.is_shop and now in seen.unproven.values():
            since = before.fine_at or now - _MISSED
            hastened.hasten(conn, post.name, since=since, now=now)
        if silent is not None and before.silent_since is None:
            hastened.hasten(conn, post.name, since=silent, now=now)
        proven = {
            topic: watching.came_since(conn, post.name, topic, since)
            for topic, since in before.unproven.items()
            if topic not in seen.unproven and topic not in seen.left
        }
    if logs:
        _say(post.name, before, seen)
        for topic, came in proven.items():
            log.info("webhook holds", name=post.name, topic=topic, has_delivered=came)
    return seen, soon


def silent_since(conn: Connection, shop: str, *, now: datetime) -> datetime | None:
    """Since when a shop has been silent, if that is unlike it; see `connector.policy.silence`."""
    last = watching.last_heard(conn, shop)
    if last is None or now - last < silence.SHORTEST:
        return None
    came, stretches = watching.heard(
        conn, shop, since=last - silence.LOOKED_BACK, stretch=silence.STRETCH
    )
    rhythm = silence.learn(stretches) if came >= silence.FEWEST else None
    return last if rhythm and silence.is_unlike(rhythm, now) else None


def _flaws(store: Store, post: Post) -> list[Flaw]:
    """What the platform shows, and foreign versions that deliveries came in."""
    assert post.guest is not None  # noqa: S101 - for the types: `_look` has seen to it
    assert post.letterbox is not None  # noqa: S101 - likewise
    flaws = list(post.guest.look_at_webhooks(post.letterbox(store)))
    if isinstance(post.guest, Versioned):
        told = {flaw.topic for flaw in flaws if flaw.kind is FlawKind.VERSION}
        with store.read() as conn:
            others = flagged.newest_flagged(conn, post.name, OTHER_VERSION)
        flaws += [
            Flaw(
                topic=delivery.topic,
                kind=FlawKind.VERSION,
                what=f"it comes in version {post.guest.version_of(delivery) or 'none'} of the API, "
                f"{post.guest.written_for} is expected",
            )
            for delivery in others
            if delivery.topic not in told
        ]
    return flaws


def _not_seen(seen: Seen, before: Seen, problem: TryLater | LaneDown) -> Seen:
    """Nobody answered, or the key was refused: what was left to a person is so still."""
    finding = Finding.of("the webhooks cannot be listed", problem)
    refused = isinstance(problem, LaneDown)
    noticed = Noticed(
        topic="*",
        what=f"{finding.what}: {finding.cause}",
        done="nothing was changed" if refused else "asked again soon",
        mend=finding.mend if refused else "",
        who=finding.who if refused else "",
        alarm=refused,
    )
    still = tuple(each for each in before.findings if each.topic in before.left)
    return replace(seen, ok=False, findings=(noticed, *still))


def _say(name: str, before: Seen, seen: Seen) -> None:
    """Log what was not so at the look before, once."""
    known = set(before.findings)
    for each in seen.findings:
        if each not in known:
            speak = log.warning if each.alarm else log.info
            speak(
                "webhook", name=name, topic=each.topic, what=each.what, done=each.done,
                mend=each.mend,
            )  # fmt: skip
    if before.findings and not seen.findings:
        log.info("webhooks fine again", name=name)
    match before.silent_since, seen.silent_since:
        case None, datetime() as since:
            log.warning("shop silent", name=name, since=since.isoformat())
        case datetime(), None:
            log.info("shop heard again", name=name)
        case _:
            return


def _is_later(moment: datetime | None, now: datetime) -> bool:
    """Not more than the longest pause: a clock that was set back must not stop the looking."""
    return moment is not None and timedelta(0) < moment - now <= EVERY
