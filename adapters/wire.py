"""The line to a platform: no answer may take too long, be too big, or send us somewhere else.

For guests whose official client speaks through `requests`. Their hosts are fixed, and public; one
that is written as this machine is a stand-in, and stays on it.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeAlias

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from adapters import reach, trust
from connector.errors import TryLater
from connector.model import Json

Query: TypeAlias = Sequence[tuple[str, str]]

LARGEST_ANSWER = 8 * 1024 * 1024
_CONNECT_SECONDS = 5.0
_PIECE = 65_536


class AnswerTooLarge(TryLater):
    """The answer has more bytes than are read: asked for less, it may fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer, in the shape that the official client reads."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def ok(self) -> bool:
        """Was it a 2xx."""
        return 200 <= self.status_code < 300  # noqa: PLR2004 - the numbers of HTTP are its names

    @property
    def text(self) -> str:
        """The body as text, whatever its bytes."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Json:
        """The body as JSON. Raises `ValueError` when it is none."""
        return msgspec.json.decode(self.content)


class Wire:
    """At most so many ``connections``, each answer whole in ``seconds`` and ``largest`` bytes.

    ``platform`` is what it is called in errors, which quote nothing else.
    """

    def __init__(
        self,
        platform: str,
        *,
        connections: int,
        seconds: float,
        largest: int = LARGEST_ANSWER,
        through_proxies: bool = True,
    ) -> None:
        self._platform = platform
        self._timeout = (min(_CONNECT_SECONDS, seconds), seconds)
        self._largest = largest
        self._session = requests.Session()
        self._session.trust_env = through_proxies
        # Not compressed: a small answer that unpacks to gigabytes cannot be sent to us.
        self._session.headers["Accept-Encoding"] = "identity"
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("https://", "http://"):
            self._session.mount(
                scheme, _Hurried(pool_connections=1, pool_maxsize=connections, pool_block=True)
            )

    def send(
        self,
        method: str,
        url: str,
        *,
        query: Query = (),
        headers: Mapping[str, str],
        basic: tuple[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Make one call. Raises `TryLater` when no whole answer comes back.

        ``basic`` is a user with a key; without, the headers go as they are.
        """
        try:
            with self._session.request(
                method,
                url,
                params=list(query),
                headers=dict(headers),
                data=body,
                auth=basic or _as_it_is,  # else a .netrc would be asked
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
                verify=trust.named_authorities() or True,
            ) as response:
                return Answer(
                    status_code=response.status_code,
                    headers=response.headers,
                    content=self._read(response),
                )
        except (requests.RequestException, OSError) as error:
            raise TryLater(
                f"{self._platform} did not answer in full ({trust.silence(error)})"
            ) from None

    def _read(self, response: requests.Response) -> bytes:
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise TryLater(f"{self._platform}'s answer came compressed, which was not asked for")
        content = bytearray()
        for piece in response.iter_content(_PIECE):
            content += piece
            if len(content) > self._largest:
                raise AnswerTooLarge(
                    f"{self._platform}'s answer is larger than {self._largest} bytes"
                )
        return bytes(content)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class _Timed(io.RawIOBase):
    """A socket's bytes until a moment. A plain timeout would begin anew with every byte."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, seconds: float) -> None:
        self._raw = raw
        self._sock = sock
        self._until = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedAnswer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        seconds = sock.gettimeout()
        if seconds is not None:
            self.fp = io.BufferedReader(_Timed(self.fp.detach(), sock, seconds))


def _checked(connect: Callable[[], socket.socket], connection: HTTPConnection) -> socket.socket:
    """Connect to an address of the host that was checked. A proxy looks names up by itself."""
    if connection.proxy is not None:
        return connect()
    host, port = connection.host, connection.port
    far = reach.reach_for(host, private_network=False)
    try:
        *others, last = reach.addresses(host, port, far)
        for address in others:
            try:
                return _at(address, connect, connection)
            except (NewConnectionError, ConnectTimeoutError):
                continue
        return _at(last, connect, connection)
    except OSError as unknown:
        raise NewConnectionError(connection, str(unknown)) from unknown


def _at(
    address: str, connect: Callable[[], socket.socket], connection: HTTPConnection
) -> socket.socket:
    """Connect there; name and certificate stay those of the host."""
    host = connection.host
    connection.host = address
    try:
        return connect()
    finally:
        connection.host = host


class _Connection(HTTPConnection):
    response_class = _TimedAnswer

    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn, self)


class _SecureConnection(HTTPSConnection):
    response_class = _TimedAnswer

    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn, self)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS: dict[str, Any] = {"http": _Pool, "https": _SecurePool}


class _Hurried(HTTPAdapter):
    """The transport of `requests` over connections whose answers have a last moment."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager
