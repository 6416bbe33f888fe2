"""What opens the stand-in's Admin API: tokens that end, and a bucket of points that fills.

https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens,
https://shopify.dev/docs/api/usage/limits
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from adapters.shopify.sandbox_wire import Secrets
from adapters.town.books import Body

_DAY = 86_399
_HOUR = 3600
_REFRESH = timedelta(days=90)
_RECOVERY = timedelta(days=30)


class GrantRefusedError(Exception):
    """No token: an OAuth error, answered with 400 or 401."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        self.status = status
        self.body: Body = {"error": code, "error_description": description}
        super().__init__(code)


@dataclass(slots=True)
class _Refresh:
    """A refresh token: until when, since when used, and which one it came in place of."""

    until: datetime
    before: str | None = None
    used_at: datetime | None = None


@dataclass(kw_only=True)
class Doors:
    """Who may come in. ``token`` is that of a custom app of old, which never ends."""

    client_id: str
    secrets: Secrets
    token: str
    scopes: frozenset[str]
    clock: Callable[[], datetime]
    name: Callable[[], str]
    permitted: bool = True
    _tokens: dict[str, datetime] = field(default_factory=dict)
    _refreshes: dict[str, _Refresh] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def opens(self, token: str | None) -> bool:
        """Whether a token is taken now."""
        if token is None:
            return False
        if token == self.token:
            return True
        until = self._tokens.get(token)
        return until is not None and self.clock() < until

    def close_all(self) -> None:
        """The app was uninstalled: no token opens anything any more."""
        with self._lock:
            self._tokens.clear()
            self._refreshes.clear()
            self.token = ""

    def install(self) -> Body:
        """The first pair of an offline token that ends and its refresh token."""
        with self._lock:
            return self._pair(None)

    def grant(self, given: Mapping[str, Any]) -> Body:
        """Answer to a request for a token. Raises `GrantRefusedError`."""
        if given.get("client_id") != self.client_id:
            told = "Could not find Shopify API application"
            raise GrantRefusedError("application_cannot_be_found", told)
        if given.get("client_secret") not in self.secrets.taken():
            raise GrantRefusedError("invalid_client", "The client secret is not valid", 401)
        with self._lock:
            match given.get("grant_type"):
                case "client_credentials":
                    return self._credentials()
                case "refresh_token":
                    return self._renew(str(given.get("refresh_token") or ""))
                case _:
                    raise GrantRefusedError("unsupported_grant_type", "Unknown grant type")

    def _credentials(self) -> Body:
        if not self.permitted:
            told = "Client credentials cannot be performed on this shop."
            raise GrantRefusedError("shop_not_permitted", told)
        return {"access_token": self._token(_DAY), "scope": self._scope(), "expires_in": _DAY}

    def _renew(self, refresh: str) -> Body:
        """A new pair. The old refresh token serves on until the new one is used.

        https://shopify.dev/changelog/more-resilient-refreshes-for-expiring-offline-access-tokens
        """
        known, now = self._refreshes.get(refresh), self.clock()
        late = known is not None and known.used_at is not None and now > known.used_at + _RECOVERY
        if known is None or now >= known.until or late:
            raise GrantRefusedError("invalid_request", "The refresh token is not valid")
        if known.before is not None:
            self._refreshes.pop(known.before, None)
            known.before = None
        known.used_at = known.used_at or now
        return self._pair(refresh)

    def _pair(self, before: str | None) -> Body:
        refresh = f"shprt_{self.name().replace('-', '')}"
        self._refreshes[refresh] = _Refresh(self.clock() + _REFRESH, before)
        return {
            "access_token": self._token(_HOUR),
            "expires_in": _HOUR,
            "refresh_token": refresh,
            "refresh_token_expires_in": int(_REFRESH.total_seconds()),
            "scope": self._scope(),
        }

    def _token(self, seconds: int) -> str:
        token = f"shpat_{self.name().replace('-', '')}"
        self._tokens[token] = self.clock() + timedelta(seconds=seconds)
        return token

    def _scope(self) -> str:
        return ",".join(sorted(self.scopes))


@dataclass(kw_only=True)
class Bucket:
    """The points our app may use: ``most``, filling with ``restore`` a second of the clock."""

    most: float
    restore: float
    clock: Callable[[], datetime]
    _level: float = field(init=False)
    _at: datetime = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._level, self._at = self.most, self.clock()

    def take(self, points: float) -> bool:
        """Take so many points, if they are there."""
        with self._lock:
            self._fill()
            if points > self._level:
                return False
            self._level -= points
            return True

    def put_back(self, points: float) -> None:
        """What a query did not use."""
        with self._lock:
            self._level = min(self.most, self._level + points)

    def empty(self) -> None:
        """Somebody else of our app has used them all."""
        with self._lock:
            self._fill()
            self._level = 0

    def status(self) -> Body:
        """As answers tell it."""
        with self._lock:
            self._fill()
            available = int(self._level)
        return {
            "maximumAvailable": self.most,
            "currentlyAvailable": available,
            "restoreRate": self.restore,
        }

    def _fill(self) -> None:
        now = self.clock()
        passed = max(0.0, (now - self._at).total_seconds())
        self._level, self._at = min(self.most, self._level + passed * self.restore), now
