"""Battery chemistries behind one interface, with their losses, their protection and how they age.

Imports `base` only.
"""
