"""Documents say what is there: nothing undocumented, nothing promised that isn't."""

import re
from pathlib import Path

import pytest

from plant.site import known_keys
from tracertwin import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
VERBS = [command.callback.__name__ for command in app.registered_commands]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_stands_in_the_readme(verb):
    assert f"tracertwin {verb}" in README


def test_the_readme_names_no_verb_that_is_not_there():
    assert set(re.findall(r"tracertwin ([a-z][a-z0-9]*)", README)) <= set(VERBS)


@pytest.mark.parametrize("target", re.findall(r"make ([a-z]+)", README))
def test_every_make_verb_of_the_readme_is_there(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_of_the_readme_lead_somewhere(link):
    assert (ROOT / link).exists()


@pytest.mark.parametrize("key", sorted({key for keys in known_keys().values() for key in keys}))
def test_every_site_key_stands_in_the_site_page(key):
    assert f"`{key}`" in (ROOT / "docs" / "site.md").read_text(encoding="utf-8")
