"""The other end: a small master, what it reads, and a stand-in for a firmware.

Imports `line`, `map` and `codec`.
"""
