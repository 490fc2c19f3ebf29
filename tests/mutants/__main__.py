"""The mutation score: ``python -m tests.mutants``; ``--every`` runs all scenarios on each defect, which takes hours.

Prints a line for each defect: the scenario that finds it, and an expectation of it that fails. Exit code 1: one survives.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from tests.mutants.defects import DEFECTS, SURVIVE, Defect
from tests.mutants.planting import Killed, copied, killed
from tracertwin.checking.many import default_jobs


def _tried(defects: tuple[Defect, ...], every: bool) -> list[Killed]:
    found = []
    with copied() as folder:
        for defect in defects:
            one = killed(defect, folder, every)
            told = (
                f"{', '.join(one.by)}: {one.expectation}" if one.by else SURVIVE.get(defect.name, "SURVIVES")
            )
            print(f"{'killed' if one.by else 'lives '} {defect.name} | {told}", flush=True)
            found.append(one)
    return found


def main(words: list[str]) -> int:
    """Plant every defect, or those whose name has a word."""
    every = "--every" in words
    wanted = [word for word in words if word != "--every"]
    defects = tuple(one for one in DEFECTS if not wanted or any(word in one.name for word in wanted))
    jobs = min(default_jobs(), len(defects)) or 1
    with ThreadPoolExecutor(jobs) as pool:
        parts = list(pool.map(_tried, [defects[k::jobs] for k in range(jobs)], [every] * jobs))
    all_of_them = [one for part in parts for one in part]
    dead = sum(bool(one.by) for one in all_of_them)
    print(f"{dead} of {len(all_of_them)} defects are found by the shipped scenarios")
    return int(any(not one.by and one.defect.name not in SURVIVE for one in all_of_them))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
