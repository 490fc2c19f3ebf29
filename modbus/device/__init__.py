"""The Tracer: requests answered from a snapshot, writes that become settings, several units on a pair of wires.

Imports `map`, `codec` and `plant`.
"""
