"""Starting the receiver and the worker, and stopping them in good order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import structlog

from connector import log_lines
from connector.engine import Engine
from connector.errors import ConnectorError
from connector.garbage import collecting_seldom
from connector.orphans import end_with_parent
from connector.reception import CONFIG, MAPPING
from connector.store.sole import StoreTaken
from connector.wiring import Configured, build_house, open_store
from webhooks.serve import serve

log = structlog.get_logger()

_IN_TURN = 0.5  # seconds between looks whether a command is done with the store
_PATIENCE = 20  # seconds a process may take to finish what it has in hand


def receive(
    configured: Configured, config: Path, mapping: str | None, *, threads: int | None = None
) -> None:
    """Receive webhooks until told to stop. Raises `AddressInUse`."""
    open_store(configured.settings).close()  # migrated, or refused, before the door opens
    os.environ[CONFIG] = str(config.resolve())
    if mapping is not None:
        os.environ[MAPPING] = mapping
    listen = configured.settings.listen
    serve(
        "connector.reception:receiver_app",
        listen.host,
        listen.port,
        threads=threads or configured.settings.threads,
    )


def work(configured: Configured) -> None:
    """Work until told to stop."""
    log_lines.speak_in_lines()
    store = open_store(configured.settings)
    stop = threading.Event()
    _on_signal(stop.set)
    house = build_house(configured, store)
    log.info("working", mode=configured.settings.mode, store=store.dialect)
    with store.appointed(), collecting_seldom():
        work_in_turn(Engine(house), stop)
    store.close()


def work_in_turn(engine: Engine, stop: threading.Event) -> None:
    """Work until ``stop`` is set; as long as a command works on the store, wait for it.

    A receiver runs beside this and ends when this ends: no webhook may be lost because somebody
    reads a shop's past just now.
    """
    is_told = False
    while not stop.is_set():
        try:
            engine.run(stop)
        except StoreTaken:
            if not is_told:
                log.info("waiting", until="the command that works on the store is done")
                is_told = True
            stop.wait(_IN_TURN)


def run_both(configured: Configured, config: Path, mapping: str | None) -> None:
    """Receiver and worker side by side; when one ends, so does the other, with its exit code."""
    open_store(configured.settings).close()
    listen = configured.settings.listen
    common = ["--config", str(config), *(["--mapping", mapping] if mapping else [])]
    commands = {
        "work": ["work", *common],
        "serve": ["serve", *common, "--listen", f"{listen.host}:{listen.port}"],
    }
    children = {
        name: subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "connector", *arguments],
            preexec_fn=end_with_parent,  # noqa: PLW1509 - no thread was started yet
        )
        for name, arguments in commands.items()
    }
    ended = threading.Event()
    stopping = threading.Event()
    _on_signal(stopping.set, ended.set)
    for child in children.values():
        threading.Thread(target=_tell_end, args=(child, ended), daemon=True).start()
    ended.wait()
    for child in children.values():
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
    for name, child in children.items():
        try:
            child.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            log.warning("killed", process=name)
            child.kill()
            child.wait()
    if not stopping.is_set():
        codes = [code for child in children.values() if (code := child.returncode) > 0]
        error = ConnectorError("The receiver or the worker ended: see its last line above.")
        error.exit_code = codes[0] if codes else 1
        raise error


def _tell_end(child: subprocess.Popen[bytes], ended: threading.Event) -> None:
    child.wait()
    ended.set()


def _on_signal(*acts: Callable[[], None]) -> None:
    def handle(_number: int, _frame: FrameType | None) -> None:
        for act in acts:
            act()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
