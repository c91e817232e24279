"""Data sources, splits, planted label noise, manifests."""
