"""The one door to Mailchimp: its official client, with what that client gets wrong put right.

The client (3.0.80) opens a connection for each call, waits up to two minutes for each byte, follows
redirects, returns a failure with an empty body as if it were an answer, returns an HTML page as
text, writes booleans as ``True``, and replaces the word "server" anywhere in an address. Each is
handled here or in `wire`; what comes out is JSON of the expected kind or an error of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
from mailchimp_marketing.api.lists_api import ListsApi
from mailchimp_marketing.api.ping_api import PingApi
from mailchimp_marketing.api.root_api import RootApi
from mailchimp_marketing.api_client import ApiClient, ApiClientError

from adapters.mailchimp.account import Account, is_loopback
from adapters.mailchimp.refusals import Refused, TooLarge, refusal
from adapters.mailchimp.wire import Answer, Wire, open_line
from connector.errors import ConnectorError, TryLater
from connector.model import Json

_WHOLE = msgspec.json.Encoder(decimal_format="number")
_CONFLICT = 409


class Door:
    """Mailchimp's addresses, as the official client's methods or by method and path.

    Every call raises `Refused`, `TooLarge`, `TryLater` or `LaneDown`. ``lists`` are the official
    client's methods for audiences, for `ask` to call. ``told_at`` is the time by Mailchimp's clock
    at its last answer, if it said.
    """

    def __init__(self, account: Account, seconds: float) -> None:
        wire = open_line(seconds=seconds, through_proxies=not is_loopback(account.host))
        self.told_at: datetime | None = None
        self._api = _over_wire(account, wire, self._note_time)
        self.lists = ListsApi(self._api)
        self._ping = PingApi(self._api)
        self._root = RootApi(self._api)

    def ping(self) -> None:
        """Is Mailchimp there, and does it take our key."""
        self.ask(self._ping.get)

    def account(self) -> tuple[str, datetime | None]:
        """Whose key it is, by the account's id, and Mailchimp's time, if it said.

        https://mailchimp.com/developer/marketing/api/root/list-api-root-resources/
        """
        said = self.ask(self._root.get_root, fields=["account_id"]).get("account_id")
        if not isinstance(said, str) or not said:
            raise TryLater("Mailchimp's answer has no account_id")
        return said, self.told_at

    def ask(
        self, call: Callable[..., Any], *args: Any, empty: bool = False, **kwargs: Any
    ) -> Mapping[str, Json]:
        """Make one call of the official client; with ``empty`` nothing may come back."""
        return _asked(call, *args, empty=empty, **kwargs)

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: Mapping[str, Json] | None = None,
    ) -> Mapping[str, Json]:
        """Make one call; each part of ``path`` is quoted; of a DELETE nothing may come back."""
        return self.ask(
            self._api.call_api,
            path,
            method,
            {},
            list(query),
            {"Accept": "application/json", "Content-Type": "application/json"},
            body=body,
            empty=method == "DELETE",
        )

    def _note_time(self, headers: Mapping[str, str]) -> None:
        self.told_at = _time_in(headers) or self.told_at


def _over_wire(account: Account, wire: Wire, heard: Callable[[Mapping[str, str]], None]) -> Any:
    """The official client, speaking through our own wire; each answer's headers are ``heard``."""
    # An empty server: otherwise it is written over every "server" in an address.
    api = ApiClient({"api_key": account.key, "server": ""})
    api.host = f"{account.host}/3.0"

    def request(
        method: str,
        url: str,
        query_params: Sequence[tuple[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Json = None,
    ) -> Answer:
        answer = wire.send(
            method,
            url,
            query=[(name, str(value)) for name, value in query_params or ()],
            headers=headers or {},
            basic=("connector", account.key),
            body=None if body is None else _WHOLE.encode(body),
        )
        heard(answer.headers)
        if error := refusal(answer):
            raise error
        return answer

    api.request = request
    return api


def _time_in(headers: Mapping[str, str]) -> datetime | None:
    with suppress(ValueError, TypeError):
        return parsedate_to_datetime(headers.get("Date", "")).astimezone(UTC)
    return None


def _asked(call: Callable[..., Any], *args: Any, empty: bool, **kwargs: Any) -> Mapping[str, Json]:
    try:
        got = _made(call, *args, **kwargs)
    except Refused as refused:
        if refused.status != _CONFLICT:
            raise
        got = _made_again(call, *args, **kwargs)
    if isinstance(got, Answer):  # the official client gives these for `{}` and for nothing
        got = {} if empty and not got.content.strip() else _object(got)
    if not isinstance(got, dict):
        raise TryLater("Mailchimp's answer is not the JSON object it should be")
    return got


def _made(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return call(*args, **kwargs)
    except ApiClientError as error:
        # What our `request` raised comes back inside the official client's own error.
        ours = error.text
        raise (
            ours
            if isinstance(ours, (ConnectorError, Refused, TooLarge))
            else TryLater(f"The call to Mailchimp could not be made ({type(ours).__name__})")
        ) from None


def _made_again(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return _made(call, *args, **kwargs)
    except Refused as refused:
        if refused.status == _CONFLICT:
            raise TryLater("Mailchimp is changing the same thing itself") from None
        raise


def _object(answer: Answer) -> Json:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None
