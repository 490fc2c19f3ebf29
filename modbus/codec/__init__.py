"""Frames of Modbus RTU and Modbus/TCP: bytes to requests and replies, and back.

Imports nothing of ours: no I/O, no clock, no registers.
"""
