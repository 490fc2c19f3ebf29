"""A design as a site file, for `run`, `serve` and whoever builds it."""

from pathlib import Path
from typing import Any

import yaml

from plant.site.model import Site
from plant.site.overriding import with_values
from tracertwin.files import write_whole
from tracertwin.sizing.choosing.judged import Judged
from tracertwin.sizing.sweep.designs import Base

HEAD = "# {name}, made by tracertwin size from {file}.\n"


def write_site(path: Path, one: Judged, base: Base) -> None:
    """Write a design to a file that can stand anywhere: what it names beside the first site file is named in full.

    Raises
    ------
    ProblemsError
        If the file can't be written.
    """
    write_whole(path, site_text(one, base))


def site_text(one: Judged, base: Base) -> str:
    """What `write_site` writes."""
    site = one.design.site
    data = _whole_paths(with_values(base.document.data, one.design.overrides, base.no_such_key), site)
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)
    return HEAD.format(name=site.name, file=base.document.file) + text


def _whole_paths(data: dict[str, Any], site: Site) -> dict[str, Any]:
    """The data with the names that the site's own records have for files beside it."""
    battery = {**data["battery"], "model": site.battery.model}
    controller = {**(data.get("controller") or {}), "model": site.controller.model}
    whole = {**data, "battery": battery, "controller": controller}
    if site.weather.file is not None:
        whole["weather"] = {**data["weather"], "file": str(Path(site.weather.file).resolve())}
    whole["array"] = _modules_named(data["array"], site)
    whole["load"] = _items_named(data["load"], site.load)
    if site.battery.loads:
        battery["loads"] = [
            {**given, "demand": _items_named(given["demand"], load.demand)}
            for given, load in zip(data["battery"]["loads"], site.battery.loads, strict=True)
        ]
    return whole


def _modules_named(array: dict[str, Any], site: Site) -> dict[str, Any]:
    if not site.array.sub_arrays:
        return {**array, **_named(array, site.array.module)}
    parts = zip(array["sub_arrays"], site.array.sub_arrays, strict=True)
    return {**array, "sub_arrays": [{**given, **_named(given, part.module)} for given, part in parts]}


def _named(given: dict[str, Any], module: Any) -> dict[str, Any]:
    return {"module": _full(module) if isinstance(module, str) else given["module"]}


def _items_named(load: dict[str, Any], record: Any) -> dict[str, Any]:
    if not load.get("items"):
        return load
    items = [
        {**given, "model": _full(item.model)} if getattr(item, "model", None) else given
        for given, item in zip(load["items"], record.items, strict=True)
    ]
    return {**load, "items": items}


def _full(name: str) -> str:
    """A path as one that holds anywhere; a name out of ``config/`` stays."""
    return str(Path(name).resolve()) if Path(name).suffix in (".yaml", ".yml", ".pan") else name
