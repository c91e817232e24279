"""Kinds of ensembles, and what their members are."""
