"""The configuration, and its check."""
