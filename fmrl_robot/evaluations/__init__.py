"""Measurements over many runs, ``fmrl eval NAME``: what a part claims, shown with its counts."""
