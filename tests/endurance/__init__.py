"""Runs of minutes that a rig must outlive: `make soak`."""
