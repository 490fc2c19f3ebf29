"""Run every benchmark and print one table; takes some four minutes."""

import sys
from time import perf_counter

from benchmarks import books, designs, fixtures, pagetabs, physics, sizing, startup, turnround, weather
from benchmarks.table import Result, console, machine, print_results

GROUPS = (physics, books, sizing, designs, weather, turnround, pagetabs, startup, fixtures)


def main() -> None:
    """Measure, and print as a table what was found."""
    out = console()
    out.print(machine())
    began = perf_counter()
    results: list[Result] = []
    for group in GROUPS:
        name = group.__name__.rpartition(".")[2]
        print(f"measuring: {name} ...", file=sys.stderr, flush=True)
        results += group.run()
    out.print()
    print_results(out, results)
    missed = sum(not result.is_met for result in results)
    out.print(
        f"\n{missed} of {len(results)} missed; {perf_counter() - began:.0f} s in all, times are wall times"
    )


if __name__ == "__main__":
    main()
