"""What the stand-in refuses: one bad event, and with it the whole call, as Meta does.

https://developers.facebook.com/docs/marketing-api/conversions-api/parameters
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

MOST_EVENTS = 1_000
MOST_BYTES = 20_000_000
OLDEST = timedelta(days=7)
AHEAD = timedelta(minutes=1)
HASHED = frozenset({"em", "ph", "fn", "ln", "ge", "db", "ct", "st", "zp", "country"})
_PLAIN = frozenset({"external_id", "client_ip_address", "client_user_agent", "fbc", "fbp"})
_NEEDED = {"event_name", "event_time", "user_data", "action_source"}
_OF_EVENT = _NEEDED | {
    *("event_id", "event_source_url", "referrer_url", "opt_out", "custom_data"),
    *("data_processing_options", "data_processing_options_country"),
    "data_processing_options_state",
}
_OF_GOODS = frozenset(
    {"value", "currency", "content_ids", "content_type", "contents", "order_id", "num_items"}
)
_SOURCES = frozenset(
    {
        *("email", "website", "app", "phone_call", "chat", "physical_store", "system_generated"),
        *("business_messaging", "other"),
    }
)
_TOO_LITTLE = (
    {"ct", "country", "st", "zp", "ge", "client_user_agent"},
    {"db", "client_user_agent"},
    {"fn", "ge"},
    {"ln", "ge"},
)
_DIGEST = re.compile("[0-9a-f]{64}")
_OF_NOTHING = hashlib.sha256(b"").hexdigest()
_CLICK = re.compile(r"fb\.[0-2]\.\d{13}\..+", re.ASCII)


def events_in(form: Mapping[str, str]) -> list[Any] | str:
    """The events of a call; or what is wrong with it. A test event is wrong: it counts as well."""
    if unknown := sorted(form.keys() - {"data"}):
        return f"Unknown parameter {unknown[0]}"
    try:
        events = json.loads(form.get("data", ""))
    except ValueError:
        return "Param data must be an array"
    if not isinstance(events, list) or not 0 < len(events) <= MOST_EVENTS:
        return f"Param data must be an array of 1 to {MOST_EVENTS} events"
    return events


def faults(event: Any, now: datetime) -> Iterator[str]:
    """What is wrong with an event, as of now."""
    if not isinstance(event, dict) or not event.keys() >= _NEEDED:
        yield "An event has event_name, event_time, user_data and action_source"
        return
    if unknown := sorted(event.keys() - _OF_EVENT):
        yield f"Unknown field {unknown[0]}"
    if not isinstance(event["event_name"], str) or not event["event_name"]:
        yield "event_name is required and must be a string"
    yield from _time_faults(event["event_time"], now)
    if event["action_source"] not in _SOURCES:
        yield "action_source is not valid"
    user = event["user_data"]
    if not isinstance(user, dict):
        yield "user_data must be an object"
        return
    yield from _user_faults(user)
    if event["action_source"] == "website" and not (
        str(event.get("event_source_url", "")).startswith(("http://", "https://"))
        and user.get("client_user_agent")
    ):
        yield "A website event needs event_source_url and client_user_agent"
    if event["event_name"] == "Purchase":
        yield from _goods_faults(event.get("custom_data"))


def _time_faults(at: Any, now: datetime) -> Iterator[str]:
    if type(at) is not int:
        yield "event_time must be whole seconds"
    elif now.timestamp() - at > OLDEST.total_seconds():
        yield "event_time is more than 7 days in the past"
    elif at - now.timestamp() > AHEAD.total_seconds():
        yield "event_time is in the future"


def _user_faults(user: Mapping[str, Any]) -> Iterator[str]:
    for name, told in user.items():
        values = told if isinstance(told, list) else [told]
        if name in HASHED:
            if not values or not all(
                isinstance(each, str) and _DIGEST.fullmatch(each) and each != _OF_NOTHING
                for each in values
            ):
                yield f"user_data.{name} must be SHA-256 in small hexadecimal digits"
        elif name not in _PLAIN:
            yield f"Unknown field user_data.{name}"
        elif name == "fbc" and not _CLICK.fullmatch(str(told)):
            yield "user_data.fbc is not valid"
    if not user or any(user.keys() <= few for few in _TOO_LITTLE):
        yield "user_data has not enough to find anybody"


def _goods_faults(goods: Any) -> Iterator[str]:
    if not isinstance(goods, dict):
        yield "A purchase needs custom_data"
        return
    if unknown := sorted(goods.keys() - _OF_GOODS):
        yield f"Unknown field custom_data.{unknown[0]}"
    value = goods.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        yield "custom_data.value must be a number"
    if not re.fullmatch("[A-Z]{3}", str(goods.get("currency", ""))):
        yield "custom_data.currency must be an ISO 4217 code"
    for each in goods.get("contents", []):
        if not isinstance(each, dict) or not isinstance(each.get("id"), str):
            yield "custom_data.contents must have ids"
