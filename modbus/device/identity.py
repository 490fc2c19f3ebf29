"""Who the device is: name and serial number, its unit id, and who may log in.

Knows a model's texts and nothing of registers. Requests and answers as recorded on Tracer2215BN and 3215BN.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from modbus.codec.replies import IdentificationReply, LoginReply, UnitIdReply
from modbus.codec.requests import ANY_UNIT, LAST_UNIT, IdentifyDevice, Login, UnitIdRequest
from modbus.device.model import Model

EVERY_ID: Final = 256  # so many fit into the byte; a map with `units: any` is read under each
SERIAL: Final = 3  # object id

# Code of function 2B/0E -> the objects it brings. Regular brings the serial number only, not the basic ones too;
# extended (3) is as regular (guess), and single objects (4) are not served: conformity 01 says so.
OBJECTS: Final[Mapping[int, tuple[int, ...]]] = MappingProxyType({1: (0, 1, 2), 2: (SERIAL,), 3: (SERIAL,)})


def checked_unit(unit: int) -> int:
    """A unit id.

    Raises
    ------
    ValueError
        It is none.
    """
    if not 1 <= unit <= LAST_UNIT:
        raise ValueError(f"unit: must lie in 1..{LAST_UNIT}, got {unit}")
    return unit


class Identity:
    """Name, number and unit id of one device.

    Parameters
    ----------
    model : Model
    unit : int
        The unit id it begins with, 1..247.
    new_unit : int, optional
        Another one that has been set and holds from the next power cycle on.
    """

    def __init__(self, model: Model, unit: int, new_unit: int | None = None) -> None:
        self.unit = checked_unit(unit)
        self.new_unit = unit if new_unit is None else checked_unit(new_unit)
        self._model = model
        texts = (model.vendor, model.name, model.firmware, f"{model.serial}{unit:03}")
        self._objects = tuple(text.encode("ascii") for text in texts)

    def identification(self, request: IdentifyDevice) -> IdentificationReply | None:
        """The objects asked for; None for a code that is not served.

        A request may begin in the middle of its objects; one that names none of them gets them all, as the standard
        says.
        """
        objects = OBJECTS.get(request.code)
        if objects is None:
            return None
        if request.object_id in objects:
            objects = objects[objects.index(request.object_id) :]
        told = tuple((number, self._objects[number]) for number in objects)
        return IdentificationReply(request.unit, request.code, told)

    def login(self, request: Login) -> LoginReply | None:
        """The one reply ever recorded; None for a name or password that is not known."""
        names = {name.encode("ascii"): word.encode("ascii") for name, word in self._model.login.items()}
        return LoginReply(request.unit) if names.get(request.user) == request.password else None

    def unit_id_reply(self, request: UnitIdRequest) -> UnitIdReply | None:
        """Tell the unit id, or take another; None for a number that is not a unit id.

        Models differ in when they answer to the new one: at once or after `power_cycle`.
        """
        if request.unit_id != ANY_UNIT:
            if not 1 <= request.unit_id <= LAST_UNIT:
                return None
            self.new_unit = request.unit_id
            if self._model.new_id == "at_once":
                self.power_cycle()
        return UnitIdReply(request.unit, self.new_unit)

    def power_cycle(self) -> None:
        """From here on the unit id last set holds."""
        self.unit = self.new_unit
