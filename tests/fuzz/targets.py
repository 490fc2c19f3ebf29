"""The table of targets: a new one is a module with `one` and `seeds`, and a row here."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol, cast

CORPUS = Path(__file__).with_name("corpus")


class Module(Protocol):
    """What a target's module has."""

    def one(self, data: bytes) -> None:
        """Raise where something is wrong."""

    def seeds(self) -> Iterator[bytes]:
        """Inputs to begin with."""


class Target(NamedTuple):
    """Something to be fuzzed."""

    name: str
    what: str
    is_text: bool
    longest: int  # input in bytes

    @property
    def module(self) -> Module:
        """Its code, imported now."""
        return cast(Module, importlib.import_module(f"tests.fuzz.{self.name}"))

    @property
    def corpus(self) -> list[Path]:
        """Inputs that once showed something new, or were wrong."""
        return sorted((CORPUS / self.name).iterdir())


TARGETS = {
    target.name: target
    for target in (
        Target("codec", "RTU frames, the parser, what a master makes of replies", False, 1200),
        Target("mbap", "Modbus/TCP frames, their parser, replies in their envelopes", False, 1200),
        Target("tracer", "requests put to a Tracer on either map", False, 1200),
        Target("site", "site files", True, 6000),
        Target("commands", "what is told to a running plant", False, 400),
        Target("files", "register maps, controllers, batteries, modules, appliances", True, 7000),
    )
}
