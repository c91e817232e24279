"""Finds and removes what the configuration no longer asks for, and what processes that were killed have left."""
