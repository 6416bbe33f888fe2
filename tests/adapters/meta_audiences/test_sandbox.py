"""The stand-in is strict: what Meta refuses, and what only loses people in silence there."""

from __future__ import annotations

import hashlib
import json
import traceback
from typing import Any

import httpx
import pytest

from adapters.meta_audiences.destination import MetaAudiencesDestination
from adapters.meta_audiences.sandbox import Sandbox
from adapters.meta_audiences.sandbox_rules import audience_fault, payload_in
from adapters.town.graph import FAULTS
from connector.errors import LaneDown, TryLater
from connector.model import Settled
from tests.adapters.meta_audiences.people import NOW, SHAPE, of, person, step, steps

DIGEST = of(1)
DOWN = ("error 10", "error 102", "error 190", "error 200", "error 275", "redirect")
ONE_BAD = ("error 100", "unknown error", "too large", "413")


def ask(meta: Sandbox, node: str, method: str = "POST", **form: Any) -> httpx.Response:
    """Call the stand-in as no guest would."""
    return httpx.request(
        method,
        f"{meta.url}/v26.0/{node}",
        headers={"Authorization": f"Bearer {meta.access_token}"},
        data={name: json.dumps(told) for name, told in form.items()},
    )


@pytest.fixture
def users(meta: Sandbox, lookalikes: MetaAudiencesDestination) -> str:
    """The address of an audience's people."""
    lookalikes.prepare(SHAPE)
    (audience_id,) = [key for key, each in meta.account.audiences.items() if each.name == "VIP"]
    return f"{audience_id}/users"


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        {"schema": "EMAIL_SHA256", "data": [DIGEST]},
        {"schema": ["email"], "data": [[DIGEST]]},
        {"schema": ["EMAIL", "EMAIL"], "data": [[DIGEST, DIGEST]]},
        {"schema": ["EMAIL"], "data": []},
        {"schema": ["EMAIL"], "data": [[DIGEST]] * 10_001},
        {"schema": ["EMAIL"], "data": [[DIGEST, DIGEST]]},
        {"schema": ["EMAIL"], "data": [DIGEST]},
        {"schema": ["EMAIL"], "data": [["p1@shop.example"]]},
        {"schema": ["EMAIL"], "data": [[DIGEST.upper()]]},
        {"schema": ["EMAIL"], "data": [[hashlib.sha256(b"").hexdigest()]]},
        {"schema": ["EMAIL", "LOOKALIKE_VALUE"], "data": [[DIGEST, "12.50"]]},
        {"schema": ["EMAIL", "LOOKALIKE_VALUE"], "data": [[DIGEST, -1]]},
    ],
)
def test_lists_that_are_not_written_right(payload: Any) -> None:
    """Schema, number of rows, and what stands in them."""
    assert isinstance(payload_in({"payload": json.dumps(payload)}), str)
    good = {"schema": ["EMAIL", "FN"], "data": [[DIGEST, ""]]}
    assert good == payload_in({"payload": json.dumps(good)})


def test_sessions_out_of_order(meta: Sandbox, users: str) -> None:
    """Counted from one, with one schema, closed by the last, and never used again."""

    def send(batch: int, *, last: bool = False, schema: str = "EMAIL", number: int = 7) -> int:
        payload = {"schema": [schema], "data": [[DIGEST]]}
        session = {"session_id": number, "batch_seq": batch, "last_batch_flag": last}
        return ask(meta, users, payload=payload, session=session).status_code

    assert 400 == send(2)
    assert (200, 400, 400) == (send(1), send(1), send(3))
    assert (400, 200, 400) == (send(2, schema="PHONE"), send(2, last=True), send(3))
    assert 400 == send(1, number=0)


def test_what_is_removed_must_not_stand_in_the_address(meta: Sandbox, users: str) -> None:
    """As the official SDK has it: then it stands in every log on the way."""
    payload = {"schema": ["EMAIL"], "data": [[DIGEST]]}
    assert 400 == ask(meta, users, method="DELETE", payload=payload).status_code
    assert 200 == ask(meta, users, payload=payload).status_code


def test_a_value_is_for_audiences_of_values(meta: Sandbox, users: str) -> None:
    """And they for nothing else."""
    rows = {"schema": ["EMAIL", "LOOKALIKE_VALUE"], "data": [[DIGEST, 1]]}
    assert 400 == ask(meta, users, payload=rows).status_code
    assert {} == meta.audience("VIP").people


@pytest.mark.parametrize(
    "form",
    [
        {"name": "A", "subtype": "WEBSITE", "customer_file_source": "USER_PROVIDED_ONLY"},
        {"name": "A", "subtype": "CUSTOM"},
        {"subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"},
        {
            "name": "A",
            "subtype": "CUSTOM",
            "customer_file_source": "USER_PROVIDED_ONLY",
            "rule": "x",
        },
    ],
)
def test_audiences_that_are_not_made_right(form: dict[str, str]) -> None:
    """Of customers, told by the shop."""
    assert audience_fault(form) is not None


# --- Whatever the line does ---------------------------------------------------------------------


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - {"drip", "no handle"}))
def test_whatever_happens_nobody_is_lost(
    meta: Sandbox, lookalikes: MetaAudiencesDestination, fault: str
) -> None:
    """Rows 105, 110, 115, 121 to 126: it is said again, or a person is asked; then all is right.

    The token and the people stand in no error and no address.
    """
    lookalikes.prepare(SHAPE)
    meta.misbehave(fault, endpoint="POST /audience/users", times=1)
    problem: TryLater | LaneDown | None = None
    told = ""
    try:
        (outcome,) = lookalikes.push(steps(person()), now=NOW).values()
        told = repr(outcome)
    except (TryLater, LaneDown) as raised:
        problem = raised
        told = "".join(traceback.format_exception(raised)) + getattr(raised, "mend", "")
    assert (fault in DOWN) == isinstance(problem, LaneDown)
    if fault in ONE_BAD:
        assert "Parked" in told
    elif problem is None:
        assert "Postponed" in told
        assert "sent=True" in told
    assert not any(word in told for word in (meta.access_token, "EAAB", of(1)))
    assert not any("access_token" in address or of(1) in address for address in meta.seen)
    assert {"p1@shop.example": Settled()} == lookalikes.push(steps(person()), now=NOW)
    assert {"p1@shop.example": Settled()} == lookalikes.push([step(person(), None)], now=NOW)
    assert {} == meta.audience("VIP").people
