"""What is told on a screen and in a log: no name in it can command a terminal or forge a line."""

from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from connector import log_lines, screen, wiring
from connector.engine import Engine
from connector.flow.rules import Target
from connector.loops import Loop
from connector.model import Claim
from connector.store.connect import Store
from tests.erasure.place import MARK, Place, order, said

NASTY = [
    "\x1b]0;owned\x07",
    "\x1b[2J\x1b[1;1H",
    "a\rb",
    "\x9b31m",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "\x00",
    "\ue000",
]


@pytest.mark.parametrize("name", NASTY)
def test_threat_c8_a_terminal_is_shown_codes(name: str) -> None:
    """Threat C8: what a terminal would obey is written out as its number, in every table."""
    shown = [
        screen.safe(name),
        "\n".join(screen.table(["shop"], [[name]])),
        screen.parked(
            {
                "deliveries": [
                    {"id": 1, "topic": name, "shop": name, "reason": name, "detail": name,
                     "mend": name}
                ],
                "records": [{"destination": name, "key": name, "reason": name, "mend": name}],
            }
        ),
        screen.why(
            {
                "person": name,
                "segments": {
                    name: {"member": True, "since": name, "when": name, "because": [name],
                           "decided_by": name, "moves": []}
                },
                "destinations": {
                    name: {"status": name, "reason": name, "mend": name, "holds":
                           {"permission": name, "fields": {name: name}, "tags": [name]},
                           "acknowledged_at": name}
                },
            }
        ),
    ]  # fmt: skip
    for text in shown:
        assert "\\u" in text
        assert not [each for each in text if each != "\n" and not each.isprintable()]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the programs write on standard error."""
    kept = structlog.get_config()
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    log_lines.speak_in_lines()
    yield stream
    structlog.configure(**kept)


def test_threat_e3_a_log_line_stays_one_line(written: io.StringIO) -> None:
    """Threat E3: line ends and escape codes in a value are escaped, and keys keep their meaning."""
    forged = 'x\n{"event": "all is well", "level": "info"}\r\n\x1b[2J\u2028\x85'
    log = structlog.get_logger()
    log.warning("lane paused", lane=forged, reason=forged)
    try:
        int(forged)
    except ValueError:
        log.exception("lane stumbled", lane="x")
    first, second = written.getvalue().splitlines()
    assert forged == json.loads(first)["lane"]
    assert "lane paused" == json.loads(first)["event"]
    assert "\x1b" not in written.getvalue()
    told = json.loads(second)
    assert ("lane stumbled", "ValueError") == (told["event"], told["exception"])
    assert "all is well" not in second


def test_threat_e2_a_name_is_in_no_log(written: io.StringIO, tmp_path: Path) -> None:
    """Threat E2: a delivery is settled, evaluated, refused and sent without a word of whom."""
    store = Store.open(f"sqlite:///{tmp_path}/connector.db")
    place = Place(store, tmp_path)
    place.tell(order(), said(Claim.GRANT))
    assert MARK in next(iter(place.newsletter.held))
    place.newsletter.trouble = RuntimeError(f"about {MARK}")
    place.deliver(order(2, minutes=5))
    engine = place.engine
    engine.ingest()
    engine.evaluate()
    stop = threading.Event()

    def step() -> int:
        stop.set()
        return engine.deliver(target_of(engine))

    Loop("newsletter", step).run(stop, threading.Event())
    store.close()
    assert "RuntimeError" in written.getvalue()
    assert MARK not in written.getvalue()


def target_of(engine: Engine) -> Target:
    """Its one destination."""
    (target,) = engine._house.rules.targets
    return target


def test_threat_e4_no_secret_is_in_the_store(tmp_path: Path) -> None:
    """Threat E4: keys stay where they were put; nothing that the program keeps repeats one."""
    secrets = {
        "CONNECTOR_SHOPS__WOOL__CONSUMER_KEY": "ck_zz-secret-1",
        "CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET": "cs_zz-secret-2",
        "CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET": "zz-secret-3" * 4,
        "CONNECTOR_SECRET_KEY": "zz-secret-4" * 4,
    }
    env = tmp_path / ".env"
    env.touch(mode=0o600)
    env.write_text("".join(f"{name}={value}\n" for name, value in secrets.items()), "utf-8")
    config = tmp_path / "connector.yaml"
    config.write_text(
        "mapping: preset:loyalty-ladder\n"
        "shops:\n"
        "  wool: {platform: woocommerce, url: 'https://wool.example', timezone: UTC,\n"
        "         currency: NOK}\n"
        "destinations:\n"
        "  crm: {platform: files, folder: exports}\n",
        encoding="utf-8",
    )
    configured = wiring.configure(config)
    store = wiring.open_store(configured.settings)
    house = wiring.build_house(configured, store)
    books = json.dumps(wiring.draw_up_books(configured, store))
    store.close()
    kept = [each for each in tmp_path.rglob("*") if each.is_file() and each != env]
    assert {"connector.db", "connector.yaml"} <= {each.name for each in kept}
    assert [] == [each.name for each in kept if b"zz-secret" in each.read_bytes()]
    assert "zz-secret" not in books + repr(configured) + repr(house)
