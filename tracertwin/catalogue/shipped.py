"""The shelves of batteries, controllers and sites: the YAML files of ``config``."""

from collections.abc import Iterator
from functools import partial

from plant.base import configs
from plant.base.yamlfile import load_yaml
from plant.battery.file import nominal_v, read_block
from plant.battery.model import rated_ah
from plant.controller.model import ControllerModel
from plant.site.model import load_site
from tracertwin.catalogue.items import Figure, FigureColumn, Item, Shelf, names_of, shown_file


def _battery(name: str) -> Item:
    block = read_block(name)
    family = str(load_yaml(configs.find("batteries", name)).data["family"])
    figures: dict[str, Figure] = {
        "family": family,
        "block_v": nominal_v(block.parameters),
        "block_ah": rated_ah(block.parameters),
        "cells": round(block.parameters.cells),
    }
    return Item(name, figures, block.title)


def _controller(name: str) -> Item:
    model = ControllerModel.load(name)
    title = str(load_yaml(configs.find("controllers", name)).data.get("title", ""))
    keys = ("charge_rated_a", "charge_rated_w_12v", "charge_rated_w_24v", "pv_rated_v", "load_rated_a")
    return Item(name, {key: getattr(model, key) for key in keys}, title)


def _site(name: str) -> Item:
    site = load_site(name)
    path = configs.find("sites", name)
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    figures = {
        "latitude_deg": site.location.latitude_deg,
        "longitude_deg": site.location.longitude_deg,
        "array_w": round(site.array.rated_w),
        "battery_v": site.battery.system_v,
        "battery_ah": site.battery.capacity_ah,
        "battery": site.battery.model,
    }
    return Item(name, figures, first.removeprefix("#").strip() if first.startswith("#") else site.name)


def _shelf(kind: str, usage: str, columns: tuple[FigureColumn, ...]) -> Shelf:
    item_of = {"batteries": _battery, "controllers": _controller, "sites": _site}[kind]

    def items() -> Iterator[Item]:
        return map(item_of, names_of(kind))

    return Shelf(kind, usage, columns, items, partial(shown_file, kind, item_of=item_of))


BATTERIES = _shelf(
    "batteries",
    "battery: {model: NAME, capacity_ah: 100}, of any capacity",
    (
        FigureColumn("family", "family"),
        FigureColumn("block_v", "block", "V", 0),
        FigureColumn("block_ah", "as filed", "Ah", 0),
        FigureColumn("cells", "cells"),
    ),
)
CONTROLLERS = _shelf(
    "controllers",
    "controller: {model: NAME}",
    (
        FigureColumn("charge_rated_a", "charge", "A", 0),
        FigureColumn("charge_rated_w_12v", "at 12 V", "W", 0),
        FigureColumn("charge_rated_w_24v", "at 24 V", "W", 0),
        FigureColumn("pv_rated_v", "PV up to", "V", 0),
        FigureColumn("load_rated_a", "load", "A", 0),
    ),
)
SITES = _shelf(
    "sites",
    "to run it: tracertwin run NAME",
    (
        FigureColumn("latitude_deg", "lat", "deg", 1),
        FigureColumn("longitude_deg", "lon", "deg", 1),
        FigureColumn("array_w", "array", "W", 0),
        FigureColumn("battery_v", "bank", "V", 0),
        FigureColumn("battery_ah", "bank", "Ah", 0),
        FigureColumn("battery", "battery"),
    ),
)
