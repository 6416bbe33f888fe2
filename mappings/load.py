"""Loads a mapping from a file, a text or a preset, or tells everything that is wrong with it."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from connector import plain_yaml
from connector.errors import ConfigurationFault, nearest, shown
from mappings import grammar
from mappings.check_shape import check_shape
from mappings.faults import Faults
from mappings.meaning import find_meaning
from mappings.surroundings import surround

PRESET = "preset:"
"""What stands before a preset's name where a mapping's file is asked for."""


def load_mapping(
    path_or_text: Path | str | bytes,
    *,
    source: str = "mapping.yaml",
    shops: Mapping[str, str],
    destinations: Mapping[str, str],
) -> grammar.Mapping:
    """Load a mapping from its text, or from the file when it is a `Path`.

    ``shops`` and ``destinations`` give the platform of each by its name in the configuration;
    ``source`` names a text in messages. Raises `ConfigurationFault` with every fault as
    ``file:line path: what is wrong. Did you mean …?``.
    """
    if isinstance(path_or_text, Path):
        return load_file(path_or_text, shops=shops, destinations=destinations)
    reading = plain_yaml.read(path_or_text)
    faults = Faults(source=source, found=list(reading.faults))
    if reading.tree is None:
        raise faults.told()
    faults.lines = dict(plain_yaml.lines(reading.tree))
    tree = plain_yaml.plain(reading.tree)
    if tree is None:
        faults.add((), "no mappings: the file is empty")
        raise faults.told()
    if not isinstance(tree, dict):
        faults.add((), "a mapping is a table of sections, beginning with version: 1")
        raise faults.told()
    document = check_shape(tree, faults, reading.incomplete)
    around = surround(tree, shops=shops, destinations=destinations)
    mapping = find_meaning(document, around, faults)
    if faults.found:
        raise faults.told()
    return mapping


def load_file(
    path: Path | str, *, shops: Mapping[str, str], destinations: Mapping[str, str]
) -> grammar.Mapping:
    """Load a mapping from a file, or from a preset as ``preset:NAME``.

    Raises `ConfigurationFault` also when the file cannot be read, or anybody may write to it.
    """
    if str(path).startswith(PRESET):
        name = str(path).removeprefix(PRESET)
        return load_preset(name, shops=shops, destinations=destinations)
    place = Path(path)
    try:
        with place.open("rb") as file:
            mode = stat.S_IMODE(place.stat().st_mode)
            raw = file.read(plain_yaml.LARGEST + 1)
            size = place.stat().st_size
    except OSError as error:
        raise ConfigurationFault(f"{place}: cannot be read: {error.strerror}") from error
    if mode & stat.S_IWOTH:
        raise ConfigurationFault(
            f"{place}:1: anybody on this machine may write to the file (mode {mode:04o}); "
            f"run chmod o-w {place}"
        )
    if len(raw) > plain_yaml.LARGEST:
        raise ConfigurationFault(
            f"{place}:1: the file is {size} bytes long; at most {plain_yaml.LARGEST} are read"
        )
    return load_mapping(raw, source=str(path), shops=shops, destinations=destinations)


def load_preset(
    name: str, *, shops: Mapping[str, str], destinations: Mapping[str, str]
) -> grammar.Mapping:
    """Load one of the ready mappings. Raises `ConfigurationFault` when there is none such."""
    text = preset_text(name)
    return load_mapping(text, source=PRESET + name, shops=shops, destinations=destinations)


def preset_names() -> tuple[str, ...]:
    """The names of the ready mappings."""
    files = resources.files("mappings").joinpath("presets").iterdir()
    return tuple(
        sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))
    )


def preset_text(name: str) -> str:
    """A ready mapping as its commented YAML. Raises `ConfigurationFault` as `load_preset`."""
    names = preset_names()
    if name not in names:
        near = nearest(name, names)
        hint = f'Did you mean "{near}"?' if near else f"There are: {', '.join(names)}"
        raise ConfigurationFault(f"{PRESET}{shown(name)}: there is no such preset. {hint}")
    return resources.files("mappings").joinpath("presets", f"{name}.yaml").read_text("utf-8")
