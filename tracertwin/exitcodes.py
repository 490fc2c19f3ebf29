"""Exit codes of the command; docs/environment.md lists them."""

from typing import Final

GOOD: Final = 0
# By the verb: replies that differ, an exception, a tracker too slow, a design that is wrong or misses its target, an
# expectation that does not hold, steps that could not be solved.
BAD_RESULT: Final = 1
BAD_INPUT: Final = 2
NOBODY: Final = 3
STOPPED: Final = 130  # as a shell has it for Ctrl-C
