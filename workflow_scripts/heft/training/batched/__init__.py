"""Trains many models of one architecture at once, or one after the other where that is not possible."""
