"""Weather out of files: their formats, what is wrong with them, their intervals on the grid of a day.

Imports `base`, and place, sun and decomposition of `weather`; never its clouds.
"""
