"""Recipes of the embedded models, one package or module each."""
