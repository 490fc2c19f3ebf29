"""The tables that verbs print, as wide as the terminal allows.

Imports everything but the verbs.
"""
