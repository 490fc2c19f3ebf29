"""Where the data files are: beside the packages in a clone, inside `plant` in an installed wheel."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from plant.base.problems import Problem, ProblemsError, did_you_mean

A_FOLDER: Final = "is a folder, not a file"
WORDS: Final = {"registers": "register maps"}  # for folders whose name says something else


def config_dir() -> Path:
    """The folder that holds ``sites/``, ``batteries/``, ``controllers/`` and ``registers/``."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "config"  # pyproject.toml puts it there when the wheel is built
    return installed if installed.is_dir() else package.parent / "config"


def is_file(path: Path) -> bool:
    """Whether there is such a file; not for a name that is too long for one."""
    with suppress(OSError):
        return path.is_file()
    return False


def no_file(path: Path) -> str:
    """Why a path can't be read as a file."""
    with suppress(OSError):
        if path.is_dir():
            return A_FOLDER
        if path.exists():
            return "is not a regular file"
    return "no such file"


def beside(name: str, context: Mapping[str, Any] | None) -> str:
    """A path that a site file gives, counted from that file's folder; what is not a file there stays as it is.

    Parameters
    ----------
    name : str
        What stands in the site file: a name from ``config/``, or a path.
    context : mapping or None
        Of the validation; ``folder`` is the site file's.
    """
    there = Path((context or {}).get("folder", ".")) / name
    return str(there) if Path(name).suffix and is_file(there) else name


def find(kind: str, name: str) -> Path:
    """The YAML file of a thing by its name.

    Parameters
    ----------
    kind : str
        Folder of the configuration: ``sites``, ``batteries``, ``controllers``, ``registers``.
    name : str
        A name without suffix (``agm``), or a path to a file of one's own.

    Raises
    ------
    ProblemsError
        If there is no such file; says which there are.
    """
    if name.endswith((".yaml", ".yml")) or "/" in name:
        path = Path(name)
        if is_file(path):
            return path
        raise ProblemsError([Problem(name, 0, "", no_file(path))])
    folder = config_dir() / kind
    path = folder / f"{name}.yaml"
    if is_file(path):
        return path
    known = sorted(p.stem for p in folder.glob("*.yaml"))
    what = f"not one of the {WORDS.get(kind, kind)}: {', '.join(known)}{did_you_mean(name, known)}"
    is_folder = no_file(Path(name)) == A_FOLDER
    raise ProblemsError([Problem(name, 0, "", f"{A_FOLDER}, and {what}" if is_folder else what)])
