"""Designs and weather years: which there are, what each year came to on the kernel, kept results, shares of the work.

Imports `figures`, `memory`, `scenario` and `plant`.
"""
