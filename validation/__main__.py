"""The command: ``python -m validation [TOPIC...] [--markdown FILE]`` and ``python -m validation figures [DIR]``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from plant.base.problems import did_you_mean
from validation import evidence, report, topics

FIGURES = Path("docs/physics")
WITHIN, OUTSIDE, COULD_NOT = 0, 1, 2


def main(arguments: Sequence[str] | None = None, package: str = "validation") -> int:
    """Run what is asked for.

    Returns
    -------
    int
        0 all within tolerance, 1 some not or a topic raised, 2 rows could not be had or the command makes no sense.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["figures"]:
        return _figures(given[1:], package)
    parser = argparse.ArgumentParser(
        prog="python -m validation",
        description="Compare the plant with what others published or computed.",
        epilog="'figures [DIR]' draws the pictures of the docs instead.",
    )
    parser.add_argument("topic", nargs="*", help="default: all of them")
    parser.add_argument(
        "--markdown", metavar="FILE", type=Path, help="write the tables as a page of the docs, too"
    )
    options = parser.parse_args(given)
    known = topics.find(package)
    unknown = [name for name in options.topic if name not in known]
    if unknown:
        for name in unknown:
            hint = did_you_mean(name, known)
            print(f"{name}: no such topic{hint}; there are {', '.join(known)}", file=sys.stderr)
        return COULD_NOT
    return _check(package, options.topic or list(known), options.markdown)


def _check(package: str, names: Sequence[str], page: Path | None) -> int:
    out = report.console()
    found = []
    for topic in topics.run(package, names):
        found.append(topic)
        report.print_topic(out, topic)
    out.print(evidence.told(found), style="dim")
    out.print(report.summary(found), style="bold red" if any(topic.failed for topic in found) else "bold")
    if page is not None:
        page.write_text(report.markdown(found), encoding="utf-8")
    if any(topic.failed for topic in found):
        return OUTSIDE
    return COULD_NOT if any(topic.missing for topic in found) else WITHIN


def _figures(arguments: Sequence[str], package: str) -> int:
    parser = argparse.ArgumentParser(prog="python -m validation figures", description="Draw the pictures.")
    parser.add_argument("folder", nargs="?", type=Path, default=FIGURES, metavar="DIR")
    folder = parser.parse_args(arguments).folder
    status = WITHIN
    for drawn in topics.draw(package, list(topics.find(package, "figures")), folder):
        for path in drawn.paths:
            print(path)
        if drawn.missing:
            print(f"{drawn.name}: pictures are missing: {drawn.missing}", file=sys.stderr)
            status = status or COULD_NOT
        if drawn.raised:
            print(f"{drawn.name} raised {drawn.raised}", file=sys.stderr)
            status = OUTSIDE
    return status


if __name__ == "__main__":
    sys.exit(main())
