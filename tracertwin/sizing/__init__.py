"""What a design is worth: many weather years of many designs, what they came to, and which one to build.

Imports `memory`, `scenario`, `plant`; of its rooms `figures`, `sweep`, `choosing`, `report` each those before it.
"""
