"""Measured data that may not or need not travel with this project: fetched once when evidence is wanted.

The month of BSRN Payerne (MeteoSwiss) stands in older releases of pvlib, as data of its tests; pip brings it.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from validation.check import MissingEvidence

PVLIB = "pvlib==0.11.2"  # the last one whose wheel holds the file
PAYERNE = "pvlib/data/bsrn-pay0616.dat.gz"
PAYERNE_SHA256 = "4b30e5faacd06b9786d1547406667a17e392c2b926b29d16bc87b3f36b9f4e0c"
PATIENCE_S = 300.0


def cache_dir() -> Path:
    """Where fetched files are kept."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    return base / "tracertwin" / "validation"


def payerne_june_2016() -> Path:
    """The station-to-archive file of BSRN Payerne, June 2016, one-minute values.

    Raises
    ------
    MissingEvidence
        Without a network on the first call.
    """
    kept = cache_dir() / Path(PAYERNE).name
    if not _is_intact(kept):
        with tempfile.TemporaryDirectory() as folder:
            wheel = download(PVLIB, Path(folder), "the measured month of BSRN Payerne")
            with zipfile.ZipFile(wheel) as archive:
                data = archive.read(PAYERNE)
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh = kept.with_suffix(f".{os.getpid()}")  # two at once must not see half a file
        fresh.write_bytes(data)
        fresh.replace(kept)
        if not _is_intact(kept):
            raise MissingEvidence(f"{PAYERNE} of {PVLIB} is not the file that it was")
    return kept


def _is_intact(path: Path) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == PAYERNE_SHA256


def download(requirement: str, folder: Path, what: str) -> Path:
    """A release's wheel, fetched into a folder without installing it.

    Raises
    ------
    MissingEvidence
        It can't be fetched; says what comes with it.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    environment = {key: value for key, value in os.environ.items() if key != "PIP_CONSTRAINT"}
    try:
        subprocess.run(
            [*command, "--dest", str(folder), requirement],
            check=True, capture_output=True, env=environment, timeout=PATIENCE_S,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        raise MissingEvidence(
            f"{what} comes with {requirement}, and pip can't download it; is there a network?"
        ) from None
    return next(folder.glob(f"{requirement.partition('==')[0]}-*.whl"))
