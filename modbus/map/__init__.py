"""Register maps: rows out of YAML, bound to a controller, and what their words mean.

Imports `codec` and `plant`.
"""
