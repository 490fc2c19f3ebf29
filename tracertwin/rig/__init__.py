"""A rig: assembled plants with open lines, a control link, a journal and a state file.

Imports every room but `cli` and `pages`.
"""
