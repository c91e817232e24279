"""Frozen networks and fixed rules that turn raw examples into features, one file each."""
