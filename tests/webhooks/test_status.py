"""Health and figures."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from webhooks.health import Health
from webhooks.status import Counters, render_metrics

House = Any
BOOKS = {
    "balanced": True,
    "mode": "live",
    "shops": {
        "wool": {
            "received": 120,
            "applied": 100,
            "unchanged": 12,
            "ignored": 3,
            "waiting": 4,
            "quarantined": 1,
            "oldest_waiting_seconds": 0.4,
            "last_received_at": "2026-11-23T10:00:00Z",
        },
        "yarn": {
            "received": 0,
            "applied": 0,
            "unchanged": 0,
            "ignored": 0,
            "waiting": 0,
            "quarantined": 0,
            "oldest_waiting_seconds": None,
            "last_received_at": None,
        },
    },
    "destinations": {
        "newsletter": {
            "records": 90,
            "settled": 88,
            "due": 1,
            "parked": 1,
            "oldest_due_seconds": 2.0,
            "paused_until": None,
            "last_success_at": "2026-11-23T10:00:01Z",
            "last_problem": None,
        }
    },
}


def read(text: bytes) -> dict[tuple[str, ...], float]:
    """Every sample by its name and label values."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_the_books_as_figures() -> None:
    """The figures of ``status --json`` are there, one by one, and add up."""
    samples = read(render_metrics(BOOKS, Counters()))
    statuses = ("applied", "unchanged", "ignored", "waiting", "quarantined")
    assert [samples["connector_deliveries", "wool", each] for each in statuses] == [
        100,
        12,
        3,
        4,
        1,
    ]
    assert samples["connector_received", "wool"] == 120
    assert samples["connector_deliveries", "yarn", "applied"] == 0
    assert [
        samples["connector_records", "newsletter", each] for each in ("settled", "due", "parked")
    ] == [88, 1, 1]
    assert samples["connector_oldest_waiting_seconds", "wool"] == 0.4
    assert samples["connector_oldest_waiting_seconds", "yarn"] == 0
    assert samples["connector_oldest_due_seconds", "newsletter"] == 2
    assert samples["connector_last_received_timestamp_seconds", "wool"] == 1795428000
    assert ("connector_last_received_timestamp_seconds", "yarn") not in samples
    assert samples["connector_last_success_timestamp_seconds", "newsletter"] == 1795428001
    assert samples[("connector_balanced",)] == 1
    assert (
        read(render_metrics({**BOOKS, "balanced": False}, Counters()))[("connector_balanced",)] == 0
    )


def test_readings_and_agreement_of_shops() -> None:
    """Each reading by errand and kind; a shop of which nothing was ever read has no sample."""
    row = {
        "read": 40, "applied": 2, "total": None, "problem": None,
        "started_at": "2026-11-23T10:00:00Z", "finished_at": "2026-11-23T10:00:01Z",
    }  # fmt: skip
    stuck = {**row, "total": 50, "problem": "it does not answer", "finished_at": None}
    wool = {
        **BOOKS["shops"]["wool"],
        "errands": {"order": stuck, "reconcile order": row},
        "agreement": {"ratio": 0.9998, "repaired_by_reconcile": 3},
    }
    samples = read(render_metrics({**BOOKS, "shops": {**BOOKS["shops"], "wool": wool}}, Counters()))
    assert (40, 2) == tuple(
        samples[f"connector_errand_{name}", "reconcile", "order", "wool"]
        for name in ("read", "applied")
    )
    finished = "connector_errand_finished_timestamp_seconds"
    assert 1795428001 == samples[finished, "reconcile", "order", "wool"]
    assert (finished, "backfill", "order", "wool") not in samples
    assert 50 == samples["connector_errand_total", "backfill", "order", "wool"]
    assert [1, 0] == [
        samples["connector_errand_problem", each, "order", "wool"]
        for each in ("backfill", "reconcile")
    ]
    assert 0.9998 == samples["connector_agreement_ratio", "wool"]
    assert 3 == samples["connector_repaired_by_reconcile_total", "wool"]
    assert ("connector_agreement_ratio", "yarn") not in samples


def test_what_the_process_counted() -> None:
    """Accepted, duplicates, refusals by reason, and how long requests took, cumulated."""
    counters = Counters()
    for outcome, status, seconds in (
        ("stored", 200, 0.004),
        ("stored", 200, 0.09),
        ("bad_signature", 401, 0.0004),
        ("store", 503, 20.0),
    ):
        counters.count(outcome, status, seconds)
    samples = read(render_metrics(BOOKS, counters, accepted=2, duplicates=1))
    assert samples[("connector_accepted_total",)] == 2
    assert samples[("connector_duplicates_total",)] == 1
    assert samples["connector_rejected_total", "bad_signature"] == 1
    assert samples["connector_rejected_total", "store"] == 1
    assert ("connector_rejected_total", "stored") not in samples
    assert samples["connector_requests_total", "stored", "200"] == 2
    name = "connector_request_duration_seconds"
    assert samples[f"{name}_bucket", "0.001"] == 1
    assert samples[f"{name}_bucket", "0.005"] == 2
    assert samples[f"{name}_bucket", "0.1"] == 3
    assert samples[f"{name}_bucket", "10.0"] == 3
    assert samples[f"{name}_bucket", "+Inf"] == 4
    assert samples[(f"{name}_count",)] == 4
    assert abs(samples[(f"{name}_sum",)] - 20.0944) < 1e-9


def test_every_scrape_is_the_whole(house: House) -> None:
    """Two scrapes of one process do not add to each other."""
    house.post(b"{}")
    client = house.app.test_client()
    replies = [client.get("/metrics") for _ in range(2)]
    assert [reply.status_code for reply in replies] == [200, 200]
    assert replies[0].headers["Content-Type"].startswith("text/plain")
    assert replies[0].data == replies[1].data
    assert read(replies[0].data)["connector_requests_total", "stored", "200"] == 1


def test_live_and_ready(house: House) -> None:
    """Live is the process; ready is the store and a worker, and 503 when one is missing."""
    client = house.app.test_client()
    assert client.get("/health/live").get_json() == {"ok": True}
    assert client.get("/health/ready").status_code == 200
    house.health = Health(
        ok=False, store="writable", worker="silent for 300 s", detail={"disk": "150 MB free"}
    )
    reply = client.get("/health/ready")
    assert reply.status_code == 503
    assert reply.get_json() == {
        "ok": False,
        "store": "writable",
        "worker": "silent for 300 s",
        "detail": {"disk": "150 MB free"},
    }
    assert client.get("/health/live").status_code == 200
    assert client.post("/health/live").status_code == 405
