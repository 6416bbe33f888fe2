"""Reads an audience back: what Mailchimp really holds of each contact, in a form to compare."""

from __future__ import annotations

import html
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from adapters.mailchimp.audience_client import MailchimpClient
from adapters.mailchimp.values import field_values, tag_names
from connector import moments
from connector.doubts import newest
from connector.identity import normal_email
from connector.model import Json, Permission, Record
from connector.ports import Held, Shown

_PERMISSIONS: Mapping[str, Permission] = {
    "subscribed": Permission.SEND,
    "pending": Permission.CONFIRM,
    "transactional": Permission.SILENT,
    "unsubscribed": Permission.WITHDRAWN,
    "cleaned": Permission.WITHDRAWN,
}
_TEXT, _NUMBER, _DATE = "text", "number", "date"
_AS_SENT = frozenset({_TEXT, _NUMBER, _DATE})
"""Types that are given back as they were sent; a phone, an address, a choice may be rewritten."""


def show(client: MailchimpClient, cursor: str | None, types: Mapping[str, str]) -> Shown:
    """See `connector.ports.Showing.show`; ``cursor`` is ``offset/total`` of the last page.

    Who was removed meanwhile lets all after them move up: then so many are read once more.
    """
    offset, total = map(int, cursor.split("/")) if cursor else (0, 0)
    rows, there = client.members_page(offset)
    if there < total:
        return Shown(held={}, cursor=f"{max(0, offset - (total - there))}/{there}")
    pages = {each.record.key: each for row in rows if (each := held(row, types))}
    offset += len(rows)
    return Shown(held=pages, cursor=f"{offset}/{there}" if rows and offset < there else None)


def held(member: Mapping[str, Json], types: Mapping[str, str]) -> Held | None:
    """A contact in our own words; ``None`` for what is none."""
    contact = normal_email(member.get("email_address"))
    fields, tags = member.get("merge_fields"), member.get("tags")
    if contact is None or not isinstance(fields, dict) or not isinstance(tags, list):
        return None
    record = Record(
        key=contact,
        email=contact,
        permission=_PERMISSIONS.get(str(member.get("status"))),
        fields=_comparable({**_empty(types), **fields}, types),
        tags=tuple(str(tag["name"]) for tag in tags if isinstance(tag, dict) and "name" in tag),
    )
    return Held(record=record, changed_at=moments.parse_utc(member.get("last_changed")))


def as_shown(record: Record, types: Mapping[str, str]) -> Record:
    """See `connector.ports.Showing.as_shown`."""
    sent, _ = field_values(newest(record.fields), types)
    return Record(
        key=record.key,
        email=record.email,
        permission=record.permission,
        fields=_comparable(sent, types),
        tags=tuple(tag_names(record.tags).values()),
    )


def _empty(types: Mapping[str, str]) -> dict[str, Json]:
    """Every field of the audience: one that a contact does not have is empty."""
    return dict.fromkeys((name for name, kind in types.items() if kind != _NUMBER), "")


def _comparable(values: Mapping[str, Json], types: Mapping[str, str]) -> dict[str, Json]:
    """What can be compared, alike for what was sent and what is shown.

    A number that was cleared may be shown as nothing or as 0, so it is not compared.
    """
    kinds = {name: types.get(name.upper(), "") for name in values}
    told = {
        name.upper(): _number(value) if kinds[name] == _NUMBER else _text(value)
        for name, value in values.items()
        if kinds[name] in _AS_SENT
    }
    return {name: value for name, value in told.items() if value is not None}


def _number(value: Json) -> str | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return format(number.normalize(), "f") if number.is_finite() else None


def _text(value: Json) -> str:
    """Without what Mailchimp may have escaped or trimmed on its way."""
    return " ".join(html.unescape("" if value is None else str(value)).split())
