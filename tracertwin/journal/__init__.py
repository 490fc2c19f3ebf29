"""A run written down, read back, replayed, asked of a real device, or exported for Wireshark.

Imports `assembly`.
"""
