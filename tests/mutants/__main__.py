"""The mutation score: ``python -m tests.mutants [WORD...]``, of all defects or of those whose name has a word.

Prints for each the scenario that finds it, and an expectation of it that fails. ``--every`` runs all scenarios on each,
which takes hours; ``--write`` puts the table into docs/mutants.md. Exit code 1: a defect survives.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from tests.mutants.page import PAGE, current
from tests.mutants.planting import Defect, Killed, copied, defects, killed
from tracertwin.checking.many import default_jobs


def _tried(some: tuple[Defect, ...], every: bool) -> list[Killed]:
    found = []
    with copied() as folder:
        for defect in some:
            one = killed(defect, folder, every)
            told = f"found by {', '.join(one.by)}: {one.expectation}" if one.by else "SURVIVES"
            print(f"{defect.name}: {told}", flush=True)
            found.append(one)
    return found


def main(words: list[str]) -> int:
    """Plant defects."""
    options = {word for word in words if word.startswith("--")}
    wanted = [word for word in words if word not in options]
    chosen = tuple(one for one in defects() if not wanted or any(word in one.name for word in wanted))
    jobs = max(1, min(default_jobs(), len(chosen)))
    with ThreadPoolExecutor(jobs) as pool:
        parts = list(pool.map(_tried, [chosen[k::jobs] for k in range(jobs)], ["--every" in options] * jobs))
    found = {one.defect.name: one for part in parts for one in part}
    dead = sum(bool(one.by) for one in found.values())
    print(f"{dead} of {len(found)} defects are found by the shipped scenarios")
    if "--write" in options:
        PAGE.write_text(current(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
    return int(dead < len(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
