"""The real ``connector backfill``, in a process of its own, looked at until it is through."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import Row
from benchmarks.stage import cpu_seconds, family, largest_resident

_GLANCE = 0.02


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of the command from outside."""

    seconds: float
    """From the first request to all evaluated, and the end of the command."""
    started: float
    """Before that: two interpreters, the configuration, the store."""
    memory: dict[str, float]
    """MiB that each process held at most."""
    cpu: float
    told: dict[str, Any]


def backfill(
    folder: Path,
    shop: int,
    *,
    name: str = "wool",
    kinds: str | None = "order",
    around: Mapping[str, str] | None = None,
) -> Seen:
    """Run the command in a folder; ``around`` is added to its environment.

    ``shop`` is the number of the shop's process. The first request is when the shop, which does
    nothing of itself, begins to work. Ends the program where the command did not go well.
    """
    program = [sys.executable, "-m", "connector", "backfill", name, "--json"]
    program += ["--kinds", kinds] if kinds else []
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("CONNECTOR_")}
    quiet |= around or {}
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        idle = cpu_seconds(shop)
        before = began = time.monotonic()
        process = subprocess.Popen(program, cwd=folder, stdout=out, stderr=err, env=quiet)
        memory: dict[int, float] = {}
        cpu: dict[int, float] = {}
        while process.poll() is None:
            if cpu_seconds(shop) == idle:
                began = time.monotonic()
            for pid in _alive(process.pid):
                memory[pid] = max(memory.get(pid, 0.0), largest_resident(pid))
                cpu[pid] = cpu_seconds(pid)
            time.sleep(_GLANCE)
        ended = time.monotonic()
    if process.returncode:
        raise SystemExit((folder / "err").read_text("utf-8")[-2000:])
    told = json.loads((folder / "out").read_text("utf-8"))
    names = {process.pid: "settles"}
    held: dict[str, float] = {}
    for pid, most in memory.items():
        name = names.get(pid, "reads")
        held[name] = held.get(name, 0.0) + most
    return Seen(
        seconds=ended - began, started=began - before, memory=held, cpu=sum(cpu.values()), told=told
    )


def _alive(pid: int) -> Sequence[int]:
    try:
        return [each for each in family(pid) if largest_resident(each)]
    except (FileNotFoundError, ProcessLookupError):
        return ()


def memory_rows(seen: Seen, shown: str, *, most: int | None = None) -> list[Row]:
    """What all processes held at most; ``most`` is what they may, in MiB."""
    whole = sum(seen.memory.values())
    return [
        Row(
            name=f"resident at most with {shown}, all processes of ours together",
            value=whole,
            unit="MiB",
            target="" if most is None else f"<= {most} MiB",
            met=None if most is None else whole <= most,
        ),
        *(
            Row(name=f"of that the process that {name}", value=held, unit="MiB")
            for name, held in seen.memory.items()
        ),
    ]
