"""``connector segments``: how many are in each, who came and left within a week, nobody named."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert

from connector import wiring
from connector.store.schema import memberships, moves
from tests.commands.conftest import Home

MAPPING = """
version: 1
segments:
  returning: {when: "number_of_orders >= 2", tag: "Comes back"}
  lapsed: {when: "last_order_date < -365d"}
"""


def write(home: Home, mapping: str) -> None:
    (home.folder / "mapping.yaml").write_text(mapping, "utf-8")
    home.settings["mapping"] = "mapping.yaml"
    home.write()


def test_segments_are_counted(home: Home) -> None:
    """Members as of now; who moved twice counts once each way; older moves do not count."""
    write(home, MAPPING)
    now = wiring.wall_clock()
    store = home.store()
    with store.write() as conn:
        conn.execute(
            insert(memberships),
            [{"segment": "returning", "person": f"p{n}@x.example", "since": now} for n in range(3)],
        )
        conn.execute(
            insert(moves),
            [
                {
                    "segment": "returning",
                    "person": person,
                    "entered": entered,
                    "at": now - timedelta(days=days),
                }
                for person, entered, days in (
                    ("p0@x.example", True, 9),
                    ("p1@x.example", True, 1),
                    ("p1@x.example", False, 2),
                    ("p1@x.example", True, 3),
                    ("p2@x.example", True, 6.9),
                    ("q@x.example", False, 0),
                )
            ],
        )
    store.close()
    ran = home.run("segments", "--json")
    assert 0 == ran.exit_code
    assert {
        "returning": {"tag": "Comes back", "members": 3, "came": 2, "left": 2},
        "lapsed": {"tag": "lapsed", "members": 0, "came": 0, "left": 0},
    } == ran.told["segments"]
    lines = home.run("segments").text.splitlines()
    assert ["returning", "3", "2", "2"] == lines[1].split()
    assert "@" not in "".join(lines)


def test_a_mapping_without_segments(home: Home) -> None:
    """Says so."""
    write(home, "version: 1")
    ran = home.run("segments")
    assert (0, "The mapping has no segments.\n") == (ran.exit_code, ran.text)
