"""What weather years came to: hours, monthly figures, metrics with their intervals, costs, PVGIS's numbers.

Imports NumPy, SciPy and records of `plant`; runs no plant and reads no file.
"""
