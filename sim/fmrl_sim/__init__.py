"""Simulation in MuJoCo: scenes, bodies, batched training environments and rendering."""
