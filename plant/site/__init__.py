"""A site file becomes frozen, validated records: the whole site, its line, and what breaks when.

Imports every room but `kernel` and `report`.
"""
