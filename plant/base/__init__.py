"""What every room needs and that knows no physics: time, chance, problems, files, compiling.

Imports nothing of `plant`.
"""
