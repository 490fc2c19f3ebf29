"""`make fuzz`: each target searched for a while; exit status 1 when something was found.

``python -m tests.fuzz --seconds 60 codec tracer``. ``--keep`` has new inputs that show new edges join the corpus, as
few as show them all; ``--seed`` begins the corpus from the targets' seeds.
"""

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import CORPUS, TARGETS, Target

ROOT = Path(__file__).parents[2]
FOUND = ROOT / ".fuzz"  # inputs on which something was wrong
INPUT_S = 10  # an input that takes longer is a finding
MEMORY_MB = 2048  # as is one that takes more
LARGEST_CORPUS = 80_000  # bytes for each target: it is replayed by every run of the tests


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a search."""

    target: Target
    executions: int
    edges: int
    new: int
    findings: list[Path]
    said: str  # about the first finding

    def __str__(self) -> str:
        told = f"{self.target.name:8} {self.executions:11,} {self.edges:8,} {self.new:11,} {len(self.findings):9}"
        return "\n".join(
            [told, *(f"  {path}" for path in self.findings), *([self.said] if self.findings else [])]
        )


def search(target: Target, seconds: int, folder: Path) -> Run:
    """Search a target from its corpus; inputs with new edges go into `folder`."""
    before = _saved(target)
    text = _atheris(target, folder, CORPUS / target.name, f"-max_total_time={seconds}", f"-timeout={INPUT_S}")
    covered = re.findall(r"cov: (\d+)", text)
    executed = re.findall(r"^#(\d+)", text, re.MULTILINE)
    return Run(
        target,
        max(map(int, executed), default=0),
        max(map(int, covered), default=0),
        len(list(folder.iterdir())),
        sorted(_saved(target) - before),
        "\n".join(f"  | {line}" for line in _complaint(text)),
    )


def minimise(target: Target, *folders: Path) -> None:
    """Make the corpus anew: as few and small inputs of the folders as show all their edges."""
    with tempfile.TemporaryDirectory() as name:
        _atheris(target, "-merge=1", Path(name), *folders)
        chosen = sorted(Path(name).iterdir(), key=lambda path: path.stat().st_size)
        for path in target.corpus:
            path.unlink()
        size = 0
        for path in chosen:
            data = path.read_bytes()
            size += len(data)
            if size <= LARGEST_CORPUS:
                (CORPUS / target.name / hashlib.sha1(data).hexdigest()[:12]).write_bytes(data)


def seed(target: Target, folder: Path) -> None:
    """The target's seeds as files."""
    for number, data in enumerate(target.module.seeds()):
        (folder / f"seed{number}").write_bytes(data)


def _saved(target: Target) -> set[Path]:
    return set(FOUND.glob(f"{target.name}-*"))


def _atheris(target: Target, *options: Path | str) -> str:
    """Run the search in a process of its own; what it printed."""
    FOUND.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz.search", target.name, *map(str, options)]
    command += [f"-artifact_prefix={FOUND / target.name}-", f"-rss_limit_mb={MEMORY_MB}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    text = done.stdout + done.stderr
    if done.returncode != 0 and "Test unit written" not in text:
        raise SystemExit(f"the search of {target.name} failed:\n{text[-3000:]}")
    return text


def _complaint(text: str) -> list[str]:
    """What Python or libFuzzer said about a finding."""
    _, found, after = text.partition("=== Uncaught Python exception: ===")
    if not found:
        return [line for line in text.splitlines() if "ERROR: libFuzzer" in line][:1]
    return after.partition("==")[0].strip().splitlines()[:20]


def main() -> int:
    """Search by the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="all unless given")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--keep", action="store_true", help="new inputs join the corpus")
    parser.add_argument("--seed", action="store_true", help="begin the corpus from the seeds")
    given = parser.parse_args()
    found = False
    print("target    executions    edges  new inputs  findings")
    for target in [TARGETS[name] for name in given.targets or TARGETS]:
        (CORPUS / target.name).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if given.seed:
                seed(target, folder)
            run = search(target, given.seconds, folder)
            print(run, flush=True)
            found = found or bool(run.findings)
            if given.keep:
                minimise(target, CORPUS / target.name, folder)
    return int(found)


if __name__ == "__main__":
    sys.exit(main())
