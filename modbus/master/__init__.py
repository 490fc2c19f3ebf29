"""The other end: a small master, what it reads and writes, and a mock firmware.

Imports `line`, `map` and `codec`.
"""
