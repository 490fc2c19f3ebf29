"""Pages of the docs that are made from the code.

Imports `modbus` and `plant` only.
"""
