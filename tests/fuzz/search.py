"""One target under atheris, in a process of its own: ``python -m tests.fuzz.search codec <options of libFuzzer>``.

Edges are counted in our packages and in yaml's, but not in kernels: numba can't compile instrumented code.
"""

import logging
import random
import shlex
import sys
from pathlib import Path

import atheris

from tests.fuzz.targets import TARGETS

PACKAGES = ["modbus", "plant", "tracertwin", "yaml"]
LINEWISE = 0.5  # share of the mutations of a text that keep its lines whole


def kernels() -> list[str]:
    """The modules that hold code for numba."""
    root = Path(__file__).parents[2]
    paths = [path for path in (root / "plant").rglob("*.py") if b"plant.base.jit import" in path.read_bytes()]
    return ["plant.base.jit", *(".".join(path.relative_to(root).with_suffix("").parts) for path in paths)]


def main() -> None:
    """Search until libFuzzer's options say stop."""
    target = TARGETS[sys.argv[1]]
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    with atheris.instrument_imports(include=PACKAGES, exclude=kernels()):
        module = target.module
    # How a merge starts its helpers.
    again = shlex.join((sys.executable, "-m", "tests.fuzz.search", target.name))
    options = [again, *sys.argv[2:], f"-max_len={target.longest}"]
    if target.is_text:
        from tests.fuzz.text import mutated

        def mutate(data: bytes, most: int, seed: int) -> bytes:
            if random.Random(seed).random() < LINEWISE:
                return mutated(data, seed, skip=int(target.name == "files"))[:most]
            return bytes(atheris.Mutate(data, most))

        atheris.Setup(options, module.one, custom_mutator=mutate)
    else:
        atheris.Setup(options, module.one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
