"""The verbs that find what a site file may name."""

from typing import Annotated, Any

import typer

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TEXT",
        show_default=False,
        help="Words that must all occur, whatever their case; or one name, or a file of your own: shown whole.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")]
All = Annotated[bool, typer.Option("--all", help="List all that match, however many.")]


def modules(text: Words = None, as_json: AsJson = False, everything: All = False) -> None:
    """Find solar modules: those of config/modules, the 21,535 of the CEC table, or a file of your own."""
    from tracertwin.catalogue.modules import MODULES

    _find(MODULES, text, as_json, everything)


def batteries(text: Words = None, as_json: AsJson = False) -> None:
    """Find batteries: those of config/batteries."""
    from tracertwin.catalogue.shipped import BATTERIES

    _find(BATTERIES, text, as_json, False)


def controllers(text: Words = None, as_json: AsJson = False) -> None:
    """Find charge controllers: those of config/controllers."""
    from tracertwin.catalogue.shipped import CONTROLLERS

    _find(CONTROLLERS, text, as_json, False)


def sites(text: Words = None, as_json: AsJson = False) -> None:
    """Find sites to start from: those of config/sites."""
    from tracertwin.catalogue.shipped import SITES

    _find(SITES, text, as_json, False)


def _find(shelf: Any, text: list[str] | None, as_json: bool, everything: bool) -> None:
    from tracertwin.catalogue.printing import print_found

    print_found(shelf, " ".join(text or ()), as_json, everything)
