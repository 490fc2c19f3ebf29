"""The simulated off-grid plant: weather, array, battery, controller, load and the kernel that moves them.

Imports neither `modbus` nor `tracertwin`; reads no files but `config/` and those that a site names.
"""
