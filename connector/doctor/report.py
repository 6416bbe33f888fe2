"""A doctor's report as a person reads it, and as a program does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connector import screen
from connector.doctor import Report
from connector.ports import Finding, Grade

_MARKS = {Grade.FINE: "ok", Grade.NOTE: "note", Grade.WARNING: "WARNING", Grade.ALARM: "ALARM"}


def as_json(report: Report) -> dict[str, Any]:
    """``fine`` and every finding, with all its parts."""
    return {
        "fine": not report.needing,
        "findings": [
            {
                "where": each.where,
                "grade": each.grade.value,
                "what": each.what,
                "cause": each.cause,
                "mend": each.mend,
                "who": each.who,
            }
            for each in report.findings
        ],
    }


def as_text(report: Report) -> str:
    """A line for each finding, and below it why, and who mends it how."""
    lines = [line for each in report.findings for line in _lines(each)]
    needing = report.needing
    verdict = {0: "Everything is fine.", 1: "1 thing needs a person."}.get(
        needing, f"{needing} things need a person."
    )
    return screen.safe("\n".join([*lines, "", verdict]))


def _lines(finding: Finding) -> Iterator[str]:
    yield f"{_MARKS[finding.grade]:<8} {finding.where}: {finding.what}"
    if finding.cause:
        yield f"           why: {finding.cause}"
    if finding.mend:
        yield f"           {finding.who or 'mend'}: {finding.mend}"
