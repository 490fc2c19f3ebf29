"""Irradiance and cell temperature to current-voltage curves: modules, strings, shade, defects.

Imports `base` and `weather`.
"""
