"""A process that was started by another is told to end when that one is gone, however it ended."""

from __future__ import annotations

import ctypes
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1  # https://man7.org/linux/man-pages/man2/pr_set_pdeathsig.2const.html


def end_with_parent() -> None:
    """To be called by the new process. Elsewhere than on Linux it does nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
