"""Recipes of the embedded causal language models: one of this project's world, one of a prior."""
