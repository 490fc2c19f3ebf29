"""The designs of a sweep: a site with one value of each axis, every combination, each a site file of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final

from plant.array.diode import of_size
from plant.base import configs
from plant.base.problems import Problem, ProblemsError
from plant.base.yamlfile import Document, load_yaml
from plant.site.model import Site
from plant.site.overriding import overridden
from tracertwin.assembly.sitechecks import SITE_CHECKS
from tracertwin.sizing.sweep.vary import LOAD, PV, Axis

MOST_DESIGNS: Final = 100_000
_SAME: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """One design.

    Parameters
    ----------
    values : tuple
        One of each axis.
    overrides : mapping
        What makes it out of the site file: dotted path -> value.
    site : Site
        With these, and alone on its line.
    """

    values: tuple[Any, ...]
    overrides: Mapping[str, Any]
    site: Site


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """What designs are made out of: a site's file, and what is changed in all of them.

    Parameters
    ----------
    name : str
        Of the site, as the user wrote it.
    document : Document
    overrides : mapping
        Dotted path -> value.
    blamed : mapping
        Dotted path -> who said so, for messages: ``--override``, a column of a table.
    """

    name: str
    document: Document
    overrides: Mapping[str, Any]
    blamed: Mapping[str, str]

    def design(self, axes: Sequence[Axis] = (), values: Sequence[Any] = ()) -> Design:
        """The design with one value of each axis.

        Raises
        ------
        ProblemsError
            If there can't be such a site; at the option or the key that is to blame.
        """
        given = {axis.key: value for axis, value in zip(axes, values, strict=True)}
        watts = given.pop(PV, None)
        changes = {**self.overrides, **given}
        causes = {path: f"{option} {path}={changes[path]}" for path, option in self.blamed.items()}
        causes |= {
            axis.key: f"{axis.option} {axis.key}={given[axis.key]}" for axis in axes if axis.key in given
        }
        site = self._site(changes, causes)
        if watts is not None:
            sized = array_of(site, watts)
            changes |= sized
            site = self._site(changes, {**causes, **dict.fromkeys(sized, f"--pv {watts:g} W")})
        return Design(tuple(values), changes, site.model_copy(update={"neighbours": ()}))

    def changed(self, design: Design, changes: Mapping[str, Any]) -> Design:
        """A design with further changes, made out of the same site file.

        Raises
        ------
        ProblemsError
            If there can't be such a site.
        """
        return replace(self, overrides={**design.overrides, **changes}, blamed={}).design()

    def no_such_key(self, path: str, message: str) -> Problem:
        """The problem of a key that is varied, or of another value for it."""
        return Problem(f"{self.blamed.get(path, '--vary')} {path}", 0, "", message)

    def _site(self, changes: Mapping[str, Any], causes: Mapping[str, str]) -> Site:
        def at_override(path: str, message: str) -> Problem:
            # What nobody asked for, a tenth more of something say, has nobody to blame.
            return Problem(causes.get(path, f"{path}={changes[path]}"), 0, "", message)

        return overridden(self.document, changes, SITE_CHECKS, at_override)


def base_of(name: str, overrides: Mapping[str, Any], blamed: Mapping[str, str] | None = None) -> Base:
    """What the designs of a site are made out of.

    Parameters
    ----------
    name : str
        A site of ``config/sites``, or the path of a site file.
    overrides : mapping
        Dotted path -> value.
    blamed : mapping, optional
        As of `Base`; ``--override`` for all unless given.

    Raises
    ------
    ProblemsError
        If there is no such file.
    """
    document = load_yaml(configs.find("sites", name))
    return Base(
        name, document, overrides, dict.fromkeys(overrides, "--override") if blamed is None else blamed
    )


def if_possible(make: Callable[[], Design]) -> Design | None:
    """A design, or none where the site's keys don't allow it."""
    try:
        return make()
    except ProblemsError:
        return None


def designs_of(base: Base, axes: Sequence[Axis]) -> tuple[Design, ...]:
    """Every combination of the axes' values; the first axis moves slowest.

    Raises
    ------
    ProblemsError
        With each different problem of them once.
    """
    number = 1
    for axis in axes:
        number *= len(axis.values)
    if number > MOST_DESIGNS:
        raise ProblemsError(
            [Problem("--vary", 0, "", f"{number:,} designs are too many; at most {MOST_DESIGNS:,}")]
        )
    designs: list[Design] = []
    problems: dict[str, Problem] = {}
    for values in product(*(axis.values for axis in axes)):
        try:
            designs.append(base.design(axes, values))
        except ProblemsError as error:
            problems |= {str(problem): problem for problem in error.problems}
    if problems:
        raise ProblemsError(problems.values())
    return tuple(designs)


def array_of(site: Site, watts: float) -> dict[str, Any]:
    """Overrides by which a site's array has so many watts on its plates.

    Parameters
    ----------
    site : Site
        Several sub-arrays keep their shares.
    watts : float
        Of the whole array.

    Notes
    -----
    The strings stay as long as they are, so the voltages stay. There are as many of them as come nearest, of modules
    like the site's whose current is scaled to make up the rest: 400 W of 95 W modules are 4 strings of 100 W. Whole
    modules of the very kind are what `array.parallel` counts.
    """
    array = site.array
    rated_w = array.rated_w
    changes: dict[str, Any] = {}
    for place, part in enumerate(array.parts):
        where = f"array.sub_arrays[{place}]" if array.sub_arrays else "array"
        strings = part.parallel * watts / rated_w
        parallel = max(1, round(strings))
        changes[f"{where}.parallel"] = parallel
        if abs(strings / parallel - 1.0) > _SAME:
            module = of_size(part.module_parameters(), strings / parallel)
            changes[f"{where}.module"] = {"parameters": module._asdict()}
    return changes


def load_of(site: Site, times: float) -> dict[str, Any]:
    """Overrides by which a site's demand is so many times what it is, at the load output and at the battery."""
    scales = {LOAD: site.load.scale}
    scales |= {
        f"battery.loads[{k}].demand.scale": load.demand.scale for k, load in enumerate(site.battery.loads)
    }
    return {key: float(f"{scale * times:.6g}") for key, scale in scales.items()}


def peak_w(site: Site) -> float:
    """Watts on the plates of a site's array."""
    return site.array.rated_w
