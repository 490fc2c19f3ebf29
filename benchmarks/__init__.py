"""How fast TracerTwin is, beside its peers, measured in the same call: ``python -m benchmarks``."""
