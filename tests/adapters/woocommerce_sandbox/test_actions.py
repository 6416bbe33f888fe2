"""Which webhooks follow which action, and in which order: the table of a real shop, row by row."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from adapters.woocommerce.sandbox import Sandbox
from adapters.woocommerce.sandbox_payloads import TOPICS
from adapters.woocommerce.sandbox_selling import COMPLETED

from .conftest import SECRET, Receiver  # noqa: TID252 conftest of this folder
