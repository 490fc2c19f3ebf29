"""What a design is worth: many weather years of many designs, what they came to, and which one to build.

Imports `memory`, `scenario` and `plant`; its rooms are `figures`, `sweep`, `choosing` and `report`, each of which may import those before it.
"""
