"""Checks of a model before anything is trained: what a person asks of `check.py`, and the job `check_model`."""
