"""The figures that the project promises, each measured against something of the same run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Figure", "Row", "Section", "ratio", "show"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. ``target`` is what was promised in words; ``met`` is ``None`` for a plain fact.

    A ratio within one run has the unit ``x``: what it is a share of stands in its name.
    """

    name: str
    value: float | str
    unit: str = ""
    target: str = ""
    met: bool | None = None


Figure: TypeAlias = Row | tuple[str, float | str, str, bool | None]
"""A `Row`, or its name, value, target and whether that was met."""
Section: TypeAlias = Callable[..., Sequence[Figure]]


def ratio(name: str, part: float, whole: float, *, least: float | None = None) -> Row:
    """A ratio within this run; ``least`` is what it must reach."""
    value = part / whole if whole else 0.0
    return Row(
        name=name,
        value=value,
        unit="x",
        target="" if least is None else f">= {least:g} x",
        met=None if least is None else value >= least,
    )


def show(value: float | str) -> str:
    """A figure as people read it: whole from a hundred on, three digits below."""
    if isinstance(value, str):
        return value
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
