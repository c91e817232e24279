"""Measures of a variant."""
