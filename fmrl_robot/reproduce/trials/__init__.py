"""Trials of the ablations: what an arm does with a seed. Named in each method's file."""
