"""Plants, tracers, answers and faults put together without any socket, file or thread.

Imports `modbus` and `plant` only.
"""
