"""The design of a plant looked over before it runs: what fits together, what to look at, what is wrong.

Imports site, controller, battery, array, load, weather and base; nothing of a running plant.
"""
