"""Posts prepared requests over keep-alive connections, as fast as they are answered with 200.

A process of its own, so that the client's work is not the connector's. Reads requests, each with
its length before it, from a file; waits for a line on standard input; prints what it saw as JSON.
"""

from __future__ import annotations

import json
import select
import struct
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.line import Line

_FRAME = struct.Struct(">I")


def pack(wares: Sequence[bytes], path: Path) -> None:
    """Write requests down for another process."""
    with path.open("wb") as file:
        for ware in wares:
            file.write(_FRAME.pack(len(ware)) + ware)


def _unpack(path: Path) -> list[bytes]:
    whole, wares, at = path.read_bytes(), [], 0
    while at < len(whole):
        (size,) = _FRAME.unpack_from(whole, at)
        at += _FRAME.size + size
        wares.append(whole[at - size : at])
    return wares


def pour(port: int, wares: Sequence[bytes], connections: int) -> dict[str, float]:
    """Post every request. Moments are of the monotonic clock, which all processes share."""
    lines = {line.socket.fileno(): line for line in (Line(port) for _ in range(connections))}
    poll = select.epoll()
    queue = iter(wares)
    taken: list[float] = []
    began = time.monotonic()
    for number, line in lines.items():
        poll.register(number, select.EPOLLIN)
        if ware := next(queue, None):
            line.send(ware, since=time.monotonic())
    while len(taken) < len(wares):
        for number, _ in poll.poll():
            line = lines[number]
            if line.is_answered():
                taken.append(time.monotonic() - line.since)
                if ware := next(queue, None):
                    line.send(ware, since=time.monotonic())
    ended = time.monotonic()
    taken.sort()
    return {
        "began": began,
        "ended": ended,
        "p50": taken[len(taken) // 2],
        "p99": taken[int(len(taken) * 0.99)],
        "rate": len(taken) / (ended - began),
    }


def main() -> None:
    """Run as a process."""
    port, connections, path = sys.argv[1:]
    wares = _unpack(Path(path))
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(pour(int(port), wares, int(connections))), flush=True)


if __name__ == "__main__":
    main()
