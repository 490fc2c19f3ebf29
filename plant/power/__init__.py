"""The power stage: what the array offers, the tracker that asks for it, the converter between array and battery.

Imports `base`, `array`, `battery` and `load`.
"""
