"""The stand-in's addresses for the audience itself: tags, merge fields, webhooks.

https://mailchimp.com/developer/marketing/api/lists/
"""

from __future__ import annotations

import json
import urllib.request
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Response, g, request

from adapters.mailchimp.sandbox_answers import World, missing, page, problem, said, shown
from adapters.mailchimp.sandbox_members import member_id
from adapters.mailchimp.sandbox_state import AudienceState

_MOST_FIELDS = 30  # EMAIL is one of them
_LONGEST_TAG = 10
_MOST_IN_SEGMENT_CALL = 500


def ping(_: World) -> Response:
    """Say that all is well."""
    return said({"health_status": "Everything's Chimpy!"})


def root(world: World) -> Response:
    """Say whose account it is."""
    return said({"account_id": world.account, "account_name": "Stand-in", "role": "owner"})


def audience(world: World) -> Response:
    """Show the audience."""
    return said({"id": world.audience, "name": "Stand-in", "double_optin": world.double_optin})


def segments(world: World) -> Response:
    """List the tags, which are static segments."""
    return said(page("segments", [_segment(world, tag) for tag in world.state.tags()]))


def add_segment(world: World) -> Response:
    """Make a tag, and give it to contacts that are there."""
    body = g.body
    if "options" in body:
        return problem(400, "Invalid Resource", "The stand-in keeps static segments only.")
    tag = world.state.tag_ids([body["name"]])[body["name"].lower()]
    ids = [member_id(email) for email in body.get("static_segment", ())]
    world.state.join([(key, tag) for key in world.state.find(ids)])
    return said(next(_segment(world, each) for each in world.state.tags() if each["id"] == tag))


def tag_search(world: World) -> Response:
    """Find tags by the beginning of their name."""
    start = request.args.get("name", "").lower()
    tags = [tag for tag in world.state.tags() if tag["form"].startswith(start)]
    return said({"tags": [{"id": tag["id"], "name": tag["name"]} for tag in tags]})


def merge_fields(world: World) -> Response:
    """List the merge fields."""
    return said(page("merge_fields", [_field(world, each) for each in world.state.fields()]))


def webhooks(world: World) -> Response:
    """List the webhooks."""
    return said({"webhooks": hooks(world.state)})


def add_webhook(world: World) -> Response:
    """Register a webhook, if its address answers a GET with 200."""
    body = g.body
    if not _answers(body.get("url", "")):
        return problem(
            400, "Invalid Resource", "We were not able to connect to the URL: it must answer 200."
        )
    hook = {"id": uuid.uuid4().hex[:10], "url": body.get("url", "")}
    parts = {name: json.dumps(body.get(name, {})) for name in ("events", "sources")}
    world.state.db.table("hooks").insert({**hook, **parts})
    return said({**hook, "events": body.get("events", {}), "sources": body.get("sources", {})})


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - whom we are to call
            return bool(answer.status == HTTPStatus.OK)
    except (OSError, ValueError):
        return False


def change_webhook(world: World, hook: str) -> Response:
    """Change what a webhook tells of."""
    there = [each for each in hooks(world.state) if each["id"] == hook]
    if not there:
        return missing()
    told = {name: g.body.get(name, there[0][name]) for name in ("events", "sources")}
    kept = {name: json.dumps(value) for name, value in told.items()}
    world.state.db.table("hooks").update(hook, kept)
    return said({**there[0], **told})


def delete_webhook(world: World, hook: str) -> Response:
    """Forget a webhook."""
    world.state.db.table("hooks").delete_where("id = ?", [hook])
    return Response(status=204)


def hooks(state: AudienceState) -> list[dict[str, Any]]:
    """The webhooks that were registered."""
    return [
        {**row, "events": json.loads(row["events"]), "sources": json.loads(row["sources"])}
        for row in state.db.table("hooks").rows
    ]


def _segment(world: World, tag: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": tag["id"],
        "name": tag["name"],
        "member_count": tag["members"],
        "type": "static",
        "list_id": world.audience,
    }


def change_segment(world: World, segment: int) -> Response:
    """Give a tag to many contacts and take it from many."""
    if all(tag["id"] != segment for tag in world.state.tags()):
        return missing()
    body = g.body
    changed, errors = {}, []
    for what, change in (
        ("members_to_add", world.state.join),
        ("members_to_remove", world.state.leave),
    ):
        emails = body.get(what, [])
        if len(emails) > _MOST_IN_SEGMENT_CALL:
            return problem(400, "Invalid Resource", f"{what} holds more than 500 addresses")
        found = world.state.find([member_id(email) for email in emails])
        strangers = [email for email in emails if member_id(email) not in found]
        if strangers:
            errors.append({"email_addresses": strangers, "error": "Email is not on this list"})
        change([(key, segment) for key in found])
        changed[what] = list(found.values())
    return said(
        {
            "members_added": shown(world, changed["members_to_add"]),
            "members_removed": shown(world, changed["members_to_remove"]),
            "errors": errors,
            "total_added": len(changed["members_to_add"]),
            "total_removed": len(changed["members_to_remove"]),
            "error_count": len(errors),
        }
    )


def _field(world: World, held: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "merge_id": held["merge_id"],
        "tag": held["tag"],
        "name": held["name"],
        "type": held["type"],
        "required": bool(held["required"]),
        "default_value": "",
        "public": False,
        "options": {"choices": held["choices"]} if held["choices"] else {},
        "list_id": world.audience,
    }


def add_merge_field(world: World) -> Response:
    """Make a merge field."""
    body = g.body
    fields = world.state.fields()
    tag = body.get("tag", f"MMERGE{len(fields) + 1}").upper()
    if any(each["tag"] == tag for each in fields):
        words = f'A Merge Field with the tag "{tag}" already exists for this list.'
        return problem(400, "Invalid Resource", words)
    if len(tag) > _LONGEST_TAG or not tag.replace("_", "A").isalnum() or not tag.isascii():
        return problem(400, "Invalid Resource", "A merge tag has at most 10 letters and digits.")
    if len(fields) + 1 >= _MOST_FIELDS:
        return problem(400, "Invalid Resource", "This audience has as many fields as it may have.")
    number = world.state.add_field(
        tag,
        body["name"],
        body["type"],
        required=body.get("required", False),
        choices=body.get("options", {}).get("choices", []),
    )
    [made] = [each for each in world.state.fields() if each["merge_id"] == number]
    return said(_field(world, made))
