"""Scenarios run, one or many, with one seed or several; what came of them as a table, JUnit XML, JSON and pictures.

Imports `tracertwin.scenario`, the assembly, the journal, `modbus` and `plant`.
"""
