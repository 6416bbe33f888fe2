"""What the house asks of every guest, and of every file: a folder, a page, a row, and one door."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from connector.guests import DESTINATIONS, DOORS, SHOPS
from tests.contract import audiences, catalogs, conversions, destinations, shops

ROOT = Path(__file__).parents[2]
ROOMS = ("connector", "adapters", "mappings", "webhooks", "benchmarks")
_FOLDERS = sorted((ROOT / "adapters").iterdir())
SHOP_GUESTS = [each.name for each in _FOLDERS if (each / "shop.py").is_file()]
DESTINATION_GUESTS = [each.name for each in _FOLDERS if (each / "destination.py").is_file()]
GUESTS = sorted({*SHOP_GUESTS, *DESTINATION_GUESTS})

CONTRACTS: dict[str, type] = {
    each.__name__: each
    for each in (
        shops.ShopContract,
        destinations.DestinationContract,
        destinations.RemoteDestinationContract,
        catalogs.CatalogContract,
        audiences.AudienceContract,
        conversions.ConversionContract,
    )
}

ALONE = {
    "alembic": "connector/store/upgrade.py",
    "facebook_business": "adapters/graph.py",
    "granian": "webhooks/serve.py",
    "lark": "mappings/segments/parse.py",
    "mailchimp_marketing": "adapters/mailchimp/client.py",
    "phonenumbers": "connector/identity.py",
    "prometheus_client": "webhooks/exposition.py",
    "pydantic_settings": "connector/places.py",
    "yaml": "connector/plain_yaml.py",
}
"""Packages with one door each: whoever replaces one reads one file."""

EVERYWHERE = {
    "click": "the grammar of the commands",
    "flask": "the stand-ins, each an application of its own",
    "graphql": "the stand-in of Shopify checks what it is asked as the real one does",
    "httpx": "each shop's client, the doctor",
    "msgspec": "the shapes of payloads, and of what the store keeps",
    "psycopg": "SQLAlchemy's door to PostgreSQL, imported by it alone",
    "pydantic": "settings and mappings are its models",
    "rich": "the demo and the benchmarks draw with it",
    "sqlalchemy": "the store is written in it",
    "sqlite_utils": "the files destination, and the books of stand-ins",
    "structlog": "everybody that logs",
    "tenacity": "each shop's client retries by its own rules",
    "tzdata": "read by the standard library",
}
"""The dependencies that are in more files than one, or in none, and why."""

MIGRATIONS = "connector/store/migrations/"
FORBIDDEN = frozenset(
    {
        *("util", "utils", "helper", "helpers", "common", "core", "base", "manager", "managers"),
        *("handler", "handlers", "service", "services", "data", "process", "processes"),
    }
)
"""Words that say nothing of what is in a file."""


def sources() -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def imported(tree: ast.AST) -> set[str]:
    """The packages that a file imports anywhere in it."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {name.name.partition(".")[0] for name in names}
            case ast.ImportFrom(module=str(module), level=0):
                found.add(module.partition(".")[0])
            case _:
                pass
    return found


@cache
def doors() -> dict[str, list[str]]:
    """Each package with the files that import it, the migrations left out."""
    found: dict[str, list[str]] = {}
    for path in sources():
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(MIGRATIONS):
            for package in imported(ast.parse(path.read_text("utf-8"))):
                found.setdefault(package, []).append(name)
    return found


def subclasses(guest: str) -> list[ast.ClassDef]:
    """The contract classes in a guest's tests."""
    return [
        node
        for path in sorted((ROOT / "tests" / "adapters" / guest).glob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and _contract(node)
    ]


def _contract(node: ast.ClassDef) -> type | None:
    names = [base.id for base in node.bases if isinstance(base, ast.Name)]
    return next((CONTRACTS[name] for name in names if name in CONTRACTS), None)


def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_the_guests_are_found() -> None:
    """Those that the list of platforms names, and no other; the town is nobody's guest."""
    assert set(SHOPS) == set(DOORS) == set(SHOP_GUESTS)
    assert set(DESTINATIONS) == set(DESTINATION_GUESTS)
    assert {"files", "mailchimp", "meta_catalog", "shopify", "woocommerce"} <= set(GUESTS)
    others = {each.name for each in _FOLDERS if each.is_dir()} - set(GUESTS) - {"__pycache__"}
    assert {"town"} == others


@pytest.mark.parametrize("guest", GUESTS)
def test_one_contract_class_that_overrides_nothing(guest: str) -> None:
    """Each keeps all promises of its kind, under their own tests."""
    found = subclasses(guest)
    assert 1 == len(found)
    contract = _contract(found[0])
    assert contract is not None
    assert (guest in SHOP_GUESTS) == (contract is shops.ShopContract)
    own = {
        name
        for node in ast.walk(found[0])
        for name in (
            [node.name]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            else [target.id for target in node.targets if isinstance(target, ast.Name)]
            if isinstance(node, ast.Assign)
            else []
        )
    }
    promises = {name for name in dir(contract) if name.startswith("test_")}
    assert len(promises) > 10
    assert set() == own & promises
    assert [] == [node for node in ast.walk(found[0]) if _skips(node)]


def _skips(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"skip", "skipif", "xfail"}


@pytest.mark.parametrize("guest", GUESTS)
def test_a_page_and_a_row(guest: str) -> None:
    """``docs/<name>.md``, and a row of README's guests that leads to it and says what it is."""
    page = f"docs/{guest.replace('_', '-')}.md"
    assert (ROOT / page).read_text("utf-8").startswith("# ")
    readme = (ROOT / "README.md").read_text("utf-8")
    table = readme.partition("\n## Guests\n")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("|") and f"({page})" in line]
    assert 1 == len(rows)
    kind = "shop" if guest in SHOP_GUESTS else "destination"
    assert rows[0].split("|")[2].strip().startswith(kind)


def test_guests_never_see_each_other() -> None:
    """Each has its place in the contract of independence, and no other is named there."""
    tool = project()["tool"]
    assert isinstance(tool, dict)
    [contract] = [
        each for each in tool["importlinter"]["contracts"] if each["type"] == "independence"
    ]
    assert {f"adapters.{guest}" for guest in GUESTS} | {"webhooks"} == set(contract["modules"])


@pytest.mark.parametrize("package", sorted(ALONE))
def test_a_package_has_one_door(package: str) -> None:
    """It is imported in one file."""
    assert [ALONE[package]] == doors().get(package, [])


def test_what_is_only_for_trying_is_in_no_room_that_is_shipped() -> None:
    """APSW plays a disk that forgets: in the benchmarks and the tests, and nowhere else."""
    assert {"benchmarks"} >= {name.partition("/")[0] for name in doors().get("apsw", [])}


def test_migrations_import_only_what_they_are_made_of() -> None:
    """Alembic's folder is left out above: so it may hold no other package's door."""
    allowed = {"alembic", "sqlalchemy", "connector", "__future__", "collections", "json", "typing"}
    for path in sorted((ROOT / MIGRATIONS).rglob("*.py")):
        assert imported(ast.parse(path.read_text("utf-8"))) <= allowed, path.name


def test_every_dependency_is_in_one_of_the_lists() -> None:
    """A new one needs a decision: one door, or a reason for several."""
    described = project()["project"]
    assert isinstance(described, dict)
    named = {re.split(r"[\[<>=]", each)[0].replace("-", "_") for each in described["dependencies"]}
    imports = {"pyyaml": "yaml", "graphql_core": "graphql"}
    assert set() == set(ALONE) & set(EVERYWHERE)
    assert {imports.get(name, name) for name in named} == set(ALONE) | set(EVERYWHERE)


def test_every_entry_can_be_imported() -> None:
    """A name that is spelt wrongly would have no door at all, and be counted as fine."""
    for package in sorted({*ALONE, *EVERYWHERE}):
        assert importlib.import_module(package)


def test_names_say_what_is_in_a_file() -> None:
    """No file and no folder is called by a word that fits everything."""
    places = [ROOT / room for room in (*ROOMS, "tests", "docs", "examples")]
    files = [
        path for place in places for path in place.rglob("*") if "__pycache__" not in str(path)
    ]
    assert len(files) > 200
    named = [
        path.relative_to(ROOT).as_posix()
        for path in files
        if FORBIDDEN & set(re.split(r"[-_.]", path.stem.lower()))
    ]
    assert [] == named
