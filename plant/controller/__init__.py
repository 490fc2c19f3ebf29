"""The charge controller: rules, set-points, settings and what its flash keeps, its clock, its models as data.

Imports `power` and the rooms below it.
"""
