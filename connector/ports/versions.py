"""Shops whose bodies come in versions of their platform's API."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from connector.model import Delivery


@runtime_checkable
class Versioned(Protocol):
    """A shop that tells in which version a body came, and in which it is read.

    A delivery of another version is understood all the same, flagged with `OTHER_VERSION`.
    """

    @property
    def written_for(self) -> str:
        """The version that its bodies are read as."""
        ...

    def version_of(self, delivery: Delivery) -> str | None:
        """The version in which a body came, if it says so."""
        ...


OTHER_VERSION = "other_api_version"
