"""What can be wrong with a query, said with the place where it is wrong."""

from __future__ import annotations

from mappings.segments.values import Place

NOT_AVAILABLE = "is part of the language, but not available in this version"
"""What is said, behind its name, of a word that this version cannot answer."""


class QueryFault(ValueError):
    """A query cannot be used. ``line`` counts from 1 and ``column`` from 0, as Shopify counts.

    ``message`` is one sentence about the fault alone, ``suggestion`` the nearest right word (or
    spelling) when there is one, ``others`` further faults of the same query.
    """

    def __init__(
        self,
        message: str,
        place: Place,
        *,
        suggestion: str | None = None,
        others: tuple[QueryFault, ...] = (),
    ) -> None:
        self.message = message
        self.line = place.line
        self.column = place.column
        self.suggestion = suggestion
        self.others = others
        end = "" if message.endswith((".", "?")) else "."
        hint = f" Did you mean {suggestion}?" if suggestion else ""
        super().__init__(f"Line {self.line} Column {self.column}: {message}{end}{hint}")


class NotYetAvailable(QueryFault):
    """The query is right, but this version of the connector cannot answer it."""
