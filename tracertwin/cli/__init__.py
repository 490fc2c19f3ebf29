"""The command: one thin function for each verb, and the tables that it prints.

Imports everything; nothing imports `cli`.
"""
