"""Product sets: made of labels, kept true, and never anybody else's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.meta_catalog.destination import MetaCatalogDestination
from adapters.meta_catalog.sandbox import Sandbox
from adapters.meta_catalog.sandbox_rules import set_fault
from adapters.meta_catalog.sets import MARK, filter_of
from adapters.town.graph import graph_error
from connector.errors import LaneDown, TryLater
from connector.ports import Grade, Shape
from tests.adapters.meta_catalog.items import NOW, item, steps

SETS = {
    "Bestsellers": ("custom_label_0", "bestseller"),
    "Yarn": ("custom_label_1", "Yarn"),
}


def shape(**sets: tuple[str, str]) -> Shape:
    return Shape(fields={}, sets=sets)


def put(meta: Sandbox, name: str, rule: str, **more: str) -> str:
    """Let a set be there that somebody made."""
    return meta.catalog.put_set({"name": name, "filter": rule, **more})


def test_sets_are_made_once_and_show_their_items(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """Each with our mark; a second start makes nothing; items are in and out by their label."""
    for _ in range(2):
        assert [] == list(catalog.prepare(shape(**SETS)))
    assert {"Bestsellers": f"{MARK}Bestsellers", "Yarn": f"{MARK}Yarn"} == {
        each["name"]: each["retailer_id"] for each in meta.sets().values()
    }
    assert 2 == meta.calls["POST /catalog/product_sets"]
    first, second = item(1, mapped={"custom_label_0": "bestseller"}), item(2)
    catalog.push(steps(first, second), now=NOW)
    assert (["wool_1"], []) == (meta.in_set("Bestsellers"), meta.in_set("Yarn"))


def test_a_set_whose_filter_differs_is_mended(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """When its label moved to another field; the name that a person gave it stays."""
    catalog.prepare(shape(Yarn=("custom_label_1", "Yarn")))
    (set_id,) = meta.sets()
    meta.catalog.sets[set_id]["name"] = "Our yarns"
    assert [] == list(catalog.prepare(shape(Yarn=("custom_label_3", "Yarn"))))
    assert {"name": "Our yarns", "filter": filter_of("custom_label_3", "Yarn")} == {
        key: meta.sets()[set_id][key] for key in ("name", "filter")
    }


def test_others_sets_are_never_touched(meta: Sandbox, catalog: MetaCatalogDestination) -> None:
    """One of the same name by somebody else stays beside ours."""
    rule = filter_of("brand", "Ull")
    theirs = put(meta, "Yarn", rule)
    put(meta, "Also theirs", filter_of("brand", "Garn"), retailer_id="other-tool/1")
    before = meta.sets()
    catalog.prepare(shape(Yarn=("custom_label_1", "Yarn")))
    assert before == {key: told for key, told in meta.sets().items() if key in before}
    assert 3 == len(meta.sets())
    assert rule == meta.sets()[theirs]["filter"]
    assert 0 == meta.calls["POST /set"]


def test_a_set_with_the_same_filter_is_used(meta: Sandbox, catalog: MetaCatalogDestination) -> None:
    """Error 10803: Meta has no two of one filter, and the other is as good."""
    put(meta, "Handmade", filter_of("custom_label_0", "bestseller"))
    (finding,) = catalog.prepare(shape(Bestsellers=("custom_label_0", "bestseller")))
    assert Grade.NOTE == finding.grade
    assert "Handmade" in finding.what
    assert ["Handmade"] == [each["name"] for each in meta.sets().values()]


def test_a_set_that_left_the_mapping_stays(meta: Sandbox, catalog: MetaCatalogDestination) -> None:
    """Advertisements may use it; a person is told."""
    catalog.prepare(shape(**SETS))
    (finding,) = catalog.prepare(shape(Yarn=SETS["Yarn"]))
    assert "Bestsellers" in finding.what
    assert 2 == len(meta.sets())


def test_more_sets_than_a_page(meta: Sandbox, catalog: MetaCatalogDestination) -> None:
    """Ours is found on the second page, and not made again."""
    for number in range(120):
        put(meta, f"S{number}", filter_of("brand", f"B{number}"))
    put(meta, "Yarn", filter_of("custom_label_1", "Yarn"), retailer_id=f"{MARK}Yarn")
    assert [] == list(catalog.prepare(shape(Yarn=SETS["Yarn"])))
    assert (2, 0) == (
        meta.calls["GET /catalog/product_sets"],
        meta.calls["POST /catalog/product_sets"],
    )


@pytest.mark.parametrize(("fault", "error"), [("500", TryLater), ("error 190", LaneDown)])
def test_trouble_while_looking(
    meta: Sandbox, catalog: MetaCatalogDestination, fault: str, error: type[Exception]
) -> None:
    """It is tried again, or a person is asked."""
    meta.misbehave(fault, endpoint="GET /catalog/product_sets")
    with pytest.raises(error):
        catalog.prepare(shape(**SETS))
    assert {} == meta.sets()


def test_one_refused_set_does_not_stop_the_others(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """It is a finding with its mend."""
    meta.misbehave(graph_error(100, "no such word"), endpoint="POST /catalog/product_sets")
    (finding,) = catalog.prepare(shape(**SETS))
    assert "Bestsellers" in finding.what
    assert finding.mend
    assert ["Yarn"] == [each["name"] for each in meta.sets().values()]


def test_an_examination_makes_no_set(meta: Sandbox, catalog: MetaCatalogDestination) -> None:
    """It changes nothing."""
    catalog.check_up(shape(**SETS), now=NOW)
    assert {} == meta.sets()


@pytest.mark.parametrize(
    "form",
    [
        {"filter": filter_of("brand", "x")},
        {"name": "x"},
        {"name": "x", "filter": "{}"},
        {"name": "x", "filter": "{"},
        {"name": "x", "filter": filter_of("brand", "")},
        {"name": "x", "filter": filter_of("colour", "x")},
        {"name": "x", "filter": filter_of("brand", "x"), "set_id": "1"},
    ],
)
def test_the_stand_in_refuses(form: dict[str, str]) -> None:
    """An empty filter is everything, which nobody means."""
    assert set_fault(form, new=True) is not None


@pytest.mark.corpus
def test_the_recorded_request_and_ours(corpus: Path, meta: Sandbox) -> None:
    """Name and filter are told as ours are; its filter excludes items by their ids one by one."""
    name = "fbwoo-request-create-product-set-item-creates-set-request-20.json"
    told = json.loads((corpus / "fixtures" / "meta" / name).read_bytes())
    catalog = MetaCatalogDestination(
        "catalog", meta.catalog_id, meta.access_token, base_url=meta.url
    )
    catalog.prepare(shape(Yarn=SETS["Yarn"]))
    form = next(body for name, body in meta.bodies if name == "product_sets")
    assert {"name", "filter"} == told.keys() & form.keys()
    assert isinstance(told["filter"], str)
    (theirs,) = json.loads(told["filter"])["or"][0].items()
    (ours,) = json.loads(form["filter"]).items()
    assert theirs[1].keys() == ours[1].keys() == {"eq"}
