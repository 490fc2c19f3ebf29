"""What a design is worth: many weather years of many designs, what they came to, and which one to build.

Imports `memory`, `scenario` and `plant`; in its rooms, `report` may import `sweep`, and both `figures`.
"""
