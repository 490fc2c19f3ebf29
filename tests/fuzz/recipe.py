"""Bytes read as decisions, so that a mutated byte is another decision and not another checksum."""

from modbus.codec.requests import crc16


class Recipe:
    """Takes numbers and strings from bytes; when those have run out, zeros and nothing."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        """Whether anything is left."""
        return self._at < len(self._data)

    def byte(self) -> int:
        """The next byte."""
        taken = self.bytes(1)
        return taken[0] if taken else 0

    def word(self) -> int:
        """The next two bytes, high byte first."""
        return int.from_bytes(self.bytes(2).ljust(2, b"\0"), "big")

    def bytes(self, size: int) -> bytes:
        """The next bytes, fewer at the end."""
        taken = self._data[self._at : self._at + size]
        self._at += len(taken)
        return taken

    def words(self, size: int) -> tuple[int, ...]:
        """So many words."""
        return tuple(self.word() for _ in range(size))


def sealed(body: bytes) -> bytes:
    """A frame of whatever length: `modbus.codec.requests.seal` refuses the long ones."""
    return body + crc16(body).to_bytes(2, "little")
