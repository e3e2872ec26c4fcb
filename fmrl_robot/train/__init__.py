"""Training: rollouts, learners, export, and the recipes of the embedded models."""
