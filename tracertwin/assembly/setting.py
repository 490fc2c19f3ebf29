"""What a client could write to a device, written without a line: the same frames, the same rules, the same refusals."""

from collections.abc import Callable, Sequence
from datetime import datetime

from modbus.device.tracer import Tracer
from modbus.master.assignments import assignment
from modbus.master.write import Writer
from tracertwin.assembly.refusals import BadResultError
from tracertwin.assembly.shown import Within


def write(tracer: Tracer, texts: Sequence[str], now: datetime, refused: Callable[[], str]) -> str:
    """Write what goes in one frame, ``boost_voltage=14.6V``; what stands there afterwards.

    Parameters
    ----------
    tracer : Tracer
    texts : sequence of str
        ``NAME=VALUE`` each.
    now : datetime
        Local civil time of the plant, for ``clock=now``.
    refused : callable
        Why writes were refused since it was asked last.

    Raises
    ------
    ValueError
        Nothing was written: a text means nothing, several frames would be needed, or the device refused it.
    """
    register_map = tracer.register_map.published
    assignments = [assignment(text, register_map, now) for text in texts]
    writer = Writer(Within(tracer), register_map, tracer.unit, 0.0)
    if len(list(writer.frames(assignments))) > 1:
        raise ValueError(
            "a client needs several frames for this, and the device may refuse one; write each by itself"
        )
    refused()  # what others were refused is not of interest
    results = list(writer.write(assignments))
    for result in results:
        if result.why:
            reason = refused()
            raise BadResultError(f"{result.what.text}: {result.why}{f': {reason}' if reason else ''}")
    return ", ".join(
        f"{result.what.name or result.what.text} = {result.what.formatted(result.now)}"
        if result.now is not None
        else f"{result.what.name}: done"
        for result in results
    )
