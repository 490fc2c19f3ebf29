"""The charge controller: rules, settings, converter, tracker, clock, and its models as data.

Imports `base`, `array`, `battery` and `load`.
"""
