"""The newcomer's first command, run to its end."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path


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
