"""Pictures of both scenes in random states with what is true in each, to train vision models on."""

from fmrl_sim.frames.frame import LabelledFrame
from fmrl_sim.frames.ground import ground_frames
from fmrl_sim.frames.tabletop import tabletop_frames, wrist_frames

__all__ = ["LabelledFrame", "ground_frames", "tabletop_frames", "wrist_frames"]
