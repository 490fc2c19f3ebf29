"""A study for people: one page that opens without a network, its charts and tables, and its data as CSV or Parquet.

Imports `figures`, `sweep` and `plant`; runs no plant.
"""
