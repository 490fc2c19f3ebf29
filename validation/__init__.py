"""Evidence: what the plant computes beside what others published or computed, as tables and pictures.

One module a topic. ``checks()`` yields rows, ``figures()`` yields charts; ``python -m validation`` runs them all.
"""
