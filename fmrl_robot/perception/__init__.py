"""From colour and depth to what is where: the eyes of the graph, without any learning."""

from fmrl_robot.perception.camera import CameraView
from fmrl_robot.perception.perceiver import Perceiver, Proprioception, perceiver_for

__all__ = ["CameraView", "Perceiver", "Proprioception", "perceiver_for"]
