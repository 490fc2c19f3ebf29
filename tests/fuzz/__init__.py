"""Inputs that nobody thought of: what must hold for any bytes, and the run that looks for bytes for which it doesn't.

A target is a function of bytes that raises where something is wrong (`targets.TARGETS`). Hypothesis calls it, the
corpus is replayed through it by the ordinary tests, and `python -m tests.fuzz` has atheris search by coverage.
"""
