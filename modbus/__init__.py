"""The Tracer on the wire: frames, registers, replies and the line."""
