"""What outlives a process: the state file and history, in SQLite; skies that needn't be made again.

Imports `assembly`.
"""
