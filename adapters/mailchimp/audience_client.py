"""What is asked of one audience, and written to it: its members, their tags, its webhooks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from adapters.mailchimp.account import Account
from adapters.mailchimp.client import Door
from adapters.mailchimp.refusals import Refused
from connector.errors import LaneDown, TryLater
from connector.model import Json
from connector.moments import parse_utc

_PAGE = 1000  # the most that one page holds
MOST_MEMBERS = 500
"""The most contacts that one call takes, of an audience or of a tag.

https://mailchimp.com/developer/marketing/api/lists/batch-subscribe-or-unsubscribe/
"""

_SHOWN = (
    *("email_address", "status", "last_changed", "timestamp_signup", "timestamp_opt"),
    *("merge_fields", "tags"),
)
_GONE = (404, 405)  # archiving a contact that is archived already is answered 405
_NOT_FOUND = 404


class MailchimpClient:
    """One audience of one account. Every method raises `TryLater` or `LaneDown`."""

    def __init__(self, account: Account, seconds: float) -> None:
        self._door = Door(account, seconds)
        self._lists = self._door.lists
        self._audience = account.audience

    def ping(self) -> None:
        """Is Mailchimp there, and does it take our key."""
        self._door.ping()

    def account(self) -> tuple[str, datetime | None]:
        """Whose key it is, by the account's id, and Mailchimp's time, if it said."""
        return self._door.account()

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
        self._door.ask(self._lists.add_list_merge_field, self._audience, definition)

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
        return self._door.ask(
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

    def opted_in(self, email: str) -> Mapping[str, Json] | None:
        """How one member came to be subscribed, or ``None`` when there is no such member."""
        return self._if_there(
            self._lists.get_list_member,
            member_id(email),
            fields=["email_address", "status", "timestamp_signup", "timestamp_opt"],
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
        return self._is_done(self._lists.delete_list_member, member_id(email))

    def delete_for_good(self, email: str) -> bool:
        """Delete a member and all of their personal data; ``False`` when there is none.

        https://mailchimp.com/developer/marketing/api/list-members/delete-list-member/
        """
        try:
            self._door.ask(
                self._lists.delete_list_member_permanent,
                self._audience,
                member_id(email),
                empty=True,
            )
        except Refused as refused:
            if refused.status == _NOT_FOUND:
                return False
            raise
        return True

    def leave_tags(self, email: str, names: Sequence[str]) -> bool:
        """Take tags from one member; ``False`` when there is no such member."""
        return self._is_done(
            self._lists.update_list_member_tags,
            member_id(email),
            {"tags": [{"name": name, "status": "inactive"} for name in names]},
        )

    def leave_tag(self, tag_id: int, emails: Sequence[str]) -> bool:
        """Take one tag from many members, 500 a call; ``False`` when the tag is gone."""
        try:
            for start in range(0, len(emails), MOST_MEMBERS):
                self._door.ask(
                    self._lists.batch_segment_members,
                    {"members_to_remove": list(emails[start : start + MOST_MEMBERS])},
                    self._audience,
                    tag_id,
                )
        except Refused as refused:
            if refused.status in _GONE:
                return False
            raise
        return True

    @property
    def told_at(self) -> datetime | None:
        """The time by Mailchimp's clock when it last answered, if it said."""
        return self._door.told_at

    def members(self, query: Mapping[str, str]) -> Iterator[list[Mapping[str, Json]]]:
        """The members that a query asks for, a page at a time, the longest unchanged first.

        Who changes meanwhile may leave the list, and all after them move up: then the next page
        begins so much earlier, and nobody is passed over.
        """
        wanted = {name: value for name, value in query.items() if value}
        offset, total = 0, None
        while True:
            rows, there = self._members(offset, "last_changed", **wanted)
            if total is not None and there < total and offset:
                offset, total = max(0, offset - (total - there)), there
                continue
            yield [row for row in rows if isinstance(row, dict)]
            offset, total = offset + len(rows), there
            if len(rows) < _PAGE:
                return

    def members_page(self, offset: int) -> tuple[list[Mapping[str, Json]], int]:
        """A page of all members from ``offset`` on, and how many there are in all.

        In the order of ``timestamp_opt``: our own writing does not move it, as it moves
        ``last_changed``, so who is written meanwhile keeps their place; and contacts that the API
        made have one, while their ``timestamp_signup`` is empty.
        """
        rows, there = self._members(offset, "timestamp_opt")
        return [row if isinstance(row, dict) else {} for row in rows], there

    def webhooks(self) -> list[Mapping[str, Json]]:
        """Every webhook of the audience."""
        said = self._of_audience(self._lists.get_list_webhooks).get("webhooks")
        if not isinstance(said, list):
            raise TryLater("Mailchimp's answer has no webhooks")
        return [hook for hook in said if isinstance(hook, dict)]

    def make_webhook(self, wanted: Mapping[str, Json]) -> Mapping[str, Json]:
        """Make a webhook. Raises `Refused`."""
        return self._door.ask(self._lists.create_list_webhook, self._audience, wanted)

    def change_webhook(self, webhook: str, wanted: Mapping[str, Json]) -> None:
        """Change what a webhook tells of. Raises `Refused`."""
        self._door.ask(self._lists.update_list_webhook, self._audience, webhook, wanted)

    def remove_webhook(self, webhook: str) -> None:
        """Remove a webhook. Raises `Refused`."""
        self._door.ask(self._lists.delete_list_webhook, self._audience, webhook, empty=True)

    def _members(self, offset: int, order: str, **wanted: str) -> tuple[list[Json], int]:
        page = self._of_audience(
            self._lists.get_list_members_info,
            count=_PAGE,
            offset=offset,
            sort_field=order,
            sort_dir="ASC",
            fields=[*(f"members.{name}" for name in _SHOWN), "total_items"],
            **wanted,
        )
        rows, there = page.get("members"), page.get("total_items")
        if not isinstance(rows, list) or not isinstance(there, int):
            raise TryLater("Mailchimp's answer has no members")
        return rows, there

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

    def _is_done(self, call: Callable[..., Any], *args: Any) -> bool:
        return self._if_there(call, *args, empty=True) is not None

    def _if_there(
        self, call: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Mapping[str, Json] | None:
        try:
            return self._door.ask(call, self._audience, *args, **kwargs)
        except Refused as refused:
            if refused.status in _GONE:
                return None
            raise

    def _of_audience(
        self, call: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Mapping[str, Json]:
        try:
            return self._door.ask(call, self._audience, *args, **kwargs)
        except Refused as refused:
            if refused.status in _GONE:
                raise LaneDown(
                    f"Mailchimp has no audience {self._audience} for this key",
                    mend="Set the destination's audience to one of this account's audience IDs.",
                ) from None
            raise


def member_id(email: str) -> str:
    """The name of a member in an address: the MD5 of the e-mail address in lower case.

    https://mailchimp.com/developer/marketing/docs/methods-parameters/#path-parameters
    """
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()
