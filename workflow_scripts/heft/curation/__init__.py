"""Actions on the training data."""
