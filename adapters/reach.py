"""Where a line may lead: a name is looked up once, and only an address that was checked is called.

What is configured or told by a platform is a name, and whoever owns the name says where it leads:
to a neighbour behind our own firewall, or to the page where a cloud hands out this machine's keys.
So every address that a name has is judged, and the connection goes to one that passed; a name that
leads elsewhere a moment later is not asked again.
"""

from __future__ import annotations

import socket
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from connector.errors import LaneDown, TryLater


class Reach(Enum):
    """How far a line may go."""

    PUBLIC = "addresses that are public"
    PRIVATE_TOO = "public addresses, and those of a network of one's own"
    THIS_MACHINE = "this very machine"


_Address = IPv4Address | IPv6Address

# https://www.iana.org/assignments/iana-ipv4-special-registry: whatever is not globally reachable.
_SPECIAL = [
    ip_network(each)
    for each in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
    )
]
# https://www.iana.org/assignments/ipv6-address-space: all that is given out is in the first; the
# others are parts of it with another use, of which 2002::/16 hides an IPv4 address.
_GIVEN_OUT = ip_network("2000::/3")
_OTHER_USE = [ip_network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
_OWN = [
    ip_network(each)
    for each in (
        *("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
        *("::1/128", "fc00::/7"),
    )
]
_KEYS_OF_THE_CLOUD = ip_address("fd00:ec2::254")
"""https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html"""


def spelled(host: str) -> _Address | None:
    """The address that a host is, if it is no name."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def is_this_machine(host: str) -> bool:
    """Does a host, as it is written, mean this machine."""
    address = spelled(host)
    if address is None:
        return host == "localhost" or host.endswith(".localhost")
    return _is_loopback(address)


def is_public(address: str) -> bool:
    """Is it an address that everybody reaches: no private, local, shared, reserved or hidden one.

    What cannot be read is none.
    """
    read = spelled(address)
    return read is not None and _is_public(read)


def reach_for(host: str, *, private_network: bool) -> Reach:
    """How far a line to this host goes. One that is written as this machine stays on it."""
    if is_this_machine(host):
        return Reach.THIS_MACHINE
    return Reach.PRIVATE_TOO if private_network else Reach.PUBLIC


def addresses(host: str, port: int, reach: Reach) -> list[str]:
    """Every address of a host, each checked: connect to these, and do not ask for the name again.

    Raises `LaneDown` when one of them may not be called, `OSError` when the host is not known.
    """
    try:
        answer = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise OSError(f"{host!r} is no name that can be looked up") from None
    found = list(dict.fromkeys(str(entry[4][0]) for entry in answer))
    if not found:
        raise TryLater(f"{host} has no address")
    for address in found:
        if not _may_reach(spelled(address), reach):
            raise _refusal(host, address, reach)
    return found


def may_be_tried(host: str, reach: Reach) -> bool:
    """Whether it is a name, which is yet to be looked up, or an address that may be called."""
    address = spelled(host)
    return address is None or _may_reach(address, reach)


def _refusal(host: str, address: str, reach: Reach) -> LaneDown:
    """Why an address is not called, and who mends it."""
    flag = {
        Reach.PUBLIC: "If the shop is meant to be in a network of its own, whoever runs the "
        "connector sets private_network: true for it in connector.yaml; if not, whoever looks "
        "after that name's DNS puts it right.",
        Reach.PRIVATE_TOO: "Not even private_network: true allows addresses that are link-local, "
        "reserved or the cloud's own: whoever looks after that name's DNS puts it right.",
        Reach.THIS_MACHINE: "Whoever runs the connector writes 127.0.0.1 instead.",
    }
    where = f"{host} leads to {address}" if host.strip("[]") != address else address
    return LaneDown(f"{where}, which is not one of {reach.value}", mend=flag[reach])


def _may_reach(address: _Address | None, reach: Reach) -> bool:
    if address is None:
        return False
    match reach:
        case Reach.THIS_MACHINE:
            return _is_loopback(address)
        case Reach.PUBLIC:
            return _is_public(address)
        case Reach.PRIVATE_TOO:
            return _is_public(address) or (
                address != _KEYS_OF_THE_CLOUD and any(address in network for network in _OWN)
            )


def _is_public(address: _Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL)
    return (
        address in _GIVEN_OUT
        and address.scope_id is None
        and not any(address in network for network in _OTHER_USE)
    )


def _is_loopback(address: _Address) -> bool:
    """Not `IPv6Address.is_loopback`: Python 3.13 counts ``::ffff:127.0.0.1`` in, 3.11 does not."""
    return address in ip_network("127.0.0.0/8") or address == ip_address("::1")
