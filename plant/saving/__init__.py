"""The state of a plant as plain values that JSON holds exactly, and a plant made again from them, of any version.

Imports everything of `plant` but `report`; nothing of it imports `saving`.
"""
