"""Every error the connector raises, named by what happens next.

ConnectorError
├── ConfigurationFault      exit 2: settings or mapping; says each fault and where
├── StoreUnavailable        exit 3: the store cannot be used; says why and how to mend it
├── AddressInUse            exit 4: another program listens there
├── TryLater                the other side cannot now: keep the work, come back
└── LaneDown                the other side will not, for everybody: stop, tell a person
"""

from __future__ import annotations

from collections.abc import Sequence


class ConnectorError(Exception):
    """Something a person can act on: what happened, to which thing, and who mends it."""

    exit_code = 1


class ConfigurationFault(ConnectorError):
    """Settings or mapping are at fault. ``faults`` holds one sentence each, none of them secret."""

    exit_code = 2

    def __init__(self, faults: Sequence[str] | str) -> None:
        self.faults = (faults,) if isinstance(faults, str) else tuple(faults)
        super().__init__("\n".join(self.faults))


class StoreUnavailable(ConnectorError):
    """The store cannot be opened, read or written."""

    exit_code = 3


class AddressInUse(ConnectorError):
    """The address to listen on is taken."""

    exit_code = 4


class TryLater(ConnectorError):
    """A platform cannot answer now; nothing is lost. ``retry_after`` is in seconds, if it said."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        self.reason = reason
        self.retry_after = retry_after
        super().__init__(reason)


class LaneDown(ConnectorError):
    """A platform refuses everything (credentials, audience gone): a person has to mend it first."""

    def __init__(self, reason: str, *, mend: str) -> None:
        self.reason = reason
        self.mend = mend
        super().__init__(f"{reason}. {mend}")
