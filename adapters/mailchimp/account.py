"""Which Mailchimp account and audience are meant, checked before anything is sent there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from connector.errors import ConfigurationFault

_KEY = re.compile(r"[0-9a-f]{32}-([a-z]{2,4}[0-9]{1,3})")
_AUDIENCE = re.compile(r"[0-9a-z]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The host to call, the key to show it, and the audience to write to."""

    host: str
    key: str = field(repr=False)
    audience: str

    @classmethod
    def check(cls, name: str, audience: str, api_key: str, base_url: str | None) -> Account:
        """Read the settings of a destination. Raises `ConfigurationFault`, naming no secret.

        The key chooses the host that it is sent to, so nothing but a key may pass.
        """
        faults = []
        key = _KEY.fullmatch(api_key)
        if key is None:
            faults.append(
                f"destination {name}: its Mailchimp API key ({len(api_key)} characters) is not "
                "32 hexadecimal digits, a hyphen and a data centre such as us12. Copy it again "
                "from Mailchimp (Account > Extras > API keys)"
            )
        if not _AUDIENCE.fullmatch(audience):
            faults.append(
                f"destination {name}: its audience is not an audience ID such as a1b2c3d4e5. "
                "Find it in Mailchimp (Audience > Settings > Audience name and defaults)"
            )
        if base_url is not None and not _is_address(base_url):
            faults.append(
                f"destination {name}: base_url must be an https address without user, query or "
                "fragment; plain http is allowed on this machine only (127.0.0.1, ::1, localhost)"
            )
        if key is None or faults:
            raise ConfigurationFault(faults)
        host = base_url or f"https://{key[1]}.api.mailchimp.com"
        return cls(host=host.rstrip("/"), key=api_key, audience=audience)


def is_loopback(address: str) -> bool:
    """Does the address lead to this machine."""
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises for one that is no number
    except ValueError:
        return False
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(address))
    extras = parts.username or parts.password or parts.query or parts.fragment
    return bool(parts.hostname) and secure and not extras
