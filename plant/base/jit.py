"""How the kernels are compiled: numba, cached on disk, without the interpreter's lock.

`kernel` leaves a function as it is when ``NUMBA_DISABLE_JIT=1`` is set, for reading and debugging.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core.registry import CPUDispatcher

from plant.base.codecache import CodeCache
from plant.base.interrupts import Stretch, interruption

F = TypeVar("F", bound=Callable[..., object])


class _Dispatcher(CPUDispatcher):
    """Calls compiled code, and has Ctrl-C wait for its end, but not for compiling it: see `plant.base.interrupts`."""

    def __call__(self, *arguments: object) -> object:
        with Stretch(waits=True):
            return super().__call__(*arguments)

    def _compile_for_args(self, *arguments: object, **named: object) -> object:
        try:
            with Stretch(waits=False):
                return super()._compile_for_args(*arguments, **named)  # type: ignore[misc]  # numba doesn't declare it
        except Exception as error:
            if (interrupted := interruption(error)) is not None:
                raise interrupted from None  # on its way out numba missed what was not finished
            raise


def _compiled(function: F, **options: Any) -> F:
    made = numba.njit(nogil=True, error_model="numpy", **options)(function)
    if made is not function:
        made.__class__ = _Dispatcher
        # where `cache=True` would put a cache of numba's own
        made._cache = CodeCache(function)  # type: ignore[no-untyped-call]
    return cast(F, made)


def kernel(function: F) -> F:
    """Compile a pure numeric function on its first call; same results as the plain one to rounding."""
    return _compiled(function)


def inline_llvm(function: F) -> F:
    """A `kernel` so small that calling it, with a record of parameters to hand over, costs more than it does."""
    return _compiled(function, forceinline=True)


def inline_ir(function: F) -> F:
    """A `kernel` with one caller: taken into it before it is compiled, so that it isn't compiled twice."""
    return _compiled(function, inline="always")


def kernel_without_refcounts(function: F) -> F:
    """A `kernel` that makes no arrays, and doesn't count who holds those it is given: a tenth of its time.

    The kernels that it calls are compiled in the same way, so none of them may hand out an array.
    """
    return _compiled(function, _nrt=False)
