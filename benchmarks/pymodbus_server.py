"""The peer: pymodbus's asynchronous server with RTU frames over TCP. ``python pymodbus_server.py PORT``."""

import asyncio
import sys

from pymodbus import FramerType
from pymodbus.server import StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

REGISTERS = SimData(0x3100, count=8, values=1000, datatype=DataType.REGISTERS)

if __name__ == "__main__":
    address = ("127.0.0.1", int(sys.argv[1]))
    device = SimDevice(id=1, simdata=[REGISTERS])
    asyncio.run(StartAsyncTcpServer(device, framer=FramerType.RTU, address=address))
