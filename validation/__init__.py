"""What the physics is compared with: rows of value, reference and tolerance, and the figures of the docs."""
