"""The application: the command, what serves plants on lines, journals, state files.

Imports `modbus` and `plant`; neither imports it.
"""
