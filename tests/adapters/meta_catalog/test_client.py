"""What Meta's answers mean, and what never leaves in an error or a log."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.graph import Access
from adapters.graph_refusals import Usage, usage
from adapters.meta_catalog.account import Account
from adapters.meta_catalog.destination import MetaCatalogDestination
from adapters.meta_catalog.sandbox import Sandbox
from adapters.town.graph import FAULTS
from connector.errors import ConfigurationFault, LaneDown, TryLater
from connector.model import Parked, Postponed, Settled
from connector.ports import CheckableDestination, Grade, Introducing, Shape
from tests.adapters.meta_catalog.items import NOW, item, steps

LATER = (
    *("error 1", "error 2", "error 4", "error 17", "error 32", "error 341", "error 613"),
    *("error 80009", "error 80014", "busy for 3 minutes", "error 368", "transient"),
    *("error in 200", "no success", "403 bare", "500", "502", "503", "504", "HTML", "empty"),
    *("half JSON", "list", "text", "bomb", "torn before", "torn after", "endless"),
)
DOWN = ("error 10", "error 102", "error 190", "error 200", "error 275", "redirect")


@pytest.mark.parametrize("fault", LATER)
def test_what_may_pass_is_tried_again(
    meta: Sandbox, catalog: MetaCatalogDestination, fault: str
) -> None:
    """Rows 105, 107, 116, 121 to 124 and 126: nothing is believed, and the next push succeeds."""
    meta.misbehave(fault)
    with pytest.raises(TryLater):
        catalog.push(steps(item()), now=NOW)
    assert {"wool/1": Settled()} == catalog.push(steps(item()), now=NOW)
    assert ["wool_1"] == list(meta.items())


@pytest.mark.parametrize("fault", DOWN)
def test_what_will_not_pass_stops_the_lane(
    meta: Sandbox, catalog: MetaCatalogDestination, fault: str
) -> None:
    """Rows 110, 115, 123: a person is told what to mend, and nothing was written."""
    meta.misbehave(fault)
    with pytest.raises(LaneDown) as caught:
        catalog.push(steps(item()), now=NOW)
    assert caught.value.mend
    assert {} == meta.items()


def test_every_named_fault_is_met_by_a_test() -> None:
    """So that a new one is not forgotten."""
    elsewhere = {"error 100", "too large", "413", "unknown error", "no handle", "drip"}
    assert FAULTS.keys() == {*LATER, *DOWN, *elsewhere}


def test_a_catalog_that_is_gone_stops_the_lane(meta: Sandbox) -> None:
    """Row 117."""
    other = MetaCatalogDestination("catalog", "42", meta.access_token, base_url=meta.url)
    with pytest.raises(LaneDown, match="no such catalog"):
        other.prepare(Shape(fields={}))


def test_an_answer_that_drips_is_cut_off(
    meta: Sandbox, connect: Callable[..., MetaCatalogDestination]
) -> None:
    """Row 125: a whole answer has a last moment, however many bytes come before it."""
    meta.misbehave("drip")
    begin = time.monotonic()
    with pytest.raises(TryLater):
        connect(timeout=0.5).push(steps(item()), now=NOW)
    assert time.monotonic() - begin < 3


def test_a_server_that_says_nothing_is_left(free: int) -> None:
    """A connection that opens and stays silent; and one that is refused."""
    with socket.create_server(("127.0.0.1", free)) as silent:
        quiet = MetaCatalogDestination(
            "catalog", "42", "EAAtoken", base_url=f"http://127.0.0.1:{free}", timeout=0.3
        )
        with pytest.raises(TryLater):
            quiet.prepare(Shape(fields={}))
        assert silent.fileno() > 0
    with pytest.raises(TryLater):
        quiet.prepare(Shape(fields={}))


@pytest.fixture
def free() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("fault", "seconds"), [("busy for 3 minutes", 180.0), ("error 368", 3600.0)]
)
def test_the_wait_that_was_asked_for_is_told(
    meta: Sandbox, catalog: MetaCatalogDestination, fault: str, seconds: float
) -> None:
    """From the usage header, since Meta sends no Retry-After; an hour for a block."""
    meta.misbehave(fault)
    with pytest.raises(TryLater) as caught:
        catalog.push(steps(item()), now=NOW)
    assert seconds == caught.value.retry_after


def test_almost_all_calls_used_up_is_a_reason_to_wait(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """The rest is left to the shopkeeper's own tools; after the wait one call shows how it is."""
    meta.use_up(97, minutes=2)
    catalog.push(steps(item(1)), now=NOW)
    sent = meta.calls["POST /catalog/items_batch"]
    with pytest.raises(TryLater) as caught:
        catalog.push(steps(item(2)), now=NOW)
    assert (120.0, sent) == (caught.value.retry_after, meta.calls["POST /catalog/items_batch"])
    meta.use_up(10)
    assert {"wool/2": Settled()} == catalog.push(steps(item(2)), now=NOW)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, Usage()),
        ({"X-App-Usage": '{"call_count": 28, "total_time": 25.5}'}, Usage(28.0)),
        (
            {
                "X-App-Usage": '{"call_count": 28}',
                "X-Business-Use-Case-Usage": '{"1": [{"total_cputime": 99, '
                '"estimated_time_to_regain_access": 7}], "2": [{"call_count": 3}]}',
            },
            Usage(99.0, 420.0),
        ),
        ({"X-Ad-Account-Usage": '{"acc_id_util_pct": 9.67}'}, Usage(9.67)),
        ({"X-App-Usage": "nonsense"}, Usage()),
        ({"X-App-Usage": '[1, {"call_count": 5}]'}, Usage()),
        ({"X-App-Usage": '{"call_count": "99", "total_time": true, "x": [[1]]}'}, Usage(1.0)),
        (
            {"X-App-Usage": '{"estimated_time_to_regain_access": 99999}'},
            Usage(0.0, 4 * 3600.0),
        ),
    ],
)
def test_usage_headers(headers: dict[str, str], expected: Usage) -> None:
    """The worst of all that is told; nonsense tells nothing, and no wait is longer than 4 h."""
    assert expected == usage(headers)


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - {"drip", "endless"}))
def test_the_token_is_in_no_address_error_or_traceback(
    meta: Sandbox, catalog: MetaCatalogDestination, fault: str
) -> None:
    """Nor are the items: the SDK's own errors quote both."""
    meta.misbehave(fault)
    try:
        told = repr(catalog.push(steps(item()), now=NOW))
    except (TryLater, LaneDown) as problem:
        told = "".join(traceback.format_exception(problem)) + getattr(problem, "mend", "")
    assert meta.access_token not in told + repr(catalog.__dict__)
    assert "EAAB" not in told
    assert "Thing 1" not in told
    assert not any("access_token" in address for address in meta.seen)


def test_the_sdk_is_given_no_global_state() -> None:
    """No default API, no handler of crashes, and none of it loaded before it is needed."""
    script = (
        "import sys, connector.wiring\n"
        "assert not any(name.startswith('facebook_business') for name in sys.modules)\n"
        "hook = sys.excepthook\n"
        "from adapters.meta_catalog.sandbox import Sandbox\n"
        "from adapters.meta_catalog.destination import MetaCatalogDestination\n"
        "from connector.ports import Shape\n"
        "with Sandbox() as meta:\n"
        "    d = MetaCatalogDestination('c', meta.catalog_id, meta.access_token, meta.url)\n"
        "    assert d.prepare(Shape(fields={})) == []\n"
        "from facebook_business.api import FacebookAdsApi\n"
        "assert FacebookAdsApi.get_default_api() is None\n"
        "assert sys.excepthook is hook\n"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": "."},
        timeout=60,
    )


@pytest.mark.parametrize(
    ("catalog_id", "token", "base_url", "word"),
    [
        ("cat_1", "EAAx", None, "catalog_id"),
        ("", "EAAx", None, "catalog_id"),
        ("1/2", "EAAx", None, "catalog_id"),
        ("1", "", None, "access token"),
        ("1", "EAA secret", None, "access token"),
        ("1", "EAAsecret\n", None, "access token"),
        ("1", "EAAx", "http://graph.facebook.com", "https"),
        ("1", "EAAx", "ftp://x", "https"),
    ],
)
def test_settings_that_cannot_be_right(
    catalog_id: str, token: str, base_url: str | None, word: str
) -> None:
    """Are told before anything is sent, and a token is never repeated."""
    with pytest.raises(ConfigurationFault, match=word) as caught:
        MetaCatalogDestination("catalog", catalog_id, token, base_url=base_url)
    assert "secret" not in str(caught.value)
    assert "EAAx" not in repr(Account(access=Access(host="h", token="EAAx"), catalog_id="1"))


def test_prepare_tells_of_feeds_and_other_kinds_of_catalogs(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """A feed overwrites what is sent; a catalog of hotels takes no products."""
    meta.catalog.feed_count = 2
    (finding,) = catalog.prepare(Shape(fields={}))
    assert "2 data feed" in finding.what
    assert finding.mend
    meta.catalog.vertical = "hotels"
    with pytest.raises(LaneDown, match="hotels"):
        catalog.prepare(Shape(fields={}))


def test_it_says_which_catalog_it_is(meta: Sandbox, catalog: MetaCatalogDestination) -> None:
    """By Meta's own word, with Meta's time: a catalog that is another's is noticed."""
    introduction = catalog.introduce()
    assert meta.catalog_id == introduction.account
    assert introduction.at is not None
    assert abs(datetime.now(UTC) - introduction.at) < timedelta(minutes=1)
    assert isinstance(catalog, Introducing)
    assert isinstance(catalog, CheckableDestination)


@pytest.mark.parametrize(
    ("fault", "grades"),
    [
        (None, [Grade.FINE, Grade.FINE, Grade.WARNING]),
        ("500", [Grade.WARNING]),
        ("error 190", [Grade.ALARM]),
        ("error 100", [Grade.WARNING]),
    ],
)
def test_an_examination_never_raises_and_changes_nothing(
    meta: Sandbox, catalog: MetaCatalogDestination, fault: str | None, grades: list[Grade]
) -> None:
    """It says what is right, and what is not with its mend."""
    meta.catalog.feed_count = 1
    if fault is not None:
        meta.misbehave(fault)
    findings = catalog.check_up(Shape(fields={}), now=datetime.now(UTC))
    assert grades == [finding.grade for finding in findings]
    assert all(finding.mend for finding in findings if finding.grade is not Grade.FINE)
    assert 0 == meta.calls["POST /catalog/items_batch"]


def test_a_later_trouble_does_not_undo_what_was_told(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """The bad item is parked though the good ones must wait for the next push."""
    meta.misbehave("500", endpoint="GET /catalog/check_batch_request_status", times=9)
    outcomes = catalog.push(steps(item(1), item(2, image_url=None)), now=NOW)
    assert isinstance(outcomes["wool/1"], Postponed)
    assert outcomes["wool/1"].sent
    assert isinstance(outcomes["wool/2"], Parked)
    meta.behave()
    assert {"wool/1": Settled()} == catalog.push(steps(item(1)), now=NOW)
    assert 1 == meta.calls["POST /catalog/items_batch"]


def test_no_thread_or_connection_is_left_behind(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """A push leaves nothing running."""
    before = threading.active_count()
    for _ in range(3):
        catalog.push(steps(item()), now=NOW)
    gc.collect()
    assert threading.active_count() <= before + 2  # the stand-in answers in threads of its own
