"""The simulated off-grid plant: sky, array, converter, charger, battery, load, meters."""
