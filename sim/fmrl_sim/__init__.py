"""Simulation of the graph's robots in MuJoCo: scenes, bodies, batched training environments and rendering."""
