"""The other end: a small master, what it reads, and a mock firmware.

Imports `line`, `map` and `codec`.
"""
