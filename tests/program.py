"""The program as an admin types it, in a folder with a whole configuration."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from connector import cli

STAYS = ("run", "serve", "work")
"""The commands that do not end by themselves."""
ENV = """\
CONNECTOR_SHOPS__WOOL__CONSUMER_KEY=ck_1234567890
CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET=cs_1234567890
CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET=0123456789abcdef0123
CONNECTOR_DESTINATIONS__NEWSLETTER__API_KEY=0123456789abcdef0123456789abcdef-us1
"""
CONFIG = """\
store: sqlite:///connector.db
mapping: preset:loyalty-ladder
shops:
  wool: {platform: woocommerce, url: "https://wool.example", timezone: Europe/Oslo, currency: NOK}
destinations:
  newsletter: {platform: mailchimp, audience: a1b2c3d4e5}
"""


def furnish(folder: Path) -> None:
    """Write both files: everything is configured, and there is no store yet."""
    (folder / "connector.yaml").write_text(CONFIG, encoding="utf-8")
    env = folder / ".env"
    env.touch(mode=0o600)
    env.write_text(ENV, encoding="utf-8")


def run(home: Path, *arguments: str, apart: bool = False) -> subprocess.CompletedProcess[str]:
    """What the program said, and its exit code.

    In this process, as `connector.cli.main` is called by the command; what stays running is
    started as a process of its own, and so is everything with ``apart``.
    """
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CONNECTOR_")}
    if apart or arguments[0] in STAYS:
        return subprocess.run(
            [sys.executable, "-m", "connector", *arguments],
            cwd=home,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=environ,
        )
    said, complained, code = StringIO(), StringIO(), 0
    with (
        chdir(home),
        redirect_stdout(said),
        redirect_stderr(complained),
        patch.dict(os.environ, environ, clear=True),
        patch.object(sys, "argv", ["connector", *arguments]),
    ):
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
    return subprocess.CompletedProcess(
        sys.argv, code, stdout=said.getvalue(), stderr=complained.getvalue()
    )
