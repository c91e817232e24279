"""Rows of the comparison table: accuracy, detection, and the statistics of differences."""
