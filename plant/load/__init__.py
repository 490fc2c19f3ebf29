"""What the load asks for: the kinds of load that a site may name, and a day of each.

Imports `base` only.
"""
