"""The language of scenarios: what is given, what happens, what is expected; and the evaluator of what is expected.

Imports `plant.base`, the names of line faults and requests; reading a scenario loads neither kernel nor numba.
"""
