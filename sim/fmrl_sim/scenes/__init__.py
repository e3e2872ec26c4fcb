"""Simulated scenes: a MuJoCo model built once, and a sampler of initial states beside it.

The two are separate so that one model serves every seed: a batch of environments, a reset and the
judge all draw states for the same MjModel.
"""

from fmrl_sim.scenes.base import ObjectInfo, SceneModel, SceneOptions, SceneState

__all__ = ["ObjectInfo", "SceneModel", "SceneOptions", "SceneState"]
