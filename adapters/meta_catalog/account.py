"""Which Meta catalog is meant, checked before anything is sent there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from connector.errors import ConfigurationFault

GRAPH = "https://graph.facebook.com"
VERSION = "v26.0"
"""https://developers.facebook.com/docs/graph-api/changelog/versions/"""

_CATALOG = re.compile("[0-9]{1,20}", re.ASCII)
_TOKEN = re.compile("[!-~]{1,1000}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The host to call, the token to show it, and the catalog to write to."""

    host: str
    token: str = field(repr=False)
    catalog_id: str

    @classmethod
    def check(cls, name: str, catalog_id: str, access_token: str, base_url: str | None) -> Account:
        """Read the settings of a destination. Raises `ConfigurationFault`, naming no secret."""
        faults = []
        if not _CATALOG.fullmatch(catalog_id):
            faults.append(
                f"destination {name}: catalog_id must be the digits that Commerce Manager shows "
                "under Settings > Business assets"
            )
        if not _TOKEN.fullmatch(access_token):
            faults.append(
                f"destination {name}: its access token ({len(access_token)} characters) is not "
                "one: copy it again, without quotes or blanks"
            )
        host = (base_url or GRAPH).rstrip("/")
        address = urlsplit(host)
        if address.scheme != "https" and not (address.scheme == "http" and is_loopback(host)):
            faults.append(f"destination {name}: base_url must begin with https://")
        if faults:
            raise ConfigurationFault(faults)
        return cls(host=host, token=access_token, catalog_id=catalog_id)


def is_loopback(address: str) -> bool:
    """Does an address lead to this very machine."""
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
