"""What the simulated body publishes but for pictures: clock, senses, gate and ground truth."""

from __future__ import annotations

from nav_msgs.msg import Odometry
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Imu, JointState
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from fmrl_msgs import msg as fm
from fmrl_nodes import conversions, qos
from fmrl_nodes.lifecycle import FmrlNode
from fmrl_nodes.sim_messages import WORLD, Frames, gate_to_msg, odometry_to_msg
from fmrl_robot.safety import GateStatus, State
from fmrl_robot.types import RobotState
from fmrl_sim import urdf
from fmrl_sim.body import MujocoBody
from fmrl_sim.true_scene import true_scene

SLOW_EVERY = 5
"""Observations from one publication of gate and facts to the next: ten a second."""


class SimTopics:
    """The publishers of one body."""

    def __init__(self, node: FmrlNode, body: MujocoBody) -> None:
        self._body, self._spec, self._frames = body, body.robot, Frames(body)
        self._count = 0
        self._gate_state = State.DISARMED
        pub = node.create_publisher
        self._clock = pub(Clock, "/clock", qos.SENSOR)
        self._joints = pub(JointState, "joint_states", qos.SENSOR)
        self._gate = pub(fm.GateState, "gate_state", qos.EVENT)
        self._facts = pub(fm.PredicateArray, "ground_truth/predicates", qos.EVENT)
        self._scene = pub(fm.Scene, "ground_truth/scene", qos.EVENT)
        self._tf = pub(TFMessage, "tf", qos.EVENT)
        self._static = pub(TFMessage, "tf_static", qos.LATCHED)
        self._description = pub(String, "robot_description", qos.LATCHED)
        if self._spec.kind == "quadruped":
            self._imu = pub(Imu, "imu/data", qos.SENSOR)
            self._feet = pub(fm.FootContacts, "foot_contacts", qos.SENSOR)
            self._odometry = pub(Odometry, "ground_truth/odom", qos.SENSOR)

    def describe(self) -> None:
        """Publish what stays as it is: the robot's description and the fixed cameras."""
        self._description.publish(String(data=urdf.write(self._body.model, self._spec)))
        self._static.publish(self._frames.fixed())

    def observe(self, state: RobotState) -> None:
        """Publish the clock and one observation; the joints, which are waited for, last."""
        stamp = state.stamp_s
        self._clock.publish(Clock(clock=conversions.time_to_msg(stamp)))
        if state.quaternion is not None and state.angular_velocity is not None:
            forces = self._body.foot_forces()
            self._imu.publish(
                conversions.imu_to_msg(
                    state.quaternion, state.angular_velocity, stamp, self._spec.base_body
                )
            )
            self._feet.publish(
                conversions.contacts_to_msg(self._spec.legs, forces > 0.0, forces, stamp)
            )
        self._joints.publish(
            conversions.joint_state_to_msg(
                self._spec.joint_names, state.q, state.dq, state.tau, stamp
            )
        )

    def tell(self, status: GateStatus) -> None:
        """Publish what nobody waits for: frames, the gate, ground truth."""
        body = self._body
        self._tf.publish(self._frames.moving())
        if self._spec.kind == "quadruped":
            self._odometry.publish(odometry_to_msg(body))
        slow = self._count % SLOW_EVERY == 0
        self._count += 1
        if slow or status.state != self._gate_state:
            self._gate_state = status.state
            self._gate.publish(gate_to_msg(status, body.now))
        if slow:
            truth = true_scene(body)
            self._facts.publish(
                fm.PredicateArray(
                    header=conversions.header(body.now),
                    predicates=conversions.predicates_to_msg(truth.predicates),
                )
            )
            # For scenes without perception; a scene_node relays it only where it is told to.
            if self._scene.get_subscription_count():
                self._scene.publish(conversions.scene_to_msg(truth, WORLD))
