"""The only door to a shop's Admin GraphQL API: it asks, and says when it got no answer.

All it ever sends, each a POST that may be repeated; only ``queries/webhook_*`` change anything, and
that is our app's own webhooks:

================================================  =======================================
``/admin/api/{version}/graphql.json``             a query of ``queries/*.graphql``
``/admin/oauth/access_token``                     for a token, with the app's id and secret
================================================  =======================================

https://shopify.dev/docs/api/admin-graphql, https://shopify.dev/docs/api/usage/response-codes
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeVar

import httpx
import tenacity

from adapters.shopify import answers, tokens
from adapters.shopify.answers import Answer, HiccupError
from adapters.shopify.budget import Budget
from connector.errors import ConfigurationFault, LaneDown, TryLater

LARGEST_ANSWER = 8 * 1024 * 1024
_ATTEMPTS = 4
_LONGEST_CALL = 30.0
_LONGEST_PAUSE = 15.0  # seconds waited within a call; whoever needs longer comes back
_LONGEST_WAIT = 86_400
_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # a small answer cannot unfold into a huge one
    "User-Agent": "shop-connector",
}
_Told = TypeVar("_Told")
_TOKEN_HEADER = "X-Shopify-Access-Token"  # noqa: S105 - the name of a header


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What opens the API. With neither an access token nor a kept pair, the app asks for one."""

    client_id: str | None = None
    client_secrets: Sequence[str] = ()
    access_token: str | None = None
    token_store: tokens.TokenStore | None = None


@lru_cache
def query_text(name: str) -> str:
    """The text of a query, from its file in this package."""
    return (files("adapters.shopify") / "queries" / f"{name}.graphql").read_text("utf-8")


class ShopifyClient:
    """Asks one shop. Safe to share between threads. ``clock`` is in seconds since 1970.

    ``told_at`` is the time by the shop's clock when it last answered, if it said.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        keys: Keys,
        *,
        api_version: str,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        ticks: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        address = httpx.URL(base_url.rstrip("/"))
        near = _is_loopback(address.host)
        if address.scheme != "https" and not near:
            raise ConfigurationFault(
                f"{address.host}: a Shopify shop's address must be https: over http everybody on "
                "the way could read its access token"
            )
        self._base = str(address)
        self._path = f"/admin/api/{api_version}/graphql.json"
        self._http = httpx.Client(
            headers=_HEADERS,
            timeout=_TIMEOUT,
            follow_redirects=False,
            transport=transport,
            trust_env=not near,
        )
        self._sleep = sleep
        self._ticks = ticks
        self.told_at: datetime | None = None
        self._budget = Budget(ticks)
        self._tokens = self._choose(name, keys, clock)
        self._retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(HiccupError),
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            wait=_wait_before,
            sleep=sleep,
            reraise=True,
        )

    def ask(self, query: str, variables: Mapping[str, str | None]) -> Answer:
        """What the shop answers to a query, by its name.

        Raises `TryLater` when the shop cannot answer, `LaneDown` when it refuses us.
        """
        token = self._tokens.current()
        try:
            return self._ask(query, variables, token)
        except answers.TokenRefusedError:
            token = self._tokens.instead_of(token)
        try:
            return self._ask(query, variables, token)
        except answers.TokenRefusedError as refused:
            raise LaneDown(str(refused), mend=answers.MEND_REFUSED) from None

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _choose(self, name: str, keys: Keys, clock: Callable[[], float]) -> tokens.Tokens:
        store, app = keys.token_store, keys.client_id or ""
        if keys.client_id and store is not None and tokens.holds_pair(store, name):
            pair = tokens.RotatingPair(
                self._grant, app, keys.client_secrets, clock, store=store, name=name
            )
            return tokens.RenewedToken(pair.renew, clock)
        if keys.access_token:
            if not answers.is_token(keys.access_token):
                raise ConfigurationFault(
                    f"shops.{name}.access_token has letters or spaces that no token has"
                )
            return tokens.FixedToken(keys.access_token)
        if keys.client_id and keys.client_secrets:
            return tokens.client_credentials(self._grant, app, keys.client_secrets, clock)
        raise ConfigurationFault(
            f"shops.{name}: nothing opens its API: give client_id and client_secret of an app, or "
            "the access_token of a custom app"
        )

    def _ask(self, query: str, variables: Mapping[str, str | None], token: str) -> Answer:
        content = {"query": query_text(query), "variables": dict(variables)}

        def once() -> Answer:
            pause = self._budget.take(query, most=_LONGEST_PAUSE)
            if pause > _LONGEST_PAUSE:
                raise TryLater(f"query {query}: the shop's points are used up", retry_after=pause)
            if pause:
                self._sleep(pause)
            response, body = self._post(self._path, content, {_TOKEN_HEADER: token})
            value = answers.read_json(body)
            self._budget.told(query, value or {})
            return answers.judge(_outline(response), value, query)

        return self._patiently(once, f"query {query}")

    def _grant(self, words: Mapping[str, str]) -> tokens.Granted:
        def once() -> tokens.Granted:
            response, body = self._post("/admin/oauth/access_token", words, {})
            return answers.judge_grant(_outline(response), body)

        return self._patiently(once, "asking for a token")

    def _patiently(self, once: Callable[[], _Told], what: str) -> _Told:
        try:
            return self._retrying(once)
        except HiccupError as hiccup:
            raise TryLater(f"{what}: {hiccup}", retry_after=hiccup.wait) from None

    def _post(
        self, path: str, content: Mapping[str, Any], headers: Mapping[str, str]
    ) -> tuple[httpx.Response, bytes]:
        deadline = self._ticks() + _LONGEST_CALL
        try:
            with self._http.stream(
                "POST", self._base + path, json=content, headers=headers
            ) as response:
                self.told_at = _date_in(response.headers)
                return response, self._read(response, deadline)
        except httpx.HTTPError as error:  # its text may hold addresses: the kind says enough
            raise HiccupError(f"no answer ({type(error).__name__})") from None

    def _read(self, response: httpx.Response, deadline: float) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise HiccupError(f"the answer is larger than {LARGEST_ANSWER} bytes")
            if self._ticks() > deadline:
                raise HiccupError(f"the answer took longer than {_LONGEST_CALL:.0f} s")
        return bytes(body)


def _outline(response: httpx.Response) -> answers.Outline:
    """What of an answer is judged beside its body."""
    return answers.Outline(
        status=response.status_code,
        leads_to=_host_of(response) if response.is_redirect else None,
        retry_after=_retry_after(response.headers),
    )


_A_LITTLE = tenacity.wait_random_exponential(multiplier=0.25, max=2)


def _wait_before(state: tenacity.RetryCallState) -> float:
    """As long as the answer asked for, else a little, growing."""
    trouble = state.outcome.exception() if state.outcome else None
    asked = trouble.wait if isinstance(trouble, HiccupError) else None
    if asked is not None and asked > _LONGEST_PAUSE:
        raise TryLater(str(trouble), retry_after=asked)
    return asked if asked is not None else _A_LITTLE(state)


def _host_of(response: httpx.Response) -> str:
    """Where a redirect leads, without path and query, which may hold secrets."""
    if "Location" not in response.headers:
        return "nowhere"
    target = response.url.join(response.headers["Location"])  # httpx refuses what is no address
    return f"{target.scheme}://{target.netloc.decode('ascii', 'replace')}"


def _date_in(headers: httpx.Headers) -> datetime | None:
    """The moment by the other side's clock, if it is told rightly."""
    try:
        told = parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return None
    return told.astimezone(UTC) if told.tzinfo is not None else None


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds to wait, from either form of the header; a date counts from the answer's own.

    Shopify writes ``2.0``. https://shopify.dev/docs/api/usage/limits
    """
    text = headers.get("Retry-After", "").strip().removesuffix(".0")
    if text.isascii() and text.isdigit() and len(text) <= len(str(_LONGEST_WAIT)):
        return float(min(int(text), _LONGEST_WAIT))
    try:
        until, sent = (parsedate_to_datetime(t) for t in (text, headers.get("Date", "")))
        return min(max((until - sent).total_seconds(), 0.0), float(_LONGEST_WAIT))
    except (ValueError, TypeError):
        return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
