"""What an examination finds: how a thing is, why, and who mends it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connector.errors import ConnectorError, LaneDown

OWNER = "the shop's owner"
OPERATOR = "whoever runs the connector"


def addressed(mend: str) -> tuple[str, str]:
    """Who mends it, and how: a `LaneDown` says both in one text, with a colon between."""
    who, colon, how = mend.partition(": ")
    known = colon and who.casefold() in (OWNER, OPERATOR)
    return (who.casefold(), how) if known else (OPERATOR, mend)


class Grade(StrEnum):
    """How grave a finding is."""

    FINE = "fine"  # looked at, and right
    NOTE = "note"  # worth knowing; nobody has to act
    WARNING = "warning"  # it works, and a person should look
    ALARM = "alarm"  # it does not work until a person mends it


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at: how it is, why, and who mends it how. No person, no secret.

    ``where`` is filled in by who asked: ``shops.wool``, ``destinations.newsletter``, ``store``.
    """

    what: str
    mend: str = ""
    cause: str = ""
    who: str = ""
    where: str = ""
    grade: Grade = Grade.WARNING

    @classmethod
    def of(cls, what: str, problem: ConnectorError) -> Finding:
        """A finding from what was raised; `LaneDown` says who mends it, before a colon."""
        if isinstance(problem, LaneDown):
            who, mend = addressed(problem.mend)
            return cls(what=what, cause=problem.reason, mend=mend, who=who, grade=Grade.ALARM)
        return cls(
            what=what,
            cause=str(problem),
            mend="Try again in a few minutes. If it stays so, see whether the other side is up.",
            who=OPERATOR,
        )
