"""Whether work can be done, as the receiver answers those who ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether work can be done: the store can be written and a worker is alive.

    ``store``, ``worker`` and each value of ``detail`` are words for people, without personal data.
    """

    ok: bool
    store: str
    worker: str
    detail: Mapping[str, str] = field(default_factory=dict)
