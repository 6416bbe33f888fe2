"""Which Meta pixel is meant, checked before anything is sent there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from adapters.graph import Access
from connector.errors import ConfigurationFault

_PIXEL = re.compile("[0-9]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How to reach Meta, and the pixel (Meta also says dataset) that is told of purchases."""

    access: Access
    pixel_id: str

    @classmethod
    def check(cls, name: str, pixel_id: str, access_token: str, base_url: str | None) -> Account:
        """Read the settings of a destination. Raises `ConfigurationFault`, naming no secret."""
        access, told = Access.read(name, access_token, base_url)
        faults = list(told)
        if not _PIXEL.fullmatch(pixel_id):
            faults.insert(
                0,
                f"destination {name}: pixel_id must be the digits that Events Manager shows as the "
                "dataset's id",
            )
        if faults:
            raise ConfigurationFault(faults)
        return cls(access=access, pixel_id=pixel_id)
