"""The sky as means over the steps of a sizing run, of 15 minutes to an hour: made, packed, put into planes.

Imports `base`, and place, sun, sky, transposition and measured files of `weather`; knows no array and no disk.
"""
