"""Scores of a method at every member of an ensemble, their mean, and what they cost."""
