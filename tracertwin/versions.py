"""Versions of what is installed, for files that outlive a run."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def installed(name: str) -> str:
    """Version of a distribution; ``unknown`` in a checkout that was never installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
