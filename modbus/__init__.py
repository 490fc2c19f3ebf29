"""The Tracer on the wire: frames, register maps, device, line, master.

May import `plant`; never `tracertwin`.
"""
