"""The one door to Meta's Graph API: its official SDK, with what that gets wrong put right.

The SDK (26.0.3) takes an HTML page with status 500 for a success, waits for ever, puts the token
into every address, quotes whole calls in its errors, and can install itself as the handler of all
crashes. So it is given our own line, no token and no global state: what is no answer becomes an
error of ours before the SDK sees it, and the token goes in a header, where no log writes it down.
Its methods for single edges are not used: they copy every row twice, put what is to be removed
from an audience into the address, and hash a missing name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode, urlsplit

from adapters.graph_refusals import Busy, Mends, Refused, TooLarge, Usage, refusal, usage
from adapters.wire import Answer, Wire
from connector.errors import ConnectorError, TryLater
from connector.model import Json

GRAPH = "https://graph.facebook.com"
VERSION = "v26.0"
"""https://developers.facebook.com/docs/graph-api/changelog/versions/"""
ALMOST_ALL = 95.0
"""Percent of the allowed calls after which the rest is left to the shopkeeper's other tools."""

_BREATHER = 60.0
_CONNECTIONS = 2
_MOST_PAGES = 100
_TOKEN = re.compile("[!-~]{1,1000}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The host to call, and the token to show it."""

    host: str
    token: str = field(repr=False)

    @classmethod
    def read(
        cls, name: str, access_token: str, base_url: str | None
    ) -> tuple[Access, Sequence[str]]:
        """Read the settings of a destination; and what is wrong with them, naming no secret."""
        faults = []
        if not _TOKEN.fullmatch(access_token):
            faults.append(
                f"destination {name}: its access token ({len(access_token)} characters) is not "
                "one: copy it again, without quotes or blanks"
            )
        host = (base_url or GRAPH).rstrip("/")
        address = urlsplit(host)
        if address.scheme != "https" and not (address.scheme == "http" and is_loopback(host)):
            faults.append(f"destination {name}: base_url must begin with https://")
        return cls(host=host, token=access_token), faults


def is_loopback(address: str) -> bool:
    """Does an address lead to this very machine."""
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


class Graph:
    """The Graph API as one destination may use it. ``seconds`` are for a whole answer."""

    def __init__(self, access: Access, seconds: float, mends: Mends) -> None:
        self._line = _Line(access, seconds, mends)
        self._host = access.host
        self._api: Any = None

    @property
    def told_at(self) -> datetime | None:
        """The time by Meta's clock when it last answered, if it said."""
        return self._line.told_at

    def spare(self) -> None:
        """Leave Meta alone for a while when almost all of the allowed calls are used up.

        Raises `Busy`.
        """
        used = self._line.usage
        if used.percent >= ALMOST_ALL:
            self._line.usage = Usage()  # the next call shows how it is then
            raise Busy(
                f"{used.percent:.0f} % of the calls that Meta allows are used up",
                retry_after=used.seconds or _BREATHER,
            )

    def call(
        self, method: str, path: Sequence[str], params: Mapping[str, Json]
    ) -> Mapping[str, Json]:
        """Make one call; what goes by POST is in the body. Gives the object that Meta answered.

        Raises `Refused`, `TooLarge`, `TryLater` or `LaneDown`.
        """
        if self._api is None:
            self._api = _over_line(self._line, self._host)
        try:
            said = self._api.call(method, path, params=dict(params)).json()
        except (ConnectorError, Refused, TooLarge):
            raise
        except Exception as error:  # noqa: BLE001 - the SDK's errors quote the whole call
            raise TryLater(f"Meta's answer made no sense ({type(error).__name__})") from None
        return said if isinstance(said, dict) else {}

    def pages(
        self, path: Sequence[str], params: Mapping[str, Json]
    ) -> Iterator[Mapping[str, Json]]:
        """The rows of a list, page after page, by the cursors that Meta gives. Raises as `call`."""
        after: Mapping[str, Json] = {}
        for _ in range(_MOST_PAGES):
            said = self.call("GET", path, {**params, **after})
            yield from rows(said.get("data"))
            paging = said.get("paging")
            told = paging if isinstance(paging, dict) else {}
            cursors = told.get("cursors")
            last = cursors.get("after") if isinstance(cursors, dict) else None
            if not last or not told.get("next"):
                return
            after = {"after": last}
        raise TryLater(f"Meta's list has more than {_MOST_PAGES} pages")


def rows(value: Json) -> list[Mapping[str, Any]]:
    """The objects of a list; what is none is left out."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


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

    def __init__(self, access: Access, seconds: float, mends: Mends) -> None:
        self.usage = Usage()
        self.told_at: datetime | None = None
        self._mends = mends
        self._headers = {"Authorization": f"Bearer {access.token}"}
        self._wire = Wire(
            "Meta",
            connections=_CONNECTIONS,
            seconds=seconds,
            through_proxies=not is_loopback(access.host),
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
        if error := refusal(answer, self._mends):
            raise error  # which says itself how long to wait
        self.usage = usage(answer.headers)
        return answer
