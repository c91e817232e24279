"""Heft weighs training data: which examples hurt a model, and what removing them does."""
