"""The recorded frames as bytes."""

from collections.abc import Iterator
from pathlib import Path

import yaml


def captured() -> Iterator[tuple[bytes, bytes]]:
    """Requests that were put to real controllers, and their replies."""
    text = (Path(__file__).parents[1] / "golden" / "tracer_captures.yaml").read_text(encoding="utf-8")
    for _, _, request, reply in yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))["captures"]:
        if reply is not None:
            yield bytes.fromhex(request), bytes.fromhex(reply)
