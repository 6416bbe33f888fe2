"""The tokens that open a shop's API: one that stays, one of a day, or a pair that changes hourly.

A custom app made before 2026 has a token that stays. An app of one's own organisation asks for one
of 24 hours with its id and secret; a public app has an hour's token, and with it another that buys
the next pair, once. https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from connector.errors import LaneDown, TryLater
from connector.model import Json

MARGIN = 300.0
"""Seconds before its end at which a token is renewed."""

_MEND_FIXED = (
    "The shop's owner: the app's access token is no longer taken; was the app uninstalled or its "
    "token revoked? Install it again, and put the new token in place."
)
_MEND_PAIR = (
    "The shop's owner: open the app in the shop's admin once, so that it is authorised again. Its "
    "refresh token was used up, has expired (90 days) or was revoked."
)
_MEND_APP = (
    "Whoever runs the connector: client_id and client_secret must be those of an app that is "
    "installed in this shop (Dev Dashboard > the app > Settings)."
)
_MEND_OTHER_OWNER = (
    "Whoever runs the connector: an app gets tokens this way only for shops of its own "
    "organisation. Create the app in the organisation that owns the shop, or give access_token."
)
_WRONG_SECRET = frozenset({"invalid_client", "application_cannot_be_found"})
_MENDS = {"client_credentials": {"shop_not_permitted": _MEND_OTHER_OWNER}, "refresh_token": {}}
_ELSE_MEND = {"client_credentials": _MEND_APP, "refresh_token": _MEND_PAIR}


class TokenStore(Protocol):
    """Keeps a shop's newest tokens beyond the process, as secrets; shared by all that ask it."""

    def get(self, name: str) -> Mapping[str, Json] | None:
        """What was last put under the shop's name: see `Pair.kept`."""

    def put(self, name: str, value: Mapping[str, Json]) -> None:
        """Keep the value, durably, before returning."""

    def alone(self) -> AbstractContextManager[None]:
        """While it lasts nobody else is in it, of any process; we may `get` and `put` in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A token as Shopify gave it; ``expires_in`` in seconds, ``None`` for one that stays."""

    access_token: str
    expires_in: float | None = None
    refresh_token: str | None = None


Grant = Callable[[Mapping[str, str]], Granted]
"""Asks for a token with these words. Raises `TryLater`, `Refused` or `LaneDown`."""


class Refused(Exception):
    """Shopify took the request and said no; ``code`` is its short word for why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Tokens(Protocol):
    """What opens the API now. Safe to share between threads."""

    def current(self) -> str:
        """A token that is good for some time. Raises `TryLater` or `LaneDown`."""

    def instead_of(self, refused: str) -> str:
        """Another token than one that was not taken. Raises `TryLater` or `LaneDown`."""


class FixedToken:
    """A token that stays."""

    def __init__(self, token: str) -> None:
        self._token = token

    def current(self) -> str:
        """The token."""
        return self._token

    def instead_of(self, refused: str) -> str:  # noqa: ARG002 - there is only one
        """There is no other: raises `LaneDown`."""
        raise LaneDown("the shop does not take our access token", mend=_MEND_FIXED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A token with its end in seconds since 1970, and what buys the next one, if that is needed."""

    access_token: str
    expires_at: float
    refresh_token: str | None = None

    def kept(self) -> dict[str, Json]:
        """As a `TokenStore` keeps it: ``access_token``, ``expires_at``, ``refresh_token``."""
        return {
            "access_token": self.access_token,
            "expires_at": self.expires_at,
            "refresh_token": self.refresh_token,
        }


class RenewedToken:
    """A token that ends and is renewed shortly before: by one thread, while the others wait."""

    def __init__(self, renew: Callable[[Pair | None], Pair], clock: Callable[[], float]) -> None:
        self._renew = renew
        self._clock = clock
        self._turn = threading.Lock()
        self._pair: Pair | None = None

    def current(self) -> str:
        """A token that holds for another five minutes, or as long as the one we have does."""
        pair = self._pair
        if pair is not None and self._clock() < pair.expires_at - MARGIN:
            return pair.access_token
        with self._turn:
            pair = self._pair  # somebody may have renewed it while we waited
            if pair is not None and self._clock() < pair.expires_at - MARGIN:
                return pair.access_token
            try:
                return self._renewed(pair)
            except TryLater:
                if pair is not None and self._clock() < pair.expires_at:
                    return pair.access_token
                raise

    def instead_of(self, refused: str) -> str:
        """A new token, unless another thread got one since ``refused`` was handed out."""
        with self._turn:
            pair = self._pair
            if pair is not None and pair.access_token != refused:
                return pair.access_token
            return self._renewed(pair)

    def _renewed(self, pair: Pair | None) -> str:
        self._pair = self._renew(pair)
        return self._pair.access_token


def client_credentials(
    grant: Grant, client_id: str, secrets: Sequence[str], clock: Callable[[], float]
) -> Tokens:
    """The token of 24 hours, for an app of the organisation that owns the shop."""

    def renew(_: Pair | None) -> Pair:
        asked_at = clock()
        words = {"client_id": client_id, "grant_type": "client_credentials"}
        return _pair_of(_with_any(grant, words, secrets), asked_at)

    return RenewedToken(renew, clock)


class RotatingPair:
    """The hour's token of a public app, whose refresh token is good for one use.

    The store always has the newest pair: another process that renewed it first is followed, not
    fought, and a pair is kept before it is used.
    """

    def __init__(
        self,
        grant: Grant,
        client_id: str,
        secrets: Sequence[str],
        clock: Callable[[], float],
        *,
        store: TokenStore,
        name: str,
    ) -> None:
        self._grant = grant
        self._client_id = client_id
        self._secrets = secrets
        self._clock = clock
        self._store = store
        self._name = name
        self._unkept: Pair | None = None

    def renew(self, ours: Pair | None) -> Pair:
        """The next pair after ``ours``, from the store or from Shopify.

        One process buys, the others wait and find what it bought: a refresh token is good once.
        """
        with self._store.alone():
            return self._next(ours)

    def _next(self, ours: Pair | None) -> Pair:
        if self._unkept is not None:
            return self._keep(self._unkept)
        kept = _pair_in(self._store.get(self._name))
        if kept is not None and (ours is None or kept.expires_at > ours.expires_at):
            if self._clock() < kept.expires_at - MARGIN:
                return kept
            ours = kept
        if ours is None or ours.refresh_token is None:
            raise LaneDown("no refresh token is kept for this shop", mend=_MEND_PAIR)
        asked_at = self._clock()
        words = {
            "client_id": self._client_id,
            "grant_type": "refresh_token",
            "refresh_token": ours.refresh_token,
        }
        try:
            granted = _with_any(self._grant, words, self._secrets)
        except LaneDown:
            kept = _pair_in(self._store.get(self._name))
            if kept is not None and kept.refresh_token != ours.refresh_token:
                return kept  # another process was faster
            raise
        return self._keep(_pair_of(granted, asked_at))

    def _keep(self, pair: Pair) -> Pair:
        """The old refresh token is dead by now: should the store fail, the pair waits here."""
        self._unkept = pair
        self._store.put(self._name, pair.kept())
        self._unkept = None
        return pair


def holds_pair(store: TokenStore | None, name: str) -> bool:
    """Whether the store has a pair with a refresh token for this shop."""
    pair = _pair_in(store.get(name)) if store is not None else None
    return pair is not None and pair.refresh_token is not None


def _with_any(grant: Grant, words: Mapping[str, str], secrets: Sequence[str]) -> Granted:
    """Ask with each secret of a rotation in turn, until one is known."""
    refusal = Refused("invalid_client")
    for secret in secrets:
        try:
            return grant({**words, "client_secret": secret})
        except Refused as refused:
            refusal = refused
            if refused.code not in _WRONG_SECRET:
                break
    kind = words["grant_type"]
    raise LaneDown(
        f"the shop gives us no token: {refusal.code}",
        mend=_MENDS[kind].get(refusal.code, _ELSE_MEND[kind]),
    ) from None


def _pair_of(granted: Granted, asked_at: float) -> Pair:
    """The lifetime counts from the question, so that the answer's way is no part of it."""
    lives = granted.expires_in if granted.expires_in is not None else math.inf
    return Pair(
        access_token=granted.access_token,
        expires_at=asked_at + lives,
        refresh_token=granted.refresh_token,
    )


def _pair_in(kept: Mapping[str, Json] | None) -> Pair | None:
    """A pair as the store had it; one without an end has ended, and is renewed."""
    if kept is None or not isinstance(kept.get("access_token"), str):
        return None
    refresh, end = kept.get("refresh_token"), kept.get("expires_at")
    return Pair(
        access_token=kept["access_token"],
        expires_at=float(end) if isinstance(end, int | float) else 0.0,
        refresh_token=refresh if isinstance(refresh, str) else None,
    )
