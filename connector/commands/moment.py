"""A moment as it is typed: a day, or a day with its time and zone."""

from __future__ import annotations

from datetime import datetime

import click

from connector import setting_values
from connector.moments import parse_utc


class Moment(click.ParamType[datetime]):
    """``2026-11-23`` is its first moment in UTC; with a time of day the zone is needed."""

    name = "moment"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The moment in UTC."""
        text = str(value)
        if len(text) == len("2026-01-31") and (day := parse_utc(text)) is not None:
            return day
        try:
            return setting_values.moment(text)
        except ValueError as problem:
            self.fail(f"{text!r} {problem}, or a day such as 2026-11-23", param, ctx)
