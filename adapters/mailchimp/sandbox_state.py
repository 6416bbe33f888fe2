"""What the stand-in remembers of one audience: members, tags, fields, acts, webhooks."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlite_utils import Database


@dataclass(slots=True, kw_only=True)
class Held:
    """One contact as the audience holds it."""

    id: str
    email: str
    status: str
    was: str = ""  # the status before it was archived
    fields: dict[str, Any] = field(default_factory=dict)
    changed: str = ""
    opted: str = ""
    signed_up: str = ""  # by a form; whoever came by the API has none


class AudienceState:
    """One audience in a database in memory. Its callers hold a lock."""

    def __init__(self) -> None:
        self._ids = itertools.count(4_788_401)  # never used twice, also when a tag is deleted
        self.db = Database(sqlite3.connect(":memory:", check_same_thread=False))
        self.db.table("members").create(
            {
                "id": str,
                "email": str,
                "status": str,
                "was": str,
                "fields": str,
                "changed": str,
                "opted": str,
                "signed_up": str,
            },
            pk="id",
        )
        self.db.table("tags").create({"id": int, "name": str, "form": str}, pk="id")
        self.db.table("tags").create_index(["form"], unique=True)
        self.db.table("wears").create({"member": str, "tag": int}, pk=("member", "tag"))
        self.db.table("wears").create_index(["tag"])
        self.db.table("fields").create(
            {
                "merge_id": int,
                "tag": str,
                "name": str,
                "type": str,
                "required": int,
                "choices": str,
            },
            pk="merge_id",
        )
        self.db.table("acts").create({"member": str, "action": str, "at": str})
        self.db.table("acts").create_index(["member"])
        self.db.table("hooks").create(
            {"id": str, "url": str, "events": str, "sources": str}, pk="id"
        )
        self.db.table("forgotten").create({"id": str}, pk="id")

    def find(self, ids: Collection[str]) -> dict[str, Held]:
        """The contacts among these ids."""
        rows = self.db.query(
            "select * from members where id in (select value from json_each(?))",
            [json.dumps(list(ids))],
        )
        return {row["id"]: _held(row) for row in rows}

    def every(self, status: str | None = None, since: str = "") -> list[Held]:
        """All contacts in the order they came, perhaps of one status, changed since a moment."""
        rows = self.db.query(
            "select * from members where changed >= ? and (? is null or status = ?) order by rowid",
            [since, status, status],
        )
        return [_held(row) for row in rows]

    def save(self, members: Iterable[Held]) -> None:
        """Write contacts, new ones and changed ones."""
        rows = [
            (
                each.id,
                each.email,
                each.status,
                each.was,
                msgspec.json.encode(each.fields).decode(),
                each.changed,
                each.opted,
                each.signed_up,
            )
            for each in members
        ]
        with self.db.atomic():  # at once: a batch of 500 is to be written in milliseconds
            self.db.conn.executemany(
                "insert into members values (?, ?, ?, ?, ?, ?, ?, ?) "
                "on conflict (id) do update set "
                "email = excluded.email, status = excluded.status, was = excluded.was, "
                "fields = excluded.fields, changed = excluded.changed, opted = excluded.opted, "
                "signed_up = excluded.signed_up",
                rows,
            )

    def forget(self, member: str) -> None:
        """Delete a contact for good; it may not be imported again."""
        with self.db.atomic():
            self.db.table("forgotten").insert({"id": member}, replace=True)
            self.drop(member)

    def drop(self, member: str) -> None:
        """Take a contact out, as if it had never been there."""
        with self.db.atomic():
            for table, column in (("members", "id"), ("wears", "member"), ("acts", "member")):
                self.db.table(table).delete_where(f"{column} = ?", [member])

    def forgotten(self, ids: Collection[str]) -> set[str]:
        """Those of these ids that were deleted for good."""
        rows = self.db.query(
            "select id from forgotten where id in (select value from json_each(?))",
            [json.dumps(list(ids))],
        )
        return {row["id"] for row in rows}

    def come_back(self, member: str) -> None:
        """The person signed up again by themselves: they may be held again."""
        self.db.table("forgotten").delete_where("id = ?", [member])

    # --- tags: each is a static segment -------------------------------------------------------

    def tag_ids(self, names: Iterable[str]) -> dict[str, int]:
        """The ids of tags by lower-case name, made when they are new."""
        wanted = {name.lower(): name for name in names}
        known = {tag["form"]: tag["id"] for tag in self.db.table("tags").rows}
        fresh = [
            {"id": next(self._ids), "name": name, "form": form}
            for form, name in wanted.items()
            if form not in known
        ]
        if fresh:
            self.db.table("tags").insert_all(fresh)
            known = {tag["form"]: tag["id"] for tag in self.db.table("tags").rows}
        return {form: known[form] for form in wanted}

    def tags(self) -> list[Mapping[str, Any]]:
        """Every tag with the number of its contacts."""
        return list(
            self.db.query(
                "select id, name, form, (select count(*) from wears where tag = id) as members "
                "from tags order by id"
            )
        )

    def drop_tag(self, tag: int) -> None:
        """Delete a tag; everybody loses it."""
        with self.db.atomic():
            self.db.table("wears").delete_where("tag = ?", [tag])
            self.db.table("tags").delete_where("id = ?", [tag])

    def worn(self, ids: Collection[str]) -> dict[str, list[Mapping[str, Any]]]:
        """The tags of each of these contacts."""
        worn: dict[str, list[Mapping[str, Any]]] = {each: [] for each in ids}
        for row in self.db.query(
            "select member, id, name from wears join tags on tag = id "
            "where member in (select value from json_each(?)) order by id",
            [json.dumps(list(ids))],
        ):
            worn[row["member"]].append({"id": row["id"], "name": row["name"]})
        return worn

    def join(self, pairs: Sequence[tuple[str, int]]) -> None:
        """Give contacts tags."""
        with self.db.atomic():
            self.db.conn.executemany("insert or ignore into wears values (?, ?)", pairs)

    def leave(self, pairs: Sequence[tuple[str, int]]) -> None:
        """Take tags from contacts."""
        with self.db.atomic():
            self.db.conn.executemany("delete from wears where member = ? and tag = ?", pairs)

    # --- fields and acts ----------------------------------------------------------------------

    def fields(self) -> list[Mapping[str, Any]]:
        """The merge fields, ``choices`` as a list."""
        return [
            {**row, "choices": json.loads(row["choices"] or "[]")}
            for row in self.db.table("fields").rows
        ]

    def add_field(
        self, tag: str, name: str, kind: str, *, required: bool, choices: list[str]
    ) -> int:
        """Make a merge field; gives its number."""
        self.db.table("fields").insert(
            {
                "tag": tag,
                "name": name,
                "type": kind,
                "required": int(required),
                "choices": json.dumps(choices),
            }
        )
        return int(next(self.db.query("select max(merge_id) as last from fields"))["last"])

    def act(self, member: str, action: str, at: str) -> None:
        """Write down what a person did."""
        self.db.table("acts").insert({"member": member, "action": action, "at": at})

    def acts(self, member: str, actions: Collection[str]) -> list[Mapping[str, Any]]:
        """What a person did, the newest first, at most 50."""
        rows = self.db.query(
            "select action, at as timestamp from acts where member = ? "
            "order by at desc, rowid desc limit 50",
            [member],
        )
        return [row for row in rows if not actions or row["action"] in actions]


def _held(row: Mapping[str, Any]) -> Held:
    return Held(
        id=row["id"],
        email=row["email"],
        status=row["status"],
        was=row["was"],
        fields=msgspec.json.decode(row["fields"]),
        changed=row["changed"],
        opted=row["opted"],
        signed_up=row["signed_up"],
    )
