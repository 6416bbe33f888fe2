"""The one door to Meta's Graph API: its official SDK, with what that gets wrong put right.

The SDK (26.0.3) takes an HTML page with status 500 for a success, waits for ever, puts the token
into every address, quotes whole calls in its errors, and can install itself as the handler of all
crashes. So it is given our own line, no token and no global state: what is no answer becomes an
error of ours before the SDK sees it, and the token goes in a header, where no log writes it down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from adapters.meta_catalog.account import VERSION, Account, is_loopback
from adapters.meta_catalog.refusals import Refused, TooLarge, Usage, refusal, safe, usage
from adapters.wire import Answer, Wire
from connector.errors import ConnectorError, TryLater
from connector.model import Json

ALMOST_ALL = 95.0
"""Percent of the allowed calls after which the rest is left to the shopkeeper's other tools."""

_BREATHER = 60.0
_CONNECTIONS = 2
_FIELDS = "id,name,vertical,product_count,feed_count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What Meta said at once of a batch: the ``handle`` under which it is worked on, if any.

    ``refused`` gives what is wrong with an item by its id.
    """

    handle: str | None
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far Meta is with a batch. ``failed``: it gave up, and nobody knows what it did.

    ``invalid`` gives what is wrong with an item by its id, ``unnamed`` counts faults without one.
    """

    finished: bool = False
    failed: bool = False
    invalid: Mapping[str, str] = field(default_factory=dict)
    unnamed: int = 0


class MetaCatalogClient:
    """One catalog. Every method raises `TryLater` or `LaneDown`."""

    def __init__(self, account: Account, seconds: float) -> None:
        self._account = account
        self._line = _Line(account, seconds)
        self._api: Any = None

    @property
    def told_at(self) -> datetime | None:
        """The time by Meta's clock when it last answered, if it said."""
        return self._line.told_at

    def catalog(self) -> Mapping[str, Json]:
        """The catalog itself; `LaneDown` when it does not exist. Raises `Refused`."""
        return self._call("GET", (self._account.catalog_id,), {"fields": _FIELDS})

    def send(self, requests: str) -> Accepted:
        """Send up to 5,000 changes, as the JSON text of a list. Raises `Refused` or `TooLarge`.

        https://developers.facebook.com/docs/marketing-api/reference/product-catalog/items_batch/
        """
        self._spare()
        said = self._call(
            "POST",
            (self._account.catalog_id, "items_batch"),
            {"item_type": "PRODUCT_ITEM", "allow_upsert": True, "requests": requests},
        )
        handles = said.get("handles")
        first = handles[0] if isinstance(handles, list) and handles else None
        return Accepted(
            handle=first if isinstance(first, str) else None,
            refused={
                str(row.get("retailer_id")): safe(errors[0].get("message"))
                for row in _rows(said.get("validation_status"))
                if (errors := _rows(row.get("errors")))
            },
        )

    def progress(self, handle: str) -> Progress:
        """How far a batch is.

        Without ``load_ids_of_invalid_requests`` no id is ever named; faults may be listed under
        ``warnings`` although they are counted as errors.
        https://developers.facebook.com/docs/marketing-api/reference/product-catalog/check_batch_request_status/
        """
        said = self._call(
            "GET",
            (self._account.catalog_id, "check_batch_request_status"),
            {"handle": handle, "load_ids_of_invalid_requests": True},
        )
        row = next((r for r in _rows(said.get("data")) if r.get("handle", handle) == handle), None)
        status = str((row or {}).get("status") or "").lower()
        if row is None or status not in _OVER:
            return Progress()
        counted = row.get("errors_total_count")
        number = counted if isinstance(counted, int) else len(_rows(row.get("errors")))
        named = [*_rows(row.get("errors")), *(_rows(row.get("warnings")) if number else ())]
        invalid = {str(each["id"]): safe(each.get("message")) for each in named if each.get("id")}
        listed = row.get("ids_of_invalid_requests")
        for item_id in listed if isinstance(listed, list) else ():
            invalid.setdefault(str(item_id), "Meta gave no reason")
        return Progress(
            finished=status == "finished",
            failed=status != "finished",
            invalid=invalid if number or listed else {},
            unnamed=number if number and not invalid else 0,
        )

    def _spare(self) -> None:
        """Leave Meta alone for a while when almost all of the allowed calls are used up."""
        used = self._line.usage
        if used.percent >= ALMOST_ALL:
            self._line.usage = Usage()  # the next call shows how it is then
            raise TryLater(
                f"{used.percent:.0f} % of the calls that Meta allows are used up",
                retry_after=used.seconds or _BREATHER,
            )

    def _call(
        self, method: str, path: Sequence[str], params: Mapping[str, Json]
    ) -> Mapping[str, Json]:
        # Not the SDK's own methods for these edges: they copy every item twice on the way.
        if self._api is None:
            self._api = _over_line(self._line, self._account.host)
        try:
            said = self._api.call(method, path, params=dict(params)).json()
        except (ConnectorError, Refused, TooLarge):
            raise
        except Exception as error:  # noqa: BLE001 - the SDK's errors quote the whole call
            raise TryLater(f"Meta's answer made no sense ({type(error).__name__})") from None
        return said if isinstance(said, dict) else {}


_OVER = ("finished", "error", "canceled", "cancelled")


def _over_line(line: _Line, host: str) -> Any:
    """The official SDK, speaking through our own line. Imported late: it takes its time."""
    from facebook_business.api import FacebookAdsApi
    from facebook_business.session import FacebookSession

    session = FacebookSession()
    session.requests = line
    session.GRAPH = host
    return FacebookAdsApi(session, api_version=VERSION)


class _Line:
    """What the SDK takes for a session of `requests`. Keeps what the last answer said of limits."""

    def __init__(self, account: Account, seconds: float) -> None:
        self.usage = Usage()
        self.told_at: datetime | None = None
        self._headers = {"Authorization": f"Bearer {account.token}"}
        self._wire = Wire(
            "Meta",
            connections=_CONNECTIONS,
            seconds=seconds,
            through_proxies=not is_loopback(account.host),
        )

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str],
        **_: Any,
    ) -> Answer:
        form = {"Content-Type": "application/x-www-form-urlencoded"} if data is not None else {}
        answer = self._wire.send(
            method,
            url,
            query=[(name, str(value)) for name, value in (params or {}).items()],
            headers={**headers, **self._headers, **form},
            body=None if data is None else urlencode(data).encode(),
        )
        self.usage = Usage()
        with suppress(ValueError, TypeError):  # what a wrong date says is nothing
            self.told_at = parsedate_to_datetime(answer.headers.get("Date", "")).astimezone(UTC)
        if error := refusal(answer):
            raise error  # which says itself how long to wait
        self.usage = usage(answer.headers)
        return answer


def _rows(value: Json) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
