"""Directional derivatives and curvature products; knows only torch."""
