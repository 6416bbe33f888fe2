"""From an order to the event that Meta is told: a purchase, by digests, once.

The record is that of a sale (`connector.sales_keys`): its ``fields`` are plain JSON, amounts as
text. Names of events: https://developers.facebook.com/docs/marketing-api/conversions-api/parameters
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connector.doubts import possible
from connector.match_keys import of_person
from connector.model import Change, Kind, Outcome, Parked, Permission, Record, Settled
from connector.moments import parse_utc, to_micros
from connector.sales_keys import thing_of

OLDEST = timedelta(days=7) - timedelta(minutes=1)
"""Of older events Meta refuses the whole call: a minute is left for the way.

https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/server-event
"""
AHEAD = timedelta(minutes=1)

_USER: Mapping[str, str] = {
    "email": "em",
    "phone": "ph",
    "first_name": "fn",
    "last_name": "ln",
    "city": "ct",
    "postcode": "zp",
    "country": "country",
}
# By these alone nobody is found, and Meta takes the event for invalid.
# https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/customer-information-parameters
_TOO_LITTLE: tuple[frozenset[str], ...] = (
    frozenset({"ct", "country", "st", "zp", "ge", "client_user_agent"}),
    frozenset({"db", "client_user_agent"}),
    frozenset({"fn", "ge"}),
    frozenset({"ln", "ge"}),
)
_CURRENCY = re.compile("[A-Z]{3}")
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_CLICK = re.compile(r"[\w-]{1,500}", re.ASCII)
_ADDRESS = re.compile(r"https?://\S{1,1990}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """The event for one record."""

    key: str
    body: Mapping[str, Any]


def plan(change: Change, *, item_id: str, now: datetime) -> Purchase | Outcome:
    """The event for a change; or the outcome when there is nothing to tell, or it cannot be told.

    ``item_id`` is the pattern of the catalog's ids. What was acknowledged once is never told again,
    whatever became of the order since; what Meta was told cannot be taken back.
    """
    if change.erased:
        return Settled(note="Meta keeps what it was told of purchases: it has no way to forget one")
    after = change.after
    if after is None or not _is_wanted(after) or _is_told(change.before):
        return Settled()
    fields = after.fields
    placed_at = parse_utc(fields.get("placed_at"))
    if placed_at is None:
        return Parked(reason="no_time", mend="Report it: an order must say when it was placed.")
    if now - placed_at > OLDEST:
        return Settled(note="not told: older than the 7 days that Meta takes")
    if placed_at - now > AHEAD:
        return Parked(
            reason="in_the_future",
            mend="The order was placed later than now: set the clocks of the shop's server and of "
            "this machine right.",
        )
    body = _body(fields, placed_at, item_id)
    return _fault(body) or Purchase(key=change.key, body=body)


def _is_told(before: Record | None) -> bool:
    """Whether Meta was told, or it was too late: no order is held before its buyer allowed it.

    So also of one whose buyer withdrew since, and may allow it again: rather never than twice.
    """
    # Of what was sent without an answer only the state before is sure: it is told again, under the
    # same id.
    return before is not None and possible(before.fields.get("counts"))[0] is True


def _is_wanted(record: Record) -> bool:
    """Whether a record asks that Meta be told: an order that counts, of somebody who allows it."""
    return (
        thing_of(record.key).kind is Kind.ORDER
        and record.permission is Permission.SEND
        and record.fields.get("counts") is True
    )


def _body(fields: Mapping[str, Any], placed_at: datetime, item_id: str) -> dict[str, Any]:
    landing = fields.get("landing_url")
    agent = fields.get("client_user_agent")
    page = landing if isinstance(landing, str) and _ADDRESS.fullmatch(landing) else None
    # A website's event must name page and browser; where they are not both known, it is one that
    # the shop's system tells of by itself.
    on_page = {"action_source": "website", "event_source_url": page} if page and agent else {}
    return {
        "event_name": "Purchase",
        "event_time": to_micros(placed_at) // 1_000_000,
        "event_id": str(fields.get("id") or ""),
        "action_source": "system_generated",
        **on_page,
        "user_data": _user(fields.get("customer") or {}, page, placed_at)
        | ({"client_user_agent": agent} if on_page else {}),
        "custom_data": _goods(fields, item_id),
    }


def _user(customer: Mapping[str, Any], page: str | None, placed_at: datetime) -> dict[str, Any]:
    user: dict[str, Any] = {_USER[name]: [digest] for name, digest in of_person(customer).items()}
    # https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/fbp-and-fbc
    clicks = parse_qs(urlsplit(page).query).get("fbclid", []) if page else []
    if clicks and _CLICK.fullmatch(clicks[0]):
        user["fbc"] = f"fb.1.{to_micros(placed_at) // 1000}.{clicks[0]}"
    return user


def _goods(fields: Mapping[str, Any], item_id: str) -> dict[str, Any]:
    lines = [line for line in fields.get("lines") or () if line.get("product_id")]
    ids = [_item_id(item_id, fields, line) for line in lines]
    contents = [
        {"id": item, "quantity": line["quantity"], "item_price": _amount(line.get("price"))}
        for item, line in zip(ids, lines, strict=True)
    ]
    known = {
        "content_type": "product",
        "content_ids": list(dict.fromkeys(ids)),
        "contents": [
            {name: told for name, told in each.items() if told is not None} for each in contents
        ],
        "num_items": sum(line["quantity"] for line in lines),
    }
    return {
        "value": _amount(fields.get("total")),
        "currency": fields.get("currency"),
        "order_id": str(fields.get("id") or ""),
        **(known if lines else {}),
    }


def _item_id(pattern: str, fields: Mapping[str, Any], line: Mapping[str, Any]) -> str:
    """The id that the thing has in the catalog; a product without variants is its own."""
    product_id = str(line["product_id"])
    given = {
        "shop": str(fields.get("shop") or ""),
        "product_id": product_id,
        "variant_id": str(line.get("variant_id") or product_id),
        "sku": str(line.get("sku") or ""),
    }
    return _PLACEHOLDER.sub(lambda found: given.get(found[1], ""), pattern)


def _amount(text: object) -> Decimal | None:
    try:
        amount = Decimal(text) if isinstance(text, str) else None
    except InvalidOperation:
        return None
    return amount if amount is not None and amount.is_finite() else None


def _fault(body: Mapping[str, Any]) -> Parked | None:
    """What Meta would refuse, and with it every other event of the call."""
    custom, user = body["custom_data"], frozenset(body["user_data"])
    if not body["event_id"]:
        return Parked(reason="no_id", mend="Report it: an order must have an id.")
    if custom["value"] is None or custom["value"] < 0:
        return Parked(reason="no_value", mend="Look at the order in the shop: its total is none.")
    if not _CURRENCY.fullmatch(str(custom["currency"] or "")):
        return Parked(
            reason="no_currency", mend="Set the shop's currency in connector.yaml (currency: NOK)."
        )
    if not user or any(user <= few for few in _TOO_LITTLE):
        return Parked(
            reason="no_identifier",
            mend="Meta cannot find a buyer by so little: give the order an e-mail address or a "
            "phone number.",
        )
    return None
