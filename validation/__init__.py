"""The physics beside published values and independent solvers, topic by topic."""
