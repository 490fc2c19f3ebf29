"""What people read of a run: trace, account, summary, pictures, the sheet of a tracker test.

Imports everything of `plant`; nothing of it imports `report`.
"""
