"""How often Python looks for garbage while a worker works: seldom, for there is hardly any."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS = 100_000


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Look for circles of garbage a hundred times less often: facts and rows make none.

    Python looks after every 700 objects, which took a sixth of the time of settling and a quarter
    of that of evaluating.
    """
    before = gc.get_threshold()
    gc.freeze()  # what is here by now stays
    gc.set_threshold(_OBJECTS, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
