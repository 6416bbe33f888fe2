"""Certificates made in the test: an authority, and servers that are what they say, or are not.

X.509 in its plainest form (https://www.rfc-editor.org/rfc/rfc5280), signed with ECDSA over P-256
(https://www.rfc-editor.org/rfc/rfc6979 without its nonce), because the standard library makes none.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

# https://www.secg.org/sec2-v2.pdf, secp256r1
_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_Point = tuple[int, int] | None


def _add(one: _Point, other: _Point) -> _Point:
    if one is None or other is None:
        return one or other
    if one[0] == other[0] and (one[1] + other[1]) % _P == 0:
        return None
    if one == other:
        slope = (3 * one[0] * one[0] - 3) * pow(2 * one[1], -1, _P) % _P
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, _P) % _P
    x = (slope * slope - one[0] - other[0]) % _P
    return x, (slope * (one[0] - x) - one[1]) % _P


def _times(number: int) -> tuple[int, int]:
    total: _Point = None
    power: _Point = _G
    while number:
        if number & 1:
            total = _add(total, power)
        power = _add(power, power)
        number >>= 1
    assert total is not None
    return total


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def _sequence(*parts: bytes) -> bytes:
    return _der(0x30, *parts)


def _integer(number: int) -> bytes:
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _bits(content: bytes) -> bytes:
    return _der(0x03, b"\0", content)


def _oid(dotted: str) -> bytes:
    first, second, *others = (int(part) for part in dotted.split("."))
    encoded = bytes([first * 40 + second])
    for number in others:
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.insert(0, number & 0x7F | 0x80)
        encoded += bytes(digits)
    return _der(0x06, encoded)


_P256 = _oid("1.2.840.10045.3.1.7")
_SIGNED_WITH = _sequence(_oid("1.2.840.10045.4.3.2"))  # ecdsa-with-SHA256


def _name(common: str) -> bytes:
    return _sequence(_der(0x31, _sequence(_oid("2.5.4.3"), _der(0x0C, common.encode()))))


def _extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    return _sequence(_oid(oid), *([_der(0x01, b"\xff")] if critical else []), _der(0x04, value))


def _host(host: str) -> bytes:
    try:
        return _der(0x87, ip_address(host).packed)
    except ValueError:
        return _der(0x82, host.encode())


def _moment(moment: datetime) -> bytes:
    return _der(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode())


def _pem(kind: str, content: bytes) -> str:
    lines = "\n".join(textwrap.wrap(base64.b64encode(content).decode(), 64))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A name with its secret number; ``signed_by`` itself unless another vouches for it."""

    name: str
    secret: int

    @classmethod
    def fresh(cls, name: str) -> Pair:
        """A new one."""
        return cls(name=name, secret=secrets.randbelow(_N - 1) + 1)

    @property
    def key(self) -> str:
        """The private key as PEM."""
        return _pem(
            "EC PRIVATE KEY",
            _sequence(_integer(1), _der(0x04, self.secret.to_bytes(32, "big")), _der(0xA0, _P256)),
        )

    def certificate(
        self,
        hosts: list[str],
        *,
        by: Pair | None = None,
        until: datetime | None = None,
        authority: bool = False,
    ) -> str:
        """A certificate as PEM, for these hosts, signed ``by`` another or by itself."""
        issuer = by or self
        end = until or datetime.now(UTC) + timedelta(days=2)
        extensions = [
            _extension("2.5.29.14", _der(0x04, self._fingerprint())),
            _extension("2.5.29.35", _sequence(_der(0x80, issuer._fingerprint()))),
        ]
        if authority:
            yes = _der(0x01, b"\xff")
            extensions.append(_extension("2.5.29.19", _sequence(yes), critical=True))
            extensions.append(_extension("2.5.29.15", _der(0x03, b"\x02\x04"), critical=True))
        else:
            extensions.append(_extension("2.5.29.17", _sequence(*(_host(host) for host in hosts))))
        said = _sequence(
            _der(0xA0, _integer(2)),
            _integer(secrets.randbits(63) + 1),
            _SIGNED_WITH,
            _name(issuer.name),
            _sequence(_moment(end - timedelta(days=30)), _moment(end)),
            _name(self.name),
            self._public(),
            _der(0xA3, _sequence(*extensions)),
        )
        return _pem("CERTIFICATE", _sequence(said, _SIGNED_WITH, _bits(issuer._sign(said))))

    def _point(self) -> bytes:
        x, y = _times(self.secret)
        return b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")

    def _public(self) -> bytes:
        return _sequence(_sequence(_oid("1.2.840.10045.2.1"), _P256), _bits(self._point()))

    def _fingerprint(self) -> bytes:
        return hashlib.sha256(self._point()).digest()[:20]

    def _sign(self, said: bytes) -> bytes:
        digest = int.from_bytes(hashlib.sha256(said).digest(), "big")
        once = secrets.randbelow(_N - 1) + 1
        r = _times(once)[0] % _N
        s = pow(once, -1, _N) * (digest + r * self.secret) % _N
        return _sequence(_integer(r), _integer(s))
