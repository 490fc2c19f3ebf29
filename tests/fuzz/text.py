"""Changes to a file of lines: those that loaders of YAML have gone wrong on."""

import random
from functools import cache

from plant.site.model import known_keys

# Values that have gone wrong in loaders of YAML: no numbers, numbers too large, dates, tags, references, odd text.
VALUES = (
    "nan", ".nan", ".inf", "-.inf", "1e400", "1e308", "-0", "0x_", "0b_", "9" * 4400, "1:60", "2026-02-30",
    "2001-12-14T21:59:43Z", "!!int x", "!!bool x", "!!timestamp 2001-99-99", "!!binary '='",
    "!!python/object:os.system x", "!!set {a, b}", "!!omap [a: 1]", "&a [*a]", "&b {<<: *b}", "*a",
    "<<: *b", "? [a, b]\n: c", "[[[[[[[[[[[[", "{a: {a: {a: {a: 1}}}}", '"\\0"', '"\\ud800"',
    '"\\U0010ffff"', '"\\x85"', "x" * 300, "../" * 90 + "x.yaml", "/dev/null", "~", "yes", "null", "''",
    "[]", "{}", "-1", "0", "1", "24", "1e-320", "4294967296", "18446744073709551616", "1" + "0" * 400,
    "outdoor", "agm", "lifepo4", "user", "2026-06-21T06:00",
)  # fmt: skip


def mutated(data: bytes, seed: int, skip: int = 0) -> bytes:
    """The lines of a file with one value changed, one key put elsewhere, or a line gone, doubled or moved.

    Parameters
    ----------
    data : bytes
    seed : int
    skip : int
        Bytes at the beginning that stay as they are.
    """
    chance = random.Random(seed)
    lines = data[skip:].decode("utf-8", "replace").splitlines() or [""]
    at = chance.randrange(len(lines))
    line = lines[at]
    what = chance.randrange(6)
    if what <= 2:
        key, colon, _ = line.partition(":")
        lines[at] = f"{key}{colon} {chance.choice(VALUES)}"
    elif what == 3:
        lines[at] = " " * chance.randrange(8) + f"{chance.choice(_keys())}: {chance.choice(VALUES)}"
    elif what == 4:
        lines.insert(chance.randrange(len(lines) + 1), line)
    else:
        del lines[at]
    return data[:skip] + "\n".join(lines).encode("utf-8", "surrogatepass") + b"\n"


@cache
def _keys() -> tuple[str, ...]:
    return tuple(sorted({key for keys in known_keys().values() for key in keys}))
