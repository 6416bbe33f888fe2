"""Which Meta ad account is meant, checked before anything is sent there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from adapters.graph import Access
from connector.errors import ConfigurationFault

_AD_ACCOUNT = re.compile("act_[0-9]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How to reach Meta, and the ad account whose audiences are kept."""

    access: Access
    ad_account: str

    @classmethod
    def check(cls, name: str, ad_account: str, access_token: str, base_url: str | None) -> Account:
        """Read the settings of a destination. Raises `ConfigurationFault`, naming no secret."""
        access, told = Access.read(name, access_token, base_url)
        faults = list(told)
        if not _AD_ACCOUNT.fullmatch(ad_account):
            faults.insert(
                0, f"destination {name}: ad_account must be act_ and the digits of the ad account"
            )
        if faults:
            raise ConfigurationFault(faults)
        return cls(access=access, ad_account=ad_account)
