"""Defects planted into a copy of the code, and which shipped scenario finds each; see docs/mutants.md."""
