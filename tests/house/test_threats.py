"""Each threat at the door, on the way out, at the command line and to what is kept has its test.

Threats: R1 to R17 of the receiver, O1 to O6 on the way out, C1 to C8 of commands and files, E1 to
E8 of exports, logs, secrets and backups. A test bears them in its name (``test_r4_…``,
``test_threat_o1_…``) or after "Threat" or "Threats" in its docstring.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("sources")

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
ROOMS = ("connector", "adapters", "mappings", "webhooks")
THREATS = [
    f"{letter}{number}"
    for letter, last in (("R", 17), ("O", 6), ("C", 8), ("E", 8))
    for number in range(1, last + 1)
]

LATER: Mapping[str, str] = {}
"""The threats that nothing meets yet, each with what it waits for."""

_ONE = r"[RCOE]\d{1,2}"
_SAID = re.compile(rf"(?<![A-Za-z])Threats? ({_ONE}(?:(?:, and |, | and ){_ONE})*)(?!\d)")
_NAMED = re.compile(r"test_(?:threat_)?([rcoe]\d{1,2})_")


def threats(name: str, words: str) -> set[str]:
    """The threats that a test of this name and docstring bears."""
    told = [found[1] for found in _SAID.finditer(words)]
    told += [found[1].upper() for found in [_NAMED.match(name)] if found]
    return {each for some in told for each in re.findall(_ONE, some)}


def found_in(file: Path) -> Iterator[tuple[str, str]]:
    """Name and docstring of every test of a file, those in classes too."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, ast.get_docstring(node) or ""


@pytest.fixture(scope="module")
def borne() -> dict[str, set[str]]:
    """The tests by the threat that they bear."""
    found: dict[str, set[str]] = {}
    for file in TESTS.rglob("test_*.py"):
        for name, words in found_in(file):
            for threat in threats(name, words):
                found.setdefault(threat, set()).add(f"{file.relative_to(TESTS)}::{name}")
    return found


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("test_r4_no_body", "", {"R4"}),
        ("test_threat_o1_inside", "Threat O1: and Threat O4 too.", {"O1", "O4"}),
        ("test_x", "Threats C1 and C2: bombs.", {"C1", "C2"}),
        ("test_x", "Threats R1, R3, and R16: all.", {"R1", "R3", "R16"}),
        ("test_x", "R1 to R17; a threat E1; Threat 5.", set()),
        ("test_e_mail_r1_is", "", set()),
        ("test_row_33_c1_x", "", set()),
    ],
)
def test_threats_are_read(name: str, words: str, expected: set[str]) -> None:
    """Names and docstrings claim what they name, and nothing by a range or by chance."""
    assert expected == threats(name, words)


def test_every_threat_has_a_test(borne: Mapping[str, set[str]]) -> None:
    """Of 39 threats none is without a test, but those named above with what they wait for."""
    assert 39 == len(THREATS)
    assert [] == [each for each in THREATS if each not in borne and each not in LATER]


def test_what_waits_has_no_test_yet(borne: Mapping[str, set[str]]) -> None:
    """A threat that is met is taken from the list of those that wait; none is invented."""
    assert {} == {each: borne[each] for each in LATER if each in borne}
    assert set() == borne.keys() - set(THREATS)
    assert set() == LATER.keys() - set(THREATS)
    assert all(reason for reason in LATER.values())


@cache
def sources() -> tuple[tuple[Path, ast.Module], ...]:
    """Every file that is shipped, read."""
    return tuple(
        (file.relative_to(ROOT), ast.parse(file.read_text("utf-8")))
        for room in ROOMS
        for file in sorted((ROOT / room).rglob("*.py"))
    )


_SECRET_WORDS = re.compile(r"(?<![a-z])(signature|seal|hmac|digest|token)s?(?![a-z])")


def suspicious(tree: ast.AST) -> list[str]:
    """Comparisons by ``==`` of something whose name says that it proves who sends."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        if not any(isinstance(each, ast.Eq | ast.NotEq | ast.In) for each in node.ops):
            continue
        names = [
            part.id if isinstance(part, ast.Name) else part.attr
            for side in (node.left, *node.comparators)
            for part in [side]
            if isinstance(part, ast.Name | ast.Attribute)
        ]
        found += [ast.unparse(node) for name in names if _SECRET_WORDS.search(name.lower())]
    return found


def test_threat_r3_no_proof_is_compared_letter_by_letter() -> None:
    """Threat R3: at the door ``==`` would tell by its time how much of a signature was right."""
    door = [
        f"{file}: {each}"
        for file, tree in sources()
        if file.parts[0] == "webhooks"
        for each in suspicious(tree)
    ]
    assert [] == door
    assert ["signature == told"] == suspicious(ast.parse("signature == told"))
    assert ["a.token != b"] == suspicious(ast.parse("if a.token != b: pass"))
    assert [] == suspicious(ast.parse("hmac.compare_digest(signature, told)"))
    text = (ROOT / "webhooks" / "signatures.py").read_text("utf-8")
    assert "compare_digest" in text


_OF_A_PROXY = re.compile(
    r"(http_)?(x[-_]forwarded[-_]\w+|forwarded|x[-_]real[-_]ip|remote_addr)", re.IGNORECASE
)


def test_threat_r17_nobody_says_where_they_come_from() -> None:
    """Threat R17: no header of a proxy is read anywhere, so none can be forged."""
    read = [
        str(file)
        for file, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and _OF_A_PROXY.fullmatch(node.value)
        and not file.name.startswith("sandbox")  # a stand-in plays a shop behind a proxy
    ]
    named = [
        str(file)
        for file, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("remote_addr", "access_route")
    ]
    fixers = [str(file) for file, _ in sources() if "ProxyFix" in (ROOT / file).read_text("utf-8")]
    assert ([], [], []) == (read, named, fixers)


def test_threat_e8_everything_is_installed_by_its_hash() -> None:
    """Threat E8: in the image and in the tests alike; and nothing is fetched when it runs."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    for text in (makefile, dockerfile):
        installs = re.findall(r"pip install((?:[^\n\\]|\\\n)*)", text)
        wanted = [each for each in installs if "--requirement" in each]
        assert wanted
        assert all("--require-hashes" in each for each in wanted)
    for lock in ("requirements.lock", "requirements.runtime.lock", "requirements.build.lock"):
        text = (ROOT / lock).read_text("utf-8")
        packages = re.findall(r"(?m)^[A-Za-z0-9][^\s=]*==\S+", text)
        assert packages
        assert len(packages) == len(
            re.findall(r"(?m)^[A-Za-z0-9][^\n]*\\\n\s+--hash=sha256:", text)
        )


def test_nothing_is_fetched_when_it_runs() -> None:
    """Threat E8: no program of ours calls an installer or loads code from elsewhere."""
    calls = [
        f"{file}: {word}"
        for file, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for word in ("pip", "uv", "npm")
        if node.value == word
    ]
    assert [] == calls
