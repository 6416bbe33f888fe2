"""What Mailchimp's answers say of contacts, read without trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connector.model import Json
from connector.moments import parse_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What an answer says of one contact. ``tags`` are ids by lower-case name."""

    email: str
    status: str
    last_changed: datetime | None = None
    tags: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, said: Mapping[str, Json]) -> Member | None:
        """Read a member; ``None`` when the answer lacks its address or status."""
        email, status = said.get("email_address"), said.get("status")
        if not isinstance(email, str) or not isinstance(status, str):
            return None
        tags = said.get("tags")
        return cls(
            email=email,
            status=status,
            last_changed=parse_utc(said.get("last_changed")),
            tags={
                str(tag["name"]).lower(): tag["id"]
                for tag in (tags if isinstance(tags, list) else [])
                if isinstance(tag, dict) and isinstance(tag.get("id"), int) and "name" in tag
            },
        )


def read_batch(
    answer: Mapping[str, Json],
) -> tuple[dict[str, Member], dict[str, Mapping[str, Json]]]:
    """The members and the errors of a batch's answer, each by its address in lower case."""
    members: dict[str, Member] = {}
    for kind in ("new_members", "updated_members"):
        for said in _objects(answer.get(kind)):
            member = Member.read(said)
            if member is not None:
                members[member.email.lower()] = member
    errors = {
        said["email_address"].lower(): said
        for said in _objects(answer.get("errors"))
        if isinstance(said.get("email_address"), str)
    }
    return members, errors


def _objects(value: Json) -> list[Mapping[str, Json]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
