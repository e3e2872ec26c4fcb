"""A message that means something for every type that a node subscribes to."""

from functools import singledispatchmethod

import cv2
import numpy as np
from action_msgs.msg import GoalInfo, GoalStatus, GoalStatusArray
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import TransformStamped, Twist, TwistStamped
from nav_msgs.msg import Odometry
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Imu, JointState
from tf2_msgs.msg import TFMessage

from fmrl_msgs import msg as fm
from fmrl_msgs.action import ExecuteTask
from fmrl_nodes import conversions
from fmrl_robot.types import (
    SAYTAP_LEGS,
    JointCommand,
    Plan,
    Pose,
    Predicate,
    RewardOut,
    Scene,
    SceneObject,
    SubGoal,
    SubGoalKind,
    Usage,
)

FRAME = "camera_optical_frame"
STEP = SubGoal(
    id="1",
    kind=SubGoalKind.REGION,
    text="the red cube is in the bowl",
    skill="pick",
    target="red_cube",
    termination=Predicate("holding", ("red_cube",)),
)
SCENE = Scene(
    stamp_s=1.0,
    objects=(
        SceneObject(
            name="red_cube",
            category="cube",
            color="red",
            pose=Pose(position=np.array([0.5, 0.0, 0.02])),
            size=np.full(3, 0.04),
        ),
    ),
    predicates=frozenset({Predicate("clear", ("red_cube",))}),
)
FEEDBACK = ExecuteTask.Impl.FeedbackMessage


class GoodMessages:
    """Of one robot, at a time that goes on with every observation."""

    def __init__(self, spec, now_s):
        self._spec, self._now_s = spec, now_s
        self._stamp_s = 1.0

    def tick(self):
        """The next observation is a period later."""
        self._stamp_s += 0.02

    def of(self, cls, topic):
        """One of type ``cls`` for ``topic``."""
        return self._make(cls(), topic)

    @singledispatchmethod
    def _make(self, empty, topic):
        raise AssertionError(
            f"expected a good {type(empty).__name__} for {topic}: add one to good_messages.py"
        )

    @_make.register
    def _(self, _: JointState, topic):
        n = self._spec.num_joints
        return conversions.joint_state_to_msg(
            self._spec.joint_names, self._spec.default, np.zeros(n), np.zeros(n), self._stamp_s
        )

    @_make.register
    def _(self, _: Imu, topic):
        up = np.array([1.0, 0.0, 0.0, 0.0])
        return conversions.imu_to_msg(up, np.zeros(3), self._stamp_s, "base")

    @_make.register
    def _(self, _: fm.FootContacts, topic):
        return conversions.contacts_to_msg(
            SAYTAP_LEGS, np.ones(4, bool), np.full(4, 30.0), self._stamp_s
        )

    @_make.register
    def _(self, _: fm.Scene, topic):
        return conversions.scene_to_msg(SCENE, "world")

    @_make.register
    def _(self, _: fm.GateState, topic):
        return fm.GateState(state=fm.GateState.ARMED, delay_s=0.01)

    @_make.register
    def _(self, _: Twist, topic):
        message = Twist()
        message.linear.x = 0.3
        return message

    @_make.register
    def _(self, _: TwistStamped, topic):
        return TwistStamped(twist=self.of(Twist, topic))

    @_make.register
    def _(self, _: fm.SubGoal, topic):
        return conversions.subgoal_to_msg(STEP, 1.0)

    @_make.register
    def _(self, _: fm.Plan, topic):
        plan = Plan(instruction="tidy up", method="psl", task_id="t", subgoals=(STEP,))
        return conversions.plan_to_msg(plan, 1.0)

    @_make.register
    def _(self, _: fm.Reward, topic):
        return conversions.reward_to_msg(
            RewardOut(value=0.5, components=(("all", 0.5),)),
            stamp_s=self._now_s(),
            subgoal_id="1",
            source="vlm_rm",
        )

    @_make.register
    def _(self, _: fm.FMUsage, topic):
        usage = Usage(role="plan", model="embedded", prompt_sha256="0")
        return conversions.usage_to_msg(usage, stamp_s=1.0, node="planner_node")

    @_make.register
    def _(self, _: fm.PredicateArray, topic):
        return fm.PredicateArray(predicates=conversions.predicates_to_msg(SCENE.predicates))

    @_make.register
    def _(self, _: fm.JointCommand, topic):
        n = self._spec.num_joints
        return conversions.command_to_msg(
            JointCommand(
                seq=1,
                stamp_s=1.0,
                observation_stamp_s=1.0,
                lease="",
                names=self._spec.joint_names,
                position=self._spec.default,
                velocity=np.zeros(n),
                effort=np.zeros(n),
                kp=np.full(n, 20.0),
                kd=np.full(n, 0.5),
            )
        )

    @_make.register
    def _(self, _: GoalStatusArray, topic):
        status = GoalStatus(goal_info=GoalInfo(), status=GoalStatus.STATUS_EXECUTING)
        return GoalStatusArray(status_list=[status])

    @_make.register
    def _(self, _: FEEDBACK, topic):
        return FEEDBACK(feedback=ExecuteTask.Feedback(phase="planning", message="thinking"))

    @_make.register
    def _(self, _: DiagnosticArray, topic):
        status = DiagnosticStatus(level=b"\x00", name="scene_node", message="looking")
        return DiagnosticArray(status=[status])

    @_make.register
    def _(self, _: Odometry, topic):
        return Odometry()

    @_make.register
    def _(self, _: TFMessage, topic):
        transform = TransformStamped(child_frame_id=FRAME)
        transform.header.frame_id = "world"
        # A camera above the table that looks down.
        transform.transform.translation.z = 1.0
        transform.transform.rotation.x, transform.transform.rotation.w = 1.0, 0.0
        return TFMessage(transforms=[transform])

    @_make.register
    def _(self, _: CameraInfo, topic):
        info = CameraInfo(width=64, height=48, k=[50.0, 0, 32, 0, 50.0, 24, 0, 0, 1.0])
        info.header.frame_id = FRAME
        return info

    @_make.register
    def _(self, _: Image, topic):
        depth = topic.endswith("depth")
        pixels = np.ones((48, 64), np.float32) if depth else np.full((48, 64, 3), 90, np.uint8)
        return conversions.image_to_msg(pixels, self._stamp_s, FRAME)

    @_make.register
    def _(self, _: CompressedImage, topic):
        jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1]
        good = CompressedImage(format="jpeg", data=jpeg.tobytes())
        good.header = conversions.header(self._stamp_s, FRAME)
        return good

    @_make.register
    def _(self, _: Clock, topic):
        return Clock(clock=conversions.time_to_msg(self._stamp_s))
