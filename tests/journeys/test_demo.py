"""The newcomer's first command, run to its end."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connector.demo.judge_sales import judge_store


def test_the_demo_ends_by_itself_with_books_that_balance(tmp_path: Path) -> None:
    """Exit 0, every line of the verdict is ok, and no log line names a person or a secret.

    A past was brought over in silence, and of either shop one order's webhooks were lost and one
    person left in Mailchimp.
    """
    done = subprocess.run(
        [sys.executable, "-m", "connector", "demo", "--orders", "20", "--rate", "40",
         "--folder", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )  # fmt: skip
    assert (0, "") == (done.returncode, done.stderr)
    verdicts = re.findall(r"^  (ok|NO)  ", done.stdout, flags=re.MULTILINE)
    assert ["ok"] * 20 == verdicts
    for told in (
        "with 100 orders behind them",
        " wool order: ",
        "0 mails were set off by them",
        "webhooks were: 2 orders that none told of were found again",
        "2 unsubscribed in Mailchimp: they stay so, and their shops know",
    ):
        assert told in done.stdout
    log = (tmp_path / "connector.log").read_text("utf-8")
    names = [
        line.split(",")[1]
        for line in (tmp_path / "exports" / "customers.csv").read_text("utf-8").splitlines()[1:]
    ]
    assert names
    assert "@" not in log
    assert [] == [name for name in names if name and name in log]
    secrets = re.findall(r"=(\S+)", (tmp_path / ".env").read_text("utf-8"))
    assert 9 == len(secrets)
    assert [] == [secret for secret in secrets if secret in log]


@pytest.mark.parametrize("email", ["kari@x.example", "Kari@X.Example"])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_basket_is_judged_however_its_owner_writes_the_address(
    email: str, *, is_there: bool
) -> None:
    """It is there as it should be, or else the verdict says that it is not."""
    cart = {"order_total": "158.00"}
    store = SimpleNamespace(
        orders={}, customers={}, rules={}, products={"1": {}}, is_syncing=False,
        carts={"t1": cart} if is_there else {},
    )  # fmt: skip
    scene: Any = SimpleNamespace(
        ledger=SimpleNamespace(sold={}, permitted=set(), codes=set()),
        subscribed={"kari@x.example"},
        stores={"wool": store},
        baskets={"t1": {"email": email, "total_price": "158.00"}},
        silence=SimpleNamespace(syncing={"wool"}, mails=0),
        past=0,
        mails=0,
    )
    [basket] = [each for each in judge_store(scene) if "baskets" in each.what]
    assert is_there is basket.holds
