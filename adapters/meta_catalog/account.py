"""Which Meta catalog is meant, checked before anything is sent there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from adapters.graph import Access
from connector.errors import ConfigurationFault

_CATALOG = re.compile("[0-9]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How to reach Meta, and the catalog to write to."""

    access: Access
    catalog_id: str

    @classmethod
    def check(cls, name: str, catalog_id: str, access_token: str, base_url: str | None) -> Account:
        """Read the settings of a destination. Raises `ConfigurationFault`, naming no secret."""
        access, told = Access.read(name, access_token, base_url)
        faults = list(told)
        if not _CATALOG.fullmatch(catalog_id):
            faults.insert(
                0,
                f"destination {name}: catalog_id must be the digits that Commerce Manager shows "
                "under Settings > Business assets",
            )
        if faults:
            raise ConfigurationFault(faults)
        return cls(access=access, catalog_id=catalog_id)
