"""What tests of firmware work with: a simulated Tracer that a test moves and judges, an emulator, scenarios as tests.

Imports the rig, `tracertwin.checking`, `tracertwin.scenario`, the assembly, `modbus` and `plant`.
"""
