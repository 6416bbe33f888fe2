"""Writes a withdrawal into the shop's own field of an account, where the mapping names one.

WooCommerce keeps no permissions: plug-ins keep them in ``meta_data`` of the customer.
https://woocommerce.github.io/woocommerce-rest-api-docs/#update-a-customer
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.woocommerce.client import WooCommerceClient
from adapters.woocommerce.verdicts import Found
from connector.errors import TryLater
from connector.identity import normal_email
from connector.model import Claim, Evidence, Kind
from connector.strict_json import Sound, examine


def take_back(
    client: WooCommerceClient,
    withdrawn: Evidence,
    customer_ids: Sequence[str],
    mark: Mapping[str, str],
) -> bool:
    """See `connector.ports.TakingBack.take_back`.

    An account that goes by another address by now is left alone; one that says so already too.
    Raises `ValueError` for a statement that is no withdrawal.
    """
    if withdrawn.claim is not Claim.WITHDRAW:
        raise ValueError(f"{withdrawn.claim} takes nothing back")
    told = [_tell(client, withdrawn.contact, number, mark) for number in customer_ids]
    return any(told)


def _tell(client: WooCommerceClient, contact: str, number: str, mark: Mapping[str, str]) -> bool:
    answer = client.thing(Kind.CUSTOMER, number)
    if not isinstance(answer, Found):
        return False
    examined = examine(answer.body)
    if not isinstance(examined, Sound) or not isinstance(examined.value, dict):
        raise TryLater(f"GET customer {number}: the answer is no JSON object")
    account = examined.value
    if normal_email(account.get("email")) != contact:
        return False
    if _marks(account.get("meta_data")).items() >= mark.items():
        return True
    client.mark_customer(number, mark)
    return True


def _marks(meta: Any) -> dict[str, object]:
    rows = meta if isinstance(meta, list) else []
    return {str(row.get("key")): row.get("value") for row in rows if isinstance(row, dict)}
