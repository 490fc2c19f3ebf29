"""Solar modules: the six parameters of the CEC model, from our files or from the table that pvlib ships."""

from functools import lru_cache
from typing import NamedTuple

from plant import configs
from plant.problems import Problem, ProblemsError, did_you_mean
from plant.yamlfile import load_yaml, read_numbers


class Module(NamedTuple):
    """CEC parameters of one module at 1000 W/m2 and 25 degC."""

    alpha_sc: float  # temperature coefficient of the short-circuit current [A/K]
    a_ref: float  # modified ideality: diode factor x cells x kT/q [V]
    i_l_ref: float  # light current [A]
    i_o_ref: float  # saturation current [A]
    r_sh_ref: float  # shunt [Ohm]
    r_s: float  # series [Ohm]
    adjust: float  # adjustment of alpha_sc [%]
    i_mp_ref: float
    v_mp_ref: float
    v_oc_ref: float


_CEC_COLUMNS = (
    "alpha_sc", "a_ref", "I_L_ref", "I_o_ref", "R_sh_ref", "R_s", "Adjust", "I_mp_ref", "V_mp_ref", "V_oc_ref",
)  # fmt: skip


@lru_cache(maxsize=32)
def find_module(name: str) -> Module:
    """A module by the name of a file in ``config/modules``, a path to one, or its name in the CEC table.

    Raises
    ------
    ProblemsError
        If there is none; suggests a near name.
    """
    ours = configs.config_dir() / "modules"
    if name.endswith((".yaml", ".yml")) or (ours / f"{name}.yaml").is_file():
        return _from_file(name)
    from pvlib import pvsystem

    table = pvsystem.retrieve_sam("CECMod")  # 21,535 modules; takes a second
    if name in table:
        row = table[name]
        return Module(*(float(row[column]) for column in _CEC_COLUMNS))
    known = [path.stem for path in ours.glob("*.yaml")]
    hint = did_you_mean(name, [*known, *table.columns])
    raise ProblemsError(
        [
            Problem(
                name,
                0,
                "",
                f"no such module in config/modules ({', '.join(sorted(known))}) nor in the CEC table{hint}",
            )
        ]
    )


def _from_file(name: str) -> Module:
    document = load_yaml(configs.find("modules", name))
    return Module(**read_numbers(document, Module._fields, about=("title", "source")))
