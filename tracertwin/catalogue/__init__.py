"""What a site file may name: modules, batteries, controllers, sites; found by words, shown whole.

Imports `console` and `plant`.
"""
