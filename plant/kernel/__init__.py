"""The one kernel: what is held, remembered and booked in a step, and the step itself.

Imports the rooms below `site`, and never pydantic, yaml, rich or pandas.
"""
