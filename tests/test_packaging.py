"""The wheel works away from the clone: configuration travels with it."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A fresh virtual environment, outside the clone, with the built wheel; libraries are borrowed from this one."""
    place = tmp_path_factory.mktemp("elsewhere")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place / "dist", ROOT],
        check=True, capture_output=True,
    )  # fmt: skip
    subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True)
    python = place / "venv" / "bin" / "python"
    site_packages = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    # A path file adds the libraries but not the clone: path files in the added folder are not read.
    (Path(site_packages) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    wheel = next((place / "dist").glob("*.whl"))
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel], check=True)
    return place


def run(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [place / "venv" / "bin" / "tracertwin", *arguments],
        check=False, cwd=place, env=CLEAN, capture_output=True, text=True, timeout=180,
    )  # fmt: skip


def test_demo_runs_a_day_from_the_wheel(installed):
    done = run(installed, "demo", "--days", "1", "--speed", "40000")
    assert done.returncode == 0, done.stderr
    assert "0 lost" in done.stdout


def test_installed_code_is_the_wheels_not_the_clones(installed):
    python = installed / "venv" / "bin" / "python"
    where = subprocess.run(
        [python, "-c", "import plant, modbus, tracertwin; print(plant.__file__, modbus.__file__, tracertwin.__file__)"],
        check=True, cwd=installed, env=CLEAN, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert str(ROOT) not in where
    assert where.count(str(installed)) == 3


def test_configuration_of_the_wheel_is_the_clones(installed):
    python = installed / "venv" / "bin" / "python"
    found = subprocess.run(
        [python, "-c", "from plant.base.configs import config_dir; print(config_dir())"],
        check=True, cwd=installed, env=CLEAN, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip

    def files(folder: Path) -> dict[str, bytes]:
        return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.yaml")}

    assert files(Path(found)) == files(ROOT / "config")
