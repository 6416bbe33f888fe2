"""The one door to Mailchimp: its official client, with what that client gets wrong put right.

The client (3.0.80) opens a connection for each call, waits up to two minutes for each byte, follows
redirects, returns a failure with an empty body as if it were an answer, returns an HTML page as
text, writes booleans as ``True``, and replaces the word "server" anywhere in an address. Each is
handled here or in `wire`; what comes out is JSON of the expected kind or an error of ours.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import msgspec
from mailchimp_marketing.api.lists_api import ListsApi
from mailchimp_marketing.api.ping_api import PingApi
from mailchimp_marketing.api_client import ApiClient, ApiClientError

from adapters.mailchimp.refusals import Refused, refusal
from adapters.mailchimp.wire import Answer, Wire
from connector.errors import ConfigurationFault, LaneDown, TryLater
from connector.model import Json
from connector.moments import parse_utc

_KEY = re.compile(r"[0-9a-f]{32}-([a-z]{2,4}\d{1,3})")
_AUDIENCE = re.compile(r"[0-9a-z]{1,32}")
_PAGE = 1000  # the most that one page holds
_LARGEST_SEGMENT_CALL = 500
_WHOLE = msgspec.json.Encoder(decimal_format="number")
_GONE = (404, 405)  # archiving a contact that is archived already is answered 405
_CONFLICT = 409


class MailchimpClient:
    """One audience of one account. Every method raises `TryLater` or `LaneDown`."""

    def __init__(
        self, name: str, audience: str, api_key: str, base_url: str | None, seconds: float
    ) -> None:
        key = _KEY.fullmatch(api_key)
        if key is None:
            raise ConfigurationFault(
                f"destination {name}: its Mailchimp API key ({len(api_key)} characters) is not "
                "32 hexadecimal digits, a hyphen and a data centre such as us12. Copy it again "
                "from Mailchimp (Account > Extras > API keys)"
            )
        if not _AUDIENCE.fullmatch(audience):
            raise ConfigurationFault(
                f"destination {name}: its audience is not an audience ID such as a1b2c3d4e5. "
                "Find it in Mailchimp (Audience > Settings > Audience name and defaults)"
            )
        host = _checked(name, base_url or f"https://{key[1]}.api.mailchimp.com")
        wire = Wire(seconds=seconds, through_proxies=not _is_loopback(host))
        api = _Api(f"{host}/3.0", api_key, wire)
        self._audience = audience
        self._lists = ListsApi(api)
        self._ping = PingApi(api)

    def ping(self) -> None:
        """Is Mailchimp there, and does it take our key."""
        self._ask(self._ping.get)

    def audience(self) -> Mapping[str, Json]:
        """The audience itself; `LaneDown` when it does not exist."""
        return self._of_audience(
            self._lists.get_list, fields=["id", "name", "double_optin", "stats.merge_field_count"]
        )

    def merge_fields(self) -> list[Mapping[str, Json]]:
        """Every merge field of the audience."""
        return list(self._pages(self._lists.get_list_merge_fields, "merge_fields"))

    def add_merge_field(self, definition: Mapping[str, Json]) -> None:
        """Make a merge field. Raises `Refused` when Mailchimp will not."""
        self._ask(self._lists.add_list_merge_field, self._audience, definition)

    def tag_ids(self) -> dict[str, int]:
        """The id of every tag by its name in lower case: a tag is a static segment."""
        return {
            str(tag["name"]).lower(): tag["id"]
            for tag in self._pages(self._lists.list_segments, "segments", type="static")
            if isinstance(tag.get("id"), int) and "name" in tag
        }

    def write(self, members: Sequence[Mapping[str, Json]]) -> Mapping[str, Json]:
        """Add and update up to 500 members: never replacing their tags. Raises `Refused`."""
        return self._of_audience(
            self._lists.batch_list_members,
            {"members": list(members), "update_existing": True, "sync_tags": False},
            skip_merge_validation="true",
            skip_duplicate_check="true",
        )

    def put(self, email: str, body: Mapping[str, Json]) -> Mapping[str, Json]:
        """Set one member's status. Raises `Refused`."""
        return self._ask(
            self._lists.set_list_member,
            self._audience,
            member_id(email),
            {"email_address": email, **body},
            skip_merge_validation="true",
        )

    def unsubscribe(self, email: str) -> Mapping[str, Json] | None:
        """Unsubscribe a member if there is one. Raises `Refused`."""
        return self._if_there(
            self._lists.update_list_member,
            member_id(email),
            {"status": "unsubscribed"},
            skip_merge_validation="true",
        )

    def read(self, email: str) -> Mapping[str, Json] | None:
        """What the audience holds of one member, or ``None``."""
        return self._if_there(
            self._lists.get_list_member,
            member_id(email),
            fields=["email_address", "status", "last_changed", "tags"],
        )

    def unsubscribed_at(self, email: str) -> datetime | None:
        """When the person last unsubscribed by their own act, as far as the activity goes back.

        ``last_changed`` cannot say it: a field that we write moves it too.
        https://mailchimp.com/developer/marketing/api/list-activity/list-recent-activity/
        """
        said = self._if_there(
            self._lists.get_list_member_activity, member_id(email), action=["unsub"]
        )
        acts = (said or {}).get("activity")
        times = [
            parse_utc(act.get("timestamp"))
            for act in (acts if isinstance(acts, list) else [])
            if isinstance(act, dict) and act.get("action") == "unsub"
        ]
        return max((at for at in times if at is not None), default=None)

    def archive(self, email: str) -> bool:
        """Archive a member; ``False`` when there is none. Raises `Refused`."""
        try:
            self._ask(
                self._lists.delete_list_member, self._audience, member_id(email), empty=True
            )
        except Refused as refused:
            if refused.status in _GONE:
                return False
            raise
        return True

    def leave_tags(self, email: str, names: Sequence[str]) -> bool:
        """Take tags from one member; ``False`` when there is no such member."""
        try:
            self._ask(
                self._lists.update_list_member_tags,
                self._audience,
                member_id(email),
                {"tags": [{"name": name, "status": "inactive"} for name in names]},
                empty=True,
            )
        except Refused as refused:
            if refused.status in _GONE:
                return False
            raise
        return True

    def leave_tag(self, tag_id: int, emails: Sequence[str]) -> bool:
        """Take one tag from many members, 500 a call; ``False`` when the tag is gone."""
        try:
            for start in range(0, len(emails), _LARGEST_SEGMENT_CALL):
                self._ask(
                    self._lists.batch_segment_members,
                    {"members_to_remove": list(emails[start : start + _LARGEST_SEGMENT_CALL])},
                    self._audience,
                    tag_id,
                )
        except Refused as refused:
            if refused.status in _GONE:
                return False
            raise
        return True

    def _pages(
        self, call: Callable[..., Any], what: str, **kwargs: Any
    ) -> Iterator[Mapping[str, Json]]:
        offset = 0
        while True:
            page = self._of_audience(call, count=_PAGE, offset=offset, **kwargs)
            rows = page.get(what)
            if not isinstance(rows, list):
                raise TryLater(f"Mailchimp's answer has no {what}")
            yield from (row for row in rows if isinstance(row, dict))
            offset += len(rows)
            if len(rows) < _PAGE:
                return

    def _if_there(
        self, call: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Mapping[str, Json] | None:
        try:
            return self._ask(call, self._audience, *args, **kwargs)
        except Refused as refused:
            if refused.status in _GONE:
                return None
            raise

    def _of_audience(
        self, call: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Mapping[str, Json]:
        try:
            return self._ask(call, self._audience, *args, **kwargs)
        except Refused as refused:
            if refused.status in _GONE:
                raise LaneDown(
                    f"Mailchimp has no audience {self._audience} for this key",
                    mend="Set the destination's audience to one of this account's audience IDs.",
                ) from None
            raise

    def _ask(
        self, call: Callable[..., Any], *args: Any, empty: bool = False, **kwargs: Any
    ) -> Mapping[str, Json]:
        for again in (True, False):
            try:
                got = call(*args, **kwargs)
                break
            except ApiClientError as error:
                ours = error.text
                if not isinstance(ours, Exception):
                    raise TryLater("Mailchimp's answer could not be read") from None
                if not (isinstance(ours, Refused) and ours.status == _CONFLICT):
                    raise ours from None
                if not again:
                    raise TryLater("Mailchimp is changing the same thing itself") from None
        else:  # both rounds of the loop leave it
            raise AssertionError
        if isinstance(got, dict):
            return got
        if empty and isinstance(got, Answer) and not got.content.strip():
            return {}
        raise TryLater("Mailchimp's answer is not the JSON object it should be")


def member_id(email: str) -> str:
    """The name of a member in an address: the MD5 of the e-mail address in lower case.

    https://mailchimp.com/developer/marketing/docs/methods-parameters/#path-parameters
    """
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


class _Api(ApiClient):  # type: ignore[misc] # the official client has no types
    """The official client over our own wire."""

    def __init__(self, host: str, key: str, wire: Wire) -> None:
        # An empty server: otherwise it is written over every "server" in an address.
        super().__init__({"api_key": key, "server": ""})
        self.host = host
        self._wire = wire

    def request(
        self,
        method: str,
        url: str,
        query_params: Any = None,
        headers: Mapping[str, str] | None = None,
        body: Json = None,
    ) -> Answer:
        answer = self._wire.send(
            method,
            url,
            query=[(name, _in_query(value)) for name, value in query_params or ()],
            headers=headers or {},
            key=self.api_key,
            body=None if body is None else _WHOLE.encode(body),
        )
        if error := refusal(answer):
            raise error
        return answer


def _in_query(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(str(each) for each in value)
    return str(value)


def _checked(name: str, address: str) -> str:
    parts = urlsplit(address)
    secure = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(address))
    if not parts.hostname or parts.username or parts.query or parts.fragment or not secure:
        raise ConfigurationFault(
            f"destination {name}: base_url must be an https address without user, query or "
            "fragment; plain http is allowed on this machine only (127.0.0.1, ::1, localhost)"
        )
    return address.rstrip("/")


def _is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
