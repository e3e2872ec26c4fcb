"""Tells the graph where a robot believes that it is: ``odom``, and the frames above its base.

As REP 105 has it the frame of odometry is where the robot began. Nobody here knows better where
that is in the world, so that the two are one until somebody publishes another transform.
"""

from __future__ import annotations

import numpy as np
from nav_msgs.msg import Odometry
from tf2_msgs.msg import TFMessage

from fmrl_nodes import conversions, qos
from fmrl_nodes.lifecycle import FmrlNode
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import Pose, RobotState

WORLD, ODOM = "world", "odom"


class Whereabouts:
    """The publishers."""

    def __init__(self, node: FmrlNode, spec: RobotSpec) -> None:
        self._base = spec.base_body
        self._odometry = node.create_publisher(Odometry, "odom", qos.SENSOR)
        self._tf = node.create_publisher(TFMessage, "tf", qos.EVENT)
        self._static = node.create_publisher(TFMessage, "tf_static", qos.LATCHED)
        still = (np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0]))
        origin = conversions.transform_to_msg(WORLD, ODOM, *still, 0.0)
        self._static.publish(TFMessage(transforms=[origin]))

    def tell(self, state: RobotState) -> None:
        """Publish an observation's pose and velocity, where it has them."""
        position, quaternion = state.position, state.quaternion
        linear, angular = state.linear_velocity, state.angular_velocity
        if position is None or quaternion is None or linear is None or angular is None:
            return
        pose = Pose(position=position, quaternion=quaternion, frame=ODOM)
        self._odometry.publish(
            conversions.odometry_to_msg(pose, linear, angular, self._base, state.stamp_s)
        )
        frame = conversions.transform_to_msg(ODOM, self._base, position, quaternion, state.stamp_s)
        self._tf.publish(TFMessage(transforms=[frame]))
