"""Which audiences of an ad account are ours: found by a mark, made where one is missing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.graph_refusals import Refused, TooLarge
from adapters.meta_audiences.client import MetaAudiencesClient
from connector.errors import LaneDown, TryLater
from connector.ports import OWNER, Finding, Grade

FLAGGED = 471
"""https://developers.facebook.com/docs/marketing-api/reference/custom-audience/users/"""

_MARK = re.compile(r"shop-connector/([0-9a-f]{12})(?: .*)?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """One audience of ours as Meta has it. ``flagged``: it takes no change until that is mended."""

    id: str
    name: str
    valued: bool
    flagged: bool


def description_of(name: str) -> str:
    """What marks an audience as ours, whatever a person calls it later."""
    return f"shop-connector/{mark_of(name)} kept in step with the shop"


def mark_of(name: str) -> str:
    """The mark of the audience with this name in the mapping."""
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def find(client: MetaAudiencesClient) -> dict[str, Audience]:
    """Our audiences by their marks; of two with one mark, as a copy has it, the older.

    Raises `TryLater` or `LaneDown`.
    """
    found: dict[str, Audience] = {}
    try:
        rows = sorted(client.audiences(), key=lambda row: _number(row.get("id")))
    except (Refused, TooLarge) as refused:
        raise TryLater(f"Meta would not show the audiences ({refused})") from None
    for row in rows:
        mark = _MARK.fullmatch(str(row.get("description") or ""))
        if mark and row.get("subtype", "CUSTOM") == "CUSTOM" and isinstance(row.get("id"), str):
            found.setdefault(mark[1], _audience(row))
    return found


def make_missing(
    client: MetaAudiencesClient,
    there: dict[str, Audience],
    wanted: Collection[str],
    valued: Collection[str],
) -> None:
    """Make the audiences that are wanted and not there. Raises `TryLater` or `LaneDown`."""
    for name in sorted(wanted):
        mark = mark_of(name)
        if mark not in there:
            there[mark] = _make(client, name, valued=name in valued)
        elif there[mark].valued != (name in valued):
            raise LaneDown(
                f"the audience {name} was made {_kind(there[mark].valued)}, and cannot become one "
                f"{_kind(name in valued)}",
                mend="Give it another name in the mapping's audiences: a new one is made. The old "
                "one can be deleted in Ads Manager > Audiences.",
            )


def findings(there: Mapping[str, Audience], wanted: Collection[str]) -> Iterator[Finding]:
    """What a person must know of our audiences."""
    marks = {mark_of(name) for name in wanted}
    for mark, audience in sorted(there.items(), key=lambda each: each[1].name):
        if audience.flagged:
            yield Finding(
                what=f"Meta has flagged the audience {audience.name}: nobody can be added to it, "
                "and nobody taken out, also not who withdrew",
                cause="Meta finds that its name or content speaks of health or financial status",
                mend=DELETE_IT,
                who=OWNER,
                grade=Grade.ALARM,
            )
        elif mark not in marks:
            yield Finding(
                what=f"the audience {audience.name} is not in the mapping any more: who was in it "
                "is taken out, and it stays, empty",
                mend="Delete it in Ads Manager > Audiences, if no advertisement uses it.",
                who=OWNER,
                grade=Grade.NOTE,
            )


DELETE_IT = (
    "In Ads Manager > Audiences delete the whole audience: only that takes everybody out of it. "
    "Then give it another name in the mapping, or appeal there."
)
"""What to do about a flagged audience."""


def _make(client: MetaAudiencesClient, name: str, *, valued: bool) -> Audience:
    try:
        made = client.make(name, description_of(name), valued=valued)
    except (Refused, TooLarge) as refused:
        words = refused.words if isinstance(refused, Refused) else ""
        raise LaneDown(
            f"Meta will not make the audience {name} ({words or refused})",
            mend="Look at its name in the mapping's audiences, and at Ads Manager > Audiences.",
        ) from None
    return Audience(id=made, name=name, valued=valued, flagged=False)


def _audience(row: Mapping[str, Any]) -> Audience:
    status = row.get("operation_status")
    code = status.get("code", status.get("status")) if isinstance(status, dict) else status
    return Audience(
        id=str(row["id"]),
        name=str(row.get("name") or row["id"]),
        valued=row.get("is_value_based") is True,
        flagged=str(code) == str(FLAGGED),
    )


def _kind(valued: bool) -> str:  # noqa: FBT001 - the word for it
    return "with values" if valued else "without values"


def _number(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isdecimal() else 0
