"""Verdicts as JUnit XML, as Jenkins, GitLab and others read it: a suite for each scenario, a case for each expectation.

Valid against the schema of Jenkins' xUnit plugin, which has properties at a suite only: the margins are there, by the
text of their expectation.
"""

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from tracertwin.checking.outcome import CaseOutcome
from tracertwin.scenario.vocabulary import SHARE

UNFINISHED = "is run to its end"
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # of characters in XML 1.0


def junit(outcomes: Sequence[CaseOutcome]) -> str:
    """The document."""
    failures = sum(row.fails for outcome in outcomes for row in outcome.verdicts)
    tests = sum(len(outcome.verdicts) or bool(outcome.problems) for outcome in outcomes)
    errors = sum(bool(outcome.problems) for outcome in outcomes)
    top = _element(None, "testsuites", name="tracertwin check", tests=tests, failures=failures, errors=errors)
    for outcome in outcomes:
        _suite(top, outcome)
    ElementTree.indent(top)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(top, encoding="unicode")}\n'


def _suite(top: ElementTree.Element, outcome: CaseOutcome) -> None:
    failures = sum(row.fails for row in outcome.verdicts)
    skipped = sum(row.information for row in outcome.verdicts)
    errors = int(bool(outcome.problems))
    suite = _element(
        top, "testsuite", name=f"{outcome.name}, seed {outcome.seed}", tests=len(outcome.verdicts) + errors,
        failures=failures, errors=errors, skipped=skipped, file=outcome.file,
    )  # fmt: skip
    properties = _element(suite, "properties")
    _element(properties, "property", name="about", value=" ".join(outcome.about))
    _element(properties, "property", name="seed", value=outcome.seed)
    for row in outcome.verdicts:
        value = f"{row.margin!r} {'' if row.unit == SHARE else row.unit}".rstrip()
        _element(properties, "property", name=f"margin of: {row.expected}", value=value)
    called = f"{outcome.file}, seed {outcome.seed}"  # tools tell cases apart by these two names alone
    if outcome.problems:
        case = _element(suite, "testcase", name=UNFINISHED, classname=called)
        why = "\n".join(map(str, outcome.problems))
        error = _element(case, "error", type="error", message=why.partition("\n")[0])
        error.text = FORBIDDEN.sub("?", why)
    for row in outcome.verdicts:
        case = _element(suite, "testcase", name=row.expected, classname=called)
        if row.information:
            _element(case, "skipped", message=f"for information: {row.words}")
        elif not row.holds:
            failure = _element(case, "failure", type=row.kind, message=row.words)
            failure.text = f"{outcome.file}:{row.line}: {row.expected}: {row.words}"
        _element(case, "system-out").text = FORBIDDEN.sub("?", row.words)


def _element(parent: ElementTree.Element | None, tag: str, **attributes: object) -> ElementTree.Element:
    clean = {name: FORBIDDEN.sub("?", str(value)) for name, value in attributes.items()}
    if parent is None:
        return ElementTree.Element(tag, clean)
    return ElementTree.SubElement(parent, tag, clean)
