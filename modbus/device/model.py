"""A controller model as a master sees it: its name, and how much it sends at once.

Read from the section `line` of a file in ``config/controllers``; what the model does to a plant is in
`plant.controller.model`.
"""

from functools import lru_cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from plant.base import configs
from plant.base.problems import ProblemsError
from plant.base.yamlfile import KeyPath, load_yaml, problems_of

AsciiText = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[ -~]+$")]


class Largest(BaseModel):
    """The most that one request may ask for."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    bits: int = Field(ge=1, le=2000)
    words: int = Field(ge=1, le=125)
    sparse: int = Field(ge=1, le=118)  # 118 that all exist fill a frame
    written: int = Field(ge=1, le=123)


class Model(BaseModel):
    """What tells one controller from another on the line."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    vendor: AsciiText
    name: AsciiText
    firmware: AsciiText
    serial: Annotated[str, Field(pattern=r"^\d{13}$")]  # and three digits more: the unit id
    largest: Largest
    too_large: Literal[2, 3]  # exception for more than that
    user_with_auto: bool = True  # type user is taken though the unit finds out the system voltage by itself
    new_id: Literal["at_once", "after_power_cycle"]  # when an id that function 45 sets is used
    # first addresses of those optional rows of the map that it has
    optional: Annotated[tuple[int, ...], Field(strict=False)] = ()
    login: dict[str, Annotated[str, Field(min_length=6, max_length=6)]]  # names and passwords of function 41


class _LineSection(BaseModel):
    """The part of a controller's file that is about the line."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    line: Model


@lru_cache(maxsize=16)
def load_model(name: str) -> Model:
    """A model of ``config/controllers`` by name, or a path to a file of one's own.

    Raises
    ------
    ProblemsError
        With every problem of the section: line, key, and what would do.
    """
    document = load_yaml(configs.find("controllers", name))
    try:
        return _LineSection.model_validate(document.data).line
    except ValidationError as error:
        raise ProblemsError(problems_of(error, document, KNOWN_KEYS)) from None


KNOWN_KEYS: dict[KeyPath, list[str]] = {  # of each mapping, for the near-name hints
    ("line",): list(Model.model_fields),
    ("line", "largest"): list(Largest.model_fields),
}
