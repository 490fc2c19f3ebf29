"""What can happen to a reply on its way: kinds of fault, their text, and when they strike.

Imports `line`, `codec` and `plant.base`.
"""
