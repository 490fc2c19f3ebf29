"""``python -m tests.edited EDITS.json MODULE ARGUMENT...``: run a module as if some source files had been edited.

The files stay as they are: what an edit changes is loaded from the changed text before anything else is. So the cache
of compiled code, which hangs on the files, goes on serving. The JSON has path -> source.
"""

import importlib.util
import json
import runpy
import sys
from pathlib import Path


def load(path: str, source: str) -> None:
    """Import the module of a source file from another text."""
    name = path.removesuffix(".py").replace("/", ".")
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    parent, _, own = name.rpartition(".")
    setattr(sys.modules[parent], own, module)
    exec(compile(source, spec.origin, "exec"), module.__dict__)


if __name__ == "__main__":
    for path, source in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")).items():
        load(path, source)
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
