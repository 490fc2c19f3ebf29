"""A site with all it is made of in one piece: batteries, controllers, loads and weather by content, not by name.

For whatever outlives the files it was made from, a journal for one. Modules become their parameters; the files that
nothing else can stand for go along as text.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import ValidationError

from plant.base import configs
from plant.base.problems import Problem, ProblemsError
from plant.site.model import Site

FOREIGN = "surrogateescape"  # a weather file may be in any encoding; its bytes have to come out again


class Files:
    """Files by content, each under a name of its own: ``batteries/agm.yaml``."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def add(self, kind: str, path: Path) -> str:
        """Take a file along; the name it goes by."""
        text = path.read_bytes().decode("utf-8", FOREIGN)
        name, number = f"{kind}/{path.name}", 1
        while self.texts.get(name, text) != text:
            number += 1
            name = f"{kind}/{path.stem}-{number}{path.suffix}"
        self.texts[name] = text
        return name


@contextmanager
def unpacked(texts: Mapping[str, str]) -> Iterator[Path]:
    """A folder that holds the files as long as the block lasts.

    Raises
    ------
    ValueError
        If a name leads out of the folder.
    """
    with TemporaryDirectory(prefix="tracertwin-") as folder:
        top = Path(folder).resolve()
        for name, text in texts.items():
            path = (top / name).resolve()
            if not path.is_relative_to(top) or path == top:
                raise ValueError(f"not a valid file name: {name!r}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8", FOREIGN))
        yield top


def copied(site: Site, files: Files) -> dict[str, Any]:
    """A site as plain data that names nothing but `files`; neighbours and prices are left out."""
    data = site.model_dump(mode="json", exclude={"neighbours", "costs"})
    data["battery"]["model"] = files.add("batteries", configs.find("batteries", site.battery.model))
    data["controller"]["model"] = files.add("controllers", configs.find("controllers", site.controller.model))
    if site.weather.file is not None:
        data["weather"]["file"] = files.add("weather", Path(site.weather.file))
    for load in (data["load"], *(part["demand"] for part in data["battery"]["loads"])):
        for item in load["items"]:
            if item["kind"] == "appliances":
                item["model"] = files.add("loads", configs.find("loads", item["model"]))
    _spell_out_modules(site, data["array"])
    return data


def _spell_out_modules(site: Site, array: dict[str, Any]) -> None:
    """A fit to a data sheet, or a table of pvlib's, may give other numbers tomorrow."""
    if not array["sub_arrays"]:
        del array["sub_arrays"]  # written flat
    for part, spelled in zip(site.array.parts, array.get("sub_arrays", [array]), strict=True):
        spelled["module"] = {"parameters": part.module_parameters()._asdict()}


def restored(data: Mapping[str, Any], folder: Path) -> Site:
    """The site of such data.

    Parameters
    ----------
    data : mapping
        From `copied`.
    folder : Path
        From `unpacked`; the site may look into it as long as it lives.

    Raises
    ------
    ProblemsError
        If it is not a site.
    """
    try:
        site = dict(data)
        site["battery"] = _at(data["battery"], "model", folder)
        site["controller"] = _at(data["controller"], "model", folder)
        if data["weather"].get("file") is not None:
            site["weather"] = _at(data["weather"], "file", folder)
        site["load"] = _load_at(data["load"], folder)
        parts = [
            {**part, "demand": _load_at(part["demand"], folder)} for part in data["battery"].get("loads", [])
        ]
        site["battery"]["loads"] = parts
        return Site.model_validate(site)
    except (KeyError, TypeError, AttributeError) as error:
        raise ProblemsError([Problem("site", 0, "", f"not as it was recorded: {error!r}")]) from None
    except ValidationError as error:
        told = [(".".join(map(str, item["loc"])), item["msg"]) for item in error.errors(include_url=False)]
        raise ProblemsError([Problem("site", 0, where, message) for where, message in told]) from None


def _load_at(load: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    items = [_at(item, "model", folder) if "model" in item else item for item in load["items"]]
    return {**load, "items": items}


def _at(record: Mapping[str, Any], key: str, folder: Path) -> dict[str, Any]:
    return {**record, key: str(folder / record[key])}
