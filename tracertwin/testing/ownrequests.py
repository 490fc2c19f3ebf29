"""What a test itself asks on the line of its Tracer, beside the client that it tests."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from modbus.codec.replies import Reply
from modbus.codec.requests import Request
from modbus.line.conversation import Answer
from modbus.map.registers import RegisterMap
from modbus.master.assignments import Assignment
from modbus.master.client import NoReplyError
from modbus.master.write import Writer
from tracertwin.assembly.refusals import Refusals
from tracertwin.checking.client import heard


class OwnRequests:
    """Asks and writes; a `modbus.master.poll.Asking`. Line faults strike it, as they would any client.

    Parameters
    ----------
    answer : callable
        Gives what leaves for a request.
    hold : callable
        A context in which nobody else is answered.
    refusals : Refusals
        Say why a write was refused.

    Attributes
    ----------
    are_asked : bool
        Whether what is being answered is one of these.
    """

    def __init__(
        self, answer: Answer, hold: Callable[[], AbstractContextManager[None]], refusals: Refusals
    ) -> None:
        self.are_asked = False
        self._refusals = refusals
        self._answer = answer
        self._hold = hold

    def ask(self, request: Request, timeout_s: float = 1.0, retries: int = 2) -> Reply:
        """The reply to a request.

        Raises
        ------
        NoReplyError
            To none of the tries came a good one.
        """
        with self._hold():
            self.are_asked = True
            try:
                for _ in range(retries + 1):
                    reply, _ = heard(request, self._answer(request), timeout_s)
                    if reply is not None:
                        return reply
            finally:
                self.are_asked = False
        raise NoReplyError(f"no reply to {request} in {retries + 1} tries")

    def write(self, writes: Sequence[Assignment], register_map: RegisterMap, unit: int) -> None:
        """Write and read back.

        Raises
        ------
        AssertionError
            The device refused one, or shows something else afterwards.
        """
        noted = self._refusals.noted
        results = list(Writer(self, register_map, unit, 0.0).write(writes))
        refused = [f"{each.what.text}: {each.why or 'not kept'}" for each in results if not each.is_kept]
        if refused:
            why = self._refusals.why_since(noted)
            raise AssertionError("; ".join(refused) + (f": {why}" if why else ""))
