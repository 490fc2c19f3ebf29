"""Which design to build: targets, the cheapest that meets them, the front of cost and loss, what would help, in words.

Imports `sweep`, `figures` and `plant`.
"""
