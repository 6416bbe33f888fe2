"""What any answer of the REST API may be instead of a thing: a list of things, or an error.

https://woocommerce.github.io/woocommerce-rest-api-docs/#errors
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connector.strict_json import Sound, Unsound, examine

_CODE = re.compile(r"[a-z0-9_.-]{1,80}")


def items_in(body: bytes) -> list[Mapping[str, Any]] | None:
    """The objects of a REST answer that is a list; ``None`` when it is none."""
    examined = examine(b'{"items":' + body.removeprefix(b"\xef\xbb\xbf") + b"}")
    items = examined.value.get("items") if isinstance(examined, Sound) else None
    good = isinstance(items, list) and all(isinstance(item, dict) for item in items)
    return items if good else None


def error_in(body: bytes) -> tuple[str | None, object]:
    """The code and status of a REST error, or ``(None, None)`` for any other body."""
    examined = examine(body)
    if isinstance(examined, Unsound):
        return None, None
    code, told = examined.value.get("code"), examined.value.get("data")
    if not isinstance(code, str) or not isinstance(told, dict):
        return None, None
    return shown_code(code), told.get("status")


def is_missing(code: object, status: object) -> bool:
    """Whether a REST error says that a thing does not exist (``wc_user_invalid_id`` and others)."""
    return (
        status == 404  # noqa: PLR2004 - the HTTP status, repeated in the body
        and isinstance(code, str)
        and code.startswith(("woocommerce_rest_", "wc_"))
        and code.endswith("invalid_id")
    )


def shown_code(code: str) -> str:
    """An error's code as it may be shown: nothing a code does not have."""
    return code if _CODE.fullmatch(code) else "unreadable"
