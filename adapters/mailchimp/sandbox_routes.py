"""The stand-in's addresses for contacts, and the table of all of them.

https://mailchimp.com/developer/marketing/api/list-members/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from flask import Blueprint, Response, abort, g, request

from adapters.mailchimp import sandbox_audience as of_audience
from adapters.mailchimp.sandbox_answers import World, asked, missing, page, problem, said, shown
from adapters.mailchimp.sandbox_members import Rules, Written, member_id, stamp, write
from adapters.mailchimp.sandbox_state import Held

_Route: TypeAlias = Callable[..., Response]


def batch(world: World) -> Response:
    """Add and change many contacts."""
    body = g.body
    rules = Rules(
        update_existing=body.get("update_existing", False),
        sync_tags=body.get("sync_tags", False),
        skip_merge_validation=_skips_validation(world),
        skip_duplicate_check=asked("skip_duplicate_check"),
        refused=world.refused,
        forgotten=world.forgotten,
    )
    return said(_batch_answer(world, write(world.state, body["members"], rules, world.clock())))


def members(world: World) -> Response:
    """List contacts, perhaps of one status, perhaps changed since a moment."""
    wanted = request.args.get("status"), request.args.get("since_last_changed", "")
    found = world.state.every(*wanted)
    match request.args.get("sort_field"):
        case "last_changed":
            found.sort(key=lambda each: each.changed)
        case "timestamp_opt":
            found.sort(key=lambda each: each.opted)
        case _:
            pass
    part = page("members", found)
    return said(part | {"members": shown(world, part["members"])})


def add_member(world: World) -> Response:
    """Add one contact that is not there."""
    return _write_one(world, g.body, update_existing=False)


def member(world: World, who: str) -> Response:
    """Show one contact."""
    return said(shown(world, [_held(world, who)])[0])


def put_member(world: World, who: str) -> Response:
    """Add or change one contact."""
    body = g.body
    if not world.state.find([_key(who)]) and not {"status", "status_if_new"} & set(body):
        return problem(400, "Invalid Resource", "status_if_new is needed for a new contact")
    return _write_one(world, body, update_existing=True)


def patch_member(world: World, who: str) -> Response:
    """Change one contact that is there."""
    body = {**g.body, "email_address": _held(world, who).email}
    return _write_one(world, body, update_existing=True)


def archive_member(world: World, who: str) -> Response:
    """Archive one contact."""
    held = _held(world, who)
    if held.status == "archived":
        return problem(405, "Method Not Allowed", "This list member cannot be removed.")
    held.was, held.status, held.changed = held.status, "archived", stamp(world.clock())
    world.state.save([held])
    return Response(status=204)


def delete_member(world: World, who: str) -> Response:
    """Delete one contact for good."""
    world.state.forget(_held(world, who).id)
    return Response(status=204)


def activity(world: World, who: str) -> Response:
    """What one person did, the newest first."""
    actions = [each for each in request.args.get("action", "").split(",") if each]
    acts = world.state.acts(_held(world, who).id, actions)
    return said({"activity": acts, "email_id": _key(who), "list_id": world.audience})


def member_tags(world: World, who: str) -> Response:
    """The tags of one contact."""
    return said(page("tags", world.state.worn([_held(world, who).id])[_key(who)]))


def tag_member(world: World, who: str) -> Response:
    """Give one contact tags and take others away; those not named stay."""
    held = _held(world, who)
    wanted = g.body["tags"]
    ids = world.state.tag_ids([tag["name"] for tag in wanted])
    changes = {
        status: [(held.id, ids[tag["name"].lower()]) for tag in wanted if tag["status"] == status]
        for status in ("active", "inactive")
    }
    world.state.join(changes["active"])
    world.state.leave(changes["inactive"])
    return Response(status=204)


_HERE = "/lists/<list_id>"
_ONE = f"{_HERE}/members/<who>"
_ROUTES: tuple[tuple[str, str, _Route], ...] = (
    ("GET", "/", of_audience.root),
    ("GET", "/ping", of_audience.ping),
    ("GET", _HERE, of_audience.audience),
    ("POST", _HERE, batch),
    ("GET", f"{_HERE}/members", members),
    ("POST", f"{_HERE}/members", add_member),
    ("GET", _ONE, member),
    ("PUT", _ONE, put_member),
    ("PATCH", _ONE, patch_member),
    ("DELETE", _ONE, archive_member),
    ("POST", f"{_ONE}/actions/delete-permanent", delete_member),
    ("GET", f"{_ONE}/activity", activity),
    ("GET", f"{_ONE}/tags", member_tags),
    ("POST", f"{_ONE}/tags", tag_member),
    ("GET", f"{_HERE}/segments", of_audience.segments),
    ("POST", f"{_HERE}/segments", of_audience.add_segment),
    ("POST", f"{_HERE}/segments/<int:segment>", of_audience.change_segment),
    ("GET", f"{_HERE}/tag-search", of_audience.tag_search),
    ("GET", f"{_HERE}/merge-fields", of_audience.merge_fields),
    ("POST", f"{_HERE}/merge-fields", of_audience.add_merge_field),
    ("GET", f"{_HERE}/webhooks", of_audience.webhooks),
    ("POST", f"{_HERE}/webhooks", of_audience.add_webhook),
    ("PATCH", f"{_HERE}/webhooks/<hook>", of_audience.change_webhook),
    ("DELETE", f"{_HERE}/webhooks/<hook>", of_audience.delete_webhook),
)


def routes(world: World) -> Blueprint:
    """The addresses over one world. The caller holds the lock while one is served."""
    api = Blueprint("mailchimp", __name__, url_prefix="/3.0")
    for method, path, serve in _ROUTES:
        api.add_url_rule(path, serve.__name__, partial(serve, world), methods=[method])
    api.url_value_preprocessor(partial(_in_this_audience, world))
    return api


def _in_this_audience(world: World, _: str | None, values: dict[str, Any] | None) -> None:
    wanted = (values or {}).pop("list_id", None)
    if wanted is not None and (world.gone or wanted != world.audience):
        abort(missing())


def _held(world: World, who: str) -> Held:
    found = world.state.find([_key(who)])
    if not found:
        abort(missing())
    return found[_key(who)]


def _key(who: str) -> str:
    return member_id(who) if "@" in who else who


def _skips_validation(world: World) -> bool:
    return world.skip_validation_works and asked("skip_merge_validation")


def _write_one(world: World, body: Mapping[str, Any], *, update_existing: bool) -> Response:
    rules = Rules(
        update_existing=update_existing,
        skip_merge_validation=_skips_validation(world),
        refused=world.refused,
        forgotten=world.forgotten,
    )
    done = write(world.state, [body], rules, world.clock())
    for _, trouble in done.errors:
        fields = [{"field": trouble.field, "message": trouble.field_message}]
        return problem(400, trouble.title, trouble.words, fields if trouble.field else [])
    return said(shown(world, [*done.new, *done.updated])[0])


def _batch_answer(world: World, done: Written) -> dict[str, Any]:
    return {
        "new_members": shown(world, done.new),
        "updated_members": shown(world, done.updated),
        "errors": [
            {
                "email_address": email,
                "error": trouble.words,
                "error_code": trouble.code,
                "field": trouble.field,
                "field_message": trouble.field_message,
            }
            for email, trouble in done.errors
        ],
        "total_created": len(done.new),
        "total_updated": len(done.updated),
        "error_count": len(done.errors),
    }
