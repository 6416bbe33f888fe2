"""How the stand-in adds and changes contacts: Mailchimp's rules of who may become what.

https://mailchimp.com/developer/marketing/api/lists/batch-subscribe-or-unsubscribe/
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from adapters.mailchimp.sandbox_state import AudienceState, Held

_LEFT = ("unsubscribed", "cleaned")
_ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\".]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a contact is refused. ``title`` is the problem's name when it was sent alone."""

    words: str
    title: str = "Invalid Resource"
    code: str = "ERROR_GENERIC"
    field: str = ""
    field_message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a call wants contacts to be written."""

    update_existing: bool = True
    sync_tags: bool = False
    skip_merge_validation: bool = False
    skip_duplicate_check: bool = False
    refused: Mapping[str, Trouble] = field(default_factory=dict)
    forgotten: Collection[str] = ()
    """Addresses of which what is written is answered for and not kept."""


@dataclass(slots=True, kw_only=True)
class Written:
    """What became of a call's contacts."""

    new: list[Held] = field(default_factory=list)
    updated: list[Held] = field(default_factory=list)
    errors: list[tuple[str, Trouble]] = field(default_factory=list)


def member_id(email: str) -> str:
    """The id of a contact: the MD5 of its address in lower case."""
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


def stamp(moment: datetime) -> str:
    """A moment as Mailchimp writes it: whole seconds with an offset."""
    return moment.isoformat(timespec="seconds")


def write(
    state: AudienceState, items: Sequence[Mapping[str, Any]], rules: Rules, now: datetime
) -> Written:
    """Add and change contacts; each bad one is refused alone."""
    ids = [member_id(item.get("email_address", "")) for item in items]
    held, forgotten = state.find(ids), state.forgotten(ids)
    worn = state.worn(ids)
    types = {each["tag"]: each for each in state.fields()}
    tag_ids = state.tag_ids({tag for item in items for tag in item.get("tags", ())})
    done, seen = Written(), set[str]()
    joins: list[tuple[str, int]] = []
    leaves: list[tuple[str, int]] = []
    for key, item in zip(ids, items, strict=True):
        email = item.get("email_address", "")
        if key in seen:
            if not rules.skip_duplicate_check:
                done.errors.append((email, Trouble(words="Duplicate item in the request")))
            continue
        seen.add(key)
        existing = held.get(key)
        trouble = rules.refused.get(email.lower()) or (
            _forgotten(email) if key in forgotten else _trouble(item, existing, rules)
        )
        values, bad = _values(item.get("merge_fields", {}), types)
        trouble = trouble or bad or _missing(existing, values, types, rules)
        if trouble is not None:
            done.errors.append((email, trouble))
            continue
        wanted = {tag_ids[tag.lower()] for tag in item.get("tags", ())}
        has = {tag["id"] for tag in worn[key]}
        joins += [(key, tag) for tag in wanted - has]
        if rules.sync_tags and "tags" in item:
            leaves += [(key, tag) for tag in has - wanted]
        member = _become(existing, key, item, values, now, tagged=bool(wanted - has))
        (done.updated if existing else done.new).append(member)
    lost = {member_id(email) for email in rules.forgotten}
    state.save([each for each in (*done.new, *done.updated) if each.id not in lost])
    state.join([(key, tag) for key, tag in joins if key not in lost])
    state.leave([(key, tag) for key, tag in leaves if key not in lost])
    return done


def _forgotten(email: str) -> Trouble:
    return Trouble(
        title="Forgotten Email Not Subscribed",
        words=f"{email} was permanently deleted and cannot be re-imported. "
        "The contact must re-subscribe to get back on the list.",
    )


def _trouble(item: Mapping[str, Any], existing: Held | None, rules: Rules) -> Trouble | None:
    email, status = item.get("email_address", ""), item.get("status")
    if not _ADDRESS.fullmatch(email) or not email.isprintable():
        return Trouble(words="Please provide a valid email address.")
    if email.lower().endswith(".invalid"):
        words = f"{email} looks fake or invalid, please enter a real email address."
        return Trouble(words=words)
    if existing is None:
        return None
    if not rules.update_existing:
        words = f"{email} is already a list member. Use PUT to insert or update list members."
        return Trouble(title="Member Exists", words=words, code="ERROR_CONTACT_EXISTS")
    if status == "subscribed" and (existing.was or existing.status) in _LEFT:
        return Trouble(
            title="Member In Compliance State",
            words=f"{email} is in a compliance state due to unsubscribe, bounce, or compliance "
            "review and cannot be subscribed.",
        )
    return None


def _become(
    existing: Held | None,
    key: str,
    item: Mapping[str, Any],
    values: Mapping[str, Any],
    now: datetime,
    *,
    tagged: bool,
) -> Held:
    if existing is None:
        status = item.get("status") or item["status_if_new"]
        moment = stamp(now)
        return Held(
            id=key,
            email=item["email_address"],
            status=status,
            fields=dict(values),
            changed=moment,
            opted=moment if status == "subscribed" else "",
        )
    # `status_if_new` says nothing of one that is there, be it archived.
    status = item.get("status", existing.status)
    changes = status != existing.status or tagged or not values.items() <= existing.fields.items()
    return Held(
        id=key,
        email=existing.email,
        status=status,
        was=existing.was if status == "archived" else "",
        fields={**existing.fields, **values},
        changed=stamp(now) if changes else existing.changed,
        opted=stamp(now)
        if status == "subscribed" and status != existing.status
        else existing.opted,
        signed_up=existing.signed_up,
    )


def _missing(
    existing: Held | None,
    values: Mapping[str, Any],
    types: Mapping[str, Mapping[str, Any]],
    rules: Rules,
) -> Trouble | None:
    if rules.skip_merge_validation:
        return None
    held = existing.fields if existing else {}
    for tag, definition in types.items():
        if definition["required"] and values.get(tag, held.get(tag, "")) == "":
            return _bad(tag, "This value cannot be blank.")
    return None


def _values(
    given: Mapping[str, Any], types: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Any], Trouble | None]:
    """The values as they are kept. Fields that the audience does not have are ignored."""
    kept = {}
    for name, value in given.items():
        tag = name.upper()
        if tag not in types:
            continue
        try:
            kept[tag] = "" if value in ("", None) else _coerce(value, types[tag])
        except ValueError as error:
            return {}, _bad(tag, str(error))
    return kept, None


def _coerce(value: Any, definition: Mapping[str, Any]) -> Any:
    match definition["type"]:
        case "number":
            return _number(value)
        case "date":
            return _day(str(value), "%Y-%m-%d", "%m/%d/%Y").isoformat()
        case "birthday":
            return _day(f"2000/{value}", "%Y/%m/%d").strftime("%m/%d")
        case "address":
            if not isinstance(value, dict) or not {"addr1", "city", "state", "zip"} <= set(value):
                raise ValueError("Please enter a complete address")
            return value
        case "radio" | "dropdown":
            if value not in definition["choices"]:
                raise ValueError("Please choose one of the options")
            return value
        case "url" | "imageurl":
            if not str(value).startswith(("http://", "https://")):
                raise ValueError("Please enter a valid URL")
            return str(value)
        case _:
            return str(value).encode()[:255].decode("utf-8", "ignore")


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError("Please enter a number") from None


def _day(text: str, *patterns: str) -> date:
    for pattern in patterns:
        try:
            return datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise ValueError("Please enter a date")


def _bad(tag: str, message: str) -> Trouble:
    words = "Your merge fields were invalid."
    return Trouble(words=words, field=tag, field_message=message)
