"""Links that carry frames: dialled, listening, ptys and serial ports; pacing, and what is wrong with them.

Imports `codec`, and of `plant` only `base`.
"""
