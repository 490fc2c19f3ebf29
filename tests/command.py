"""The command line for tests of several files: where it is, how it starts, what a refusal looks like."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CABIN = (ROOT / "config" / "sites" / "cabin.yaml").read_text(encoding="utf-8")
COMMAND = [sys.executable, "-m", "tracertwin"]
START_S = 120.0  # a first start compiles


def refusal(ended: tuple[int, str, str], because: int = 2) -> list[str]:
    """The lines a refused command says, without its name; it says nothing else and ends with a code."""
    code, out, err = ended
    lines = [line for line in err.splitlines() if "compiling this kind of plant" not in line]
    assert code == because
    assert out == ""
    assert all(line.startswith("tracertwin: ") for line in lines)
    return [line.removeprefix("tracertwin: ") for line in lines]
