"""The calls to one ad account of Meta's: its audiences, and who is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from adapters.graph import Graph
from adapters.graph_refusals import Mends
from adapters.meta_audiences.account import Account
from connector.errors import TryLater
from connector.model import Json

_FIELDS = "id,name,description,subtype,operation_status,is_value_based"
_A_PAGE = 200
_MENDS = Mends(
    scope="ads_management",
    thing="ad account",
    forbidden="In Meta Business settings give the system user of this token the right to manage "
    "the ad account, and the token the permission ads_management.",
    missing="Set the destination's ad_account to one that this token may manage. If an audience "
    "was deleted, it is made anew by itself.",
    known={
        (200, 1870090): (
            "the terms for custom audiences are not accepted",
            "The shop's owner: accept them in Ads Manager > Audiences, as an administrator of the "
            "business.",
        ),
        (200, 1870050): (
            "the token may not change these audiences",
            "The shop's owner: in Meta Business settings give the system user of this token the "
            "right to manage the ad account.",
        ),
    },
)

# Amounts go as JSON numbers and are never floats on the way.
_write = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Which part of a larger list a call is. ``batch`` counts from 1, ``total`` is the whole list.

    https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences
    """

    id: int
    batch: int
    last: bool
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What Meta said of a call's rows: how many it has, how many are wrong, some of those."""

    received: int
    invalid: int = 0
    samples: Json = None


class MetaAudiencesClient:
    """One ad account. Every method raises `Refused`, `TooLarge`, `TryLater` or `LaneDown`."""

    def __init__(self, account: Account, seconds: float) -> None:
        self._account = account.ad_account
        self._graph = Graph(account.access, seconds, _MENDS)

    @property
    def told_at(self) -> datetime | None:
        """The time by Meta's clock when it last answered, if it said."""
        return self._graph.told_at

    def account(self) -> Mapping[str, Json]:
        """The ad account itself."""
        return self._graph.call("GET", (self._account,), {"fields": "id,name"})

    def audiences(self) -> Iterator[Mapping[str, Json]]:
        """Every audience of the account, others' as well."""
        params = {"fields": _FIELDS, "limit": _A_PAGE}
        return self._graph.pages((self._account, "customaudiences"), params)

    def make(self, name: str, description: str, *, valued: bool) -> str:
        """Make an empty audience of people told by the shop; gives its id.

        https://developers.facebook.com/docs/marketing-api/reference/ad-account/customaudiences/
        """
        told = {
            "name": name,
            "description": description,
            "subtype": "CUSTOM",
            "customer_file_source": "USER_PROVIDED_ONLY",
            **({"is_value_based": True} if valued else {}),
        }
        made = self._graph.call("POST", (self._account, "customaudiences"), told).get("id")
        if not isinstance(made, str):
            raise TryLater("Meta made an audience and did not say its id")
        return made

    def add(
        self, audience: str, schema: Sequence[str], rows: Sequence[Sequence[Any]],
        session: Session | None = None,
    ) -> Taken:  # fmt: skip
        """Add people, at most 10,000, each a row of what the schema names.

        https://developers.facebook.com/docs/marketing-api/reference/custom-audience/users/
        """
        self._graph.spare()
        return self._people((audience, "users"), {}, schema, rows, session)

    def remove(
        self, audience: str, schema: Sequence[str], rows: Sequence[Sequence[Any]],
        session: Session | None = None,
    ) -> Taken:  # fmt: skip
        """Remove people, at most 10,000; who is not in is no fault.

        By POST: what is deleted by the method of that name stands in the address, and in logs.
        """
        return self._people((audience, "users"), {"method": "DELETE"}, schema, rows, session)

    def forget(self, schema: Sequence[str], rows: Sequence[Sequence[Any]]) -> Taken:
        """Remove people from every audience of the account, whoever made it.

        https://developers.facebook.com/docs/marketing-api/reference/ad-account/usersofanyaudience/
        """
        path = (self._account, "usersofanyaudience")
        return self._people(path, {"method": "DELETE"}, schema, rows, None)

    def _people(
        self,
        path: Sequence[str],
        method: Mapping[str, str],
        schema: Sequence[str],
        rows: Sequence[Sequence[Any]],
        session: Session | None,
    ) -> Taken:
        params: dict[str, Json] = {
            **method,
            "payload": _write({"schema": schema, "data": rows}).decode(),
        }
        if session is not None:
            told = {
                "session_id": session.id,
                "batch_seq": session.batch,
                "last_batch_flag": session.last,
                "estimated_num_total": session.total,
            }
            params["session"] = _write(told).decode()
        said = self._graph.call("POST", path, params)
        received, invalid = said.get("num_received"), said.get("num_invalid_entries", 0)
        if not isinstance(received, int) or not isinstance(invalid, int):
            raise TryLater("Meta's answer does not say how many people it has")
        return Taken(received=received, invalid=invalid, samples=said.get("invalid_entry_samples"))
