"""The stand-in's HTTP server: Graph API v26 over one ad account and its audiences."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response, request

from adapters.meta_audiences.sandbox_audiences import AdAccount, Audience
from adapters.meta_audiences.sandbox_rules import (
    MOST_BYTES,
    VALUE,
    audience_fault,
    payload_in,
    session_fault,
)
from adapters.town.graph import GraphServer, error, fields_asked, page_of, said

_LONGEST_PAGE = 500
_BLOCKED = "Audience Upload Blocked"
_TERMS = "You must accept the Terms of Service for Custom Audiences"


class Server(GraphServer):
    """Serves an ad account and its audiences."""

    def __init__(self, account: AdAccount, token: str, port: int) -> None:
        self.account = account
        super().__init__(
            token, port, edges=_EDGES, endpoint_of=partial(endpoint_of, account.id),
            largest=MOST_BYTES,
        )  # fmt: skip

    def kind_of(self, node: str) -> str | None:
        """The ad account, or an audience of it."""
        if node == self.account.id:
            return "account"
        return "audience" if node in self.account.audiences else None

    def show(self, _node: str) -> Response:
        """The ad account itself."""
        return fields_asked({"id": self.account.id, "name": "Wool and yarn"})

    def list_audiences(self, _node: str) -> Response:
        """Every audience, a page at a time."""
        every = self.account.audiences
        return page_of(list(every), lambda key: _shown(key, every[key]), longest=_LONGEST_PAGE)

    def make(self, _node: str) -> Response:
        """Make an audience."""
        form = request.form.to_dict()
        self.bodies.append(("customaudiences", form))
        if not self.account.accepted_terms:
            return error(400, 200, _TERMS, error_subcode=1870090)
        if fault := audience_fault(form):
            return error(400, 100, f"(#100) {fault}")
        audience = Audience(
            name=form["name"],
            description=form.get("description", ""),
            valued=form.get("is_value_based") == "true",
        )
        return said({"id": self.account.make(audience)})

    def add(self, node: str) -> Response:
        """Put people into an audience."""
        return self._change(node, "add")

    def remove(self, node: str) -> Response:
        """Take people out of an audience."""
        return self._change(node, "remove")

    def forget(self, node: str) -> Response:
        """Take people out of every audience."""
        return self._change(node, "forget")

    def _change(self, node: str, verb: str) -> Response:
        if request.method == "DELETE":
            return error(400, 100, "(#100) What is to be removed stands in the address")
        form = request.form.to_dict()
        self.bodies.append((verb, form))
        if not self.account.accepted_terms:
            return error(400, 200, _TERMS, error_subcode=1870090)
        audience = self.account.audiences.get(node)
        chosen = [audience] if audience else list(self.account.audiences.values())
        if audience is not None and audience.flagged:
            return error(400, 100, "Invalid parameter", error_subcode=1713230,
                         error_user_title=_BLOCKED)  # fmt: skip
        payload = payload_in(form)
        if isinstance(payload, str):
            return error(400, 100, f"(#100) {payload}")
        schema, rows = payload["schema"], payload["data"]
        if verb == "add" and (VALUE in schema) != chosen[0].valued:
            return error(400, 100, "(#100) LOOKALIKE_VALUE is for value based audiences")
        purpose = f"{node}/{verb}"
        session = form.get("session")
        if fault := session_fault(self.account.sessions, session, purpose, schema):
            return error(400, 100, f"(#100) {fault}")
        invalid = (
            self.account.add(chosen[0], schema, rows)
            if verb == "add"
            else self.account.remove(chosen, schema, rows)
        )
        wrong = {value: row for row in rows for value in row if str(value) in self.account.invalid}
        return said(
            {
                "audience_id": node,
                "session_id": "0",
                "num_received": len(rows),
                "num_invalid_entries": invalid,
                "invalid_entry_samples": wrong,
            }
        )


_EDGES: dict[tuple[str, str, str], Any] = {
    ("GET", "account", ""): Server.show,
    ("GET", "account", "customaudiences"): Server.list_audiences,
    ("POST", "account", "customaudiences"): Server.make,
    ("DELETE", "account", "usersofanyaudience"): Server.forget,
    ("POST", "audience", "users"): Server.add,
    ("DELETE", "audience", "users"): Server.remove,
}


def endpoint_of(account_id: str, method: str, path: str) -> str:
    """The endpoint for counting: ids are left out."""
    parts = path.strip("/").split("/")
    kind = "account" if account_id in parts else "audience"
    return f"{method} {'/'.join(['', kind, *parts[2:]])}"


def _shown(audience_id: str, audience: Audience) -> dict[str, Any]:
    status = {"code": 471, "description": "flagged"} if audience.flagged else {"code": 200}
    return {
        "id": audience_id,
        "name": audience.name,
        "description": audience.description,
        "subtype": audience.subtype,
        "operation_status": status,
        "is_value_based": audience.valued,
    }
