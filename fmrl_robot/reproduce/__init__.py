"""Measurements over many runs: what a part claims, shown with its counts."""
