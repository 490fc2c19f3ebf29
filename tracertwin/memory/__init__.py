"""The state file: where plants stand and what has been, in SQLite; history read from it.

Imports `assembly`.
"""
