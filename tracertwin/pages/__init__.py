"""Pages of the docs that are made from the code.

Imports `memory`, `modbus` and `plant`.
"""
