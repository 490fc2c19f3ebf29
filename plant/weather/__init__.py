"""Sun, clouds and air of any day, from (place, seed, day) alone or from a weather file.

Imports `base` only; knows no array.
"""
