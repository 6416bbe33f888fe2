"""The only door to a shop's Admin GraphQL API: it asks, and says when it got no answer.

All it ever sends to the shop, each a POST that may be repeated. Only ``queries/webhook_*`` change
anything, our app's own webhooks, and ``queries/take_back_*``, a permission that was withdrawn;
``queries/bulk_start`` lets the shop write its answer into a file:

================================================  =======================================
``/admin/api/{version}/graphql.json``             a query of ``queries/*.graphql``
``/admin/oauth/access_token``                     for a token, with the app's id and secret
================================================  =======================================

Those files lie elsewhere, and are fetched with GET, without our token.

https://shopify.dev/docs/api/admin-graphql, https://shopify.dev/docs/api/usage/response-codes
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any, TypeVar

import httpx
import tenacity

from adapters import line, reach, trust
from adapters.line import HiccupError
from adapters.shopify import answers, tokens
from adapters.shopify.answers import Answer
from adapters.shopify.budget import Budget
from connector.errors import ConfigurationFault, LaneDown, TryLater

LARGEST_ANSWER = 8 * 1024 * 1024
_ATTEMPTS = 4
_LONGEST_CALL = 30.0
_LONGEST_PAUSE = 15.0  # seconds waited within a call; whoever needs longer comes back
_LONGEST_SILENCE = 20.0
_Told = TypeVar("_Told")
_MEND = "Whoever runs the connector: report it; nothing was fetched from there."
_TOKEN_HEADER = "X-Shopify-Access-Token"  # noqa: S105 - the name of a header


_GONE = frozenset({400, 401, 403, 404, 410})  # how a store of files says that a link has run out


class FileGoneError(Exception):
    """A file that the shop made is not there any more."""


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

    def __init__(  # noqa: PLR0913 - one argument for each setting of a shop
        self,
        name: str,
        base_url: str,
        keys: Keys,
        *,
        api_version: str,
        private_network: bool = False,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        ticks: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        address = httpx.URL(base_url.rstrip("/"))
        if not line.is_private(address):
            raise ConfigurationFault(
                f"{address.host}: a Shopify shop's address must be https: over http everybody on "
                "the way could read its access token"
            )
        self._base = str(address)
        self._path = f"/admin/api/{api_version}/graphql.json"
        self._http = line.open_line(
            address,
            seconds=_LONGEST_SILENCE,
            transport=transport,
            private_network=private_network,
        )
        self._transport = transport
        self._at_home = reach.is_this_machine(address.host)
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

    def ask(self, query: str, variables: Mapping[str, Any]) -> Answer:
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

    def fetch_file(self, address: str, *, after: int) -> Iterator[bytes]:
        """A file that the shop made for us, piece by piece, from byte ``after`` on.

        Only over https and from a public host, or from this machine where the shop is here too; no
        token goes along and no redirect is followed. Raises `FileGoneError`, `HiccupError` when it
        breaks off, `LaneDown` for an address that is not called.
        """
        url, http = self._line_to(address)
        headers = {"Range": f"bytes={after}-"} if after else {}
        try:
            with http, ExitStack() as call:
                with line.within(_LONGEST_CALL):
                    response = call.enter_context(http.stream("GET", url, headers=headers))
                yield from _pieces(response, after)
        except httpx.HTTPError as error:
            raise HiccupError(f"the file broke off ({type(error).__name__})") from None

    def rest(self, seconds: float) -> None:
        """Let the shop go on with its work for a while."""
        self._sleep(seconds)

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _line_to(self, address: str) -> tuple[httpx.URL, httpx.Client]:
        try:
            url = httpx.URL(address)
            here = reach.is_this_machine(url.host)
            public = url.scheme == "https" and reach.may_be_tried(url.host, reach.Reach.PUBLIC)
            if url.host and here == self._at_home and (here or public):
                return url, line.open_line(url, seconds=_LONGEST_SILENCE, transport=self._transport)
        except (httpx.InvalidURL, ConfigurationFault):
            pass
        raise LaneDown("the shop names a file that is not on a public https host", mend=_MEND)

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

    def _ask(self, query: str, variables: Mapping[str, Any], token: str) -> Answer:
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
        since = self._ticks()
        try:
            with (
                line.within(_LONGEST_CALL),
                self._http.stream(
                    "POST", self._base + path, json=content, headers=headers
                ) as response,
            ):
                self.told_at = line.date_in(response.headers)
                body = line.read_body(
                    response,
                    largest=LARGEST_ANSWER,
                    seconds=_LONGEST_CALL,
                    since=since,
                    ticks=self._ticks,
                )
                return response, body
        except httpx.HTTPError as error:  # its text may hold addresses: the kind says enough
            raise HiccupError(f"no answer ({trust.silence(error)})") from None


def _pieces(response: httpx.Response, after: int) -> Iterator[bytes]:
    """The body from byte ``after`` on, whether or not the other side can begin there."""
    status = response.status_code
    if status in _GONE:
        raise FileGoneError
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and after:
        return
    if status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        raise HiccupError(f"the file's host answered {status}")
    passed = 0 if status == HTTPStatus.OK else after
    for piece in line.pieces(response, seconds=_LONGEST_CALL):
        passed += len(piece)
        if passed > after:
            yield piece[after - passed :] if passed - len(piece) < after else piece


def _outline(response: httpx.Response) -> answers.Outline:
    """What of an answer is judged beside its body."""
    return answers.Outline(
        status=response.status_code,
        leads_to=line.host_of(response) if response.is_redirect else None,
        retry_after=line.retry_after(response.headers),
    )


_A_LITTLE = tenacity.wait_random_exponential(multiplier=0.25, max=2)


def _wait_before(state: tenacity.RetryCallState) -> float:
    """As long as the answer asked for, else a little, growing."""
    trouble = state.outcome.exception() if state.outcome else None
    asked = trouble.wait if isinstance(trouble, HiccupError) else None
    if asked is not None and asked > _LONGEST_PAUSE:
        raise TryLater(str(trouble), retry_after=asked)
    return asked if asked is not None else _A_LITTLE(state)
