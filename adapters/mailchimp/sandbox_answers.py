"""What the stand-in's addresses share: the world they speak of and the forms of an answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from flask import Response, request

from adapters.mailchimp.sandbox_members import Trouble
from adapters.mailchimp.sandbox_state import AudienceState, Held
from adapters.mailchimp.sandbox_store_state import Sales


@dataclass(slots=True, kw_only=True)
class World:
    """What the addresses speak of: one audience, its settings, and the time."""

    audience: str
    clock: Callable[[], datetime]
    state: AudienceState = field(default_factory=AudienceState)
    sales: Sales = field(default_factory=Sales)
    double_optin: bool = False
    gone: bool = False
    refused: dict[str, Trouble] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    skip_validation_works: bool = True
    account: str = "5f6e7d8c9b0a1f2e3d4c5b6a7"


def said(body: Any) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(body), mimetype="application/json")


def problem(
    status: int, title: str, detail: str, errors: list[dict[str, str]] | None = None
) -> Response:
    """A refusal in the form of RFC 7807, as Mailchimp writes it."""
    body: dict[str, Any] = {
        "type": "https://mailchimp.com/developer/marketing/docs/errors/",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": str(uuid.uuid4()),
    }
    kind = "application/problem+json; charset=utf-8"
    return Response(
        msgspec.json.encode(body | ({"errors": errors} if errors else {})), status, mimetype=kind
    )


def missing() -> Response:
    """Nothing is there."""
    return problem(404, "Resource Not Found", "The requested resource could not be found.")


def asked(what: str) -> bool:
    """Is a switch of the query on: only as Mailchimp documents it, so "True" is not."""
    return request.args.get(what) == "true"


def page(what: str, rows: Sequence[Any]) -> dict[str, Any]:
    """One page of rows."""
    start, count = int(request.args.get("offset", "0")), int(request.args.get("count", "10"))
    return {what: rows[start : start + min(count, 1000)], "total_items": len(rows)}


def shown(world: World, members: list[Held]) -> list[dict[str, Any]]:
    """Contacts as an answer shows them."""
    worn = world.state.worn([each.id for each in members])
    return [
        {
            "id": each.id,
            "email_address": each.email,
            "unique_email_id": each.id[:10],
            "contact_id": each.id,
            "email_type": "html",
            "status": each.status,
            "merge_fields": each.fields,
            "timestamp_signup": each.signed_up,
            "timestamp_opt": each.opted,
            "last_changed": each.changed,
            "vip": False,
            "source": "API - Generic",
            "tags_count": len(worn[each.id]),
            "tags": worn[each.id],
            "list_id": world.audience,
        }
        for each in members
    ]
