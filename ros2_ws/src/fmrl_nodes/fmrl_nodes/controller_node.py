"""Carries out sub-goals: answers each observation of the robot with one joint command.

It also tells where a walking robot believes that it is, for it alone has all that the robot feels.

It is driven by ``joint_states`` alone: no observation, no command, and the gate stops the robot.
To a stopped robot it says nothing until re-arming is asked for.
Nothing here loads torch or asks a model, and nothing waits.
"""

from __future__ import annotations

import gc
import sys
import time
from pathlib import Path
from typing import Any

from geometry_msgs.msg import Twist, TwistStamped
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.task import Future
from sensor_msgs.msg import Imu, JointState

from fmrl_msgs import msg as fm
from fmrl_msgs.action import ExecuteSubGoal
from fmrl_msgs.srv import AcquireLease
from fmrl_nodes import conversions, qos
from fmrl_nodes.lifecycle import ERROR, OK, STEADY, WARN, Diagnosis, FmrlNode, run
from fmrl_nodes.observation import Assembler
from fmrl_nodes.whereabouts import Whereabouts
from fmrl_robot.control import controller_for
from fmrl_robot.control.supervisor import Supervisor
from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.estimation import odometry_for
from fmrl_robot.robots import ROBOTS, robot
from fmrl_robot.safety import State
from fmrl_robot.types import Outcome, RobotState, Scene

SILENCE_S = 2.0
"""Without an observation for this long, by the wall, a sub-goal has failed."""

NICENESS = -10
"""Commands go before models and pictures on a busy machine."""

FEEDBACK_EVERY = 10
"""Commands from one feedback message to the next: five a second."""


class ControllerNode(FmrlNode):
    """Action server ``execute_subgoal``, publisher of ``joint_command``."""

    def __init__(self, **node_arguments: Any) -> None:
        super().__init__("controller_node", **node_arguments)
        self._spec = robot(self.declare("robot", "panda", "which robot", choices=ROBOTS.names()))
        self._policies: str = self.declare(
            "policy_path", "", "folder of policies; empty: those that come with fmrl_robot"
        )
        self._walk_policy: str = self.declare(
            "walk_policy", "", "imported policy that a quadruped walks with; empty: its own"
        )
        self._stamped: bool = self.declare(
            "cmd_vel_stamped", False, "cmd_vel is a TwistStamped instead of a Twist"
        )
        self._take_over: bool = self.declare(
            "take_over", False, "take the lease from another commander"
        )
        self._lease = ""
        self._lease_note = "not asked for yet"
        self._lease_call: Any = None
        self._scene: Scene | None = None
        self._gate: State | None = None
        self._goal: ServerGoalHandle | None = None
        self._ended: Future[Outcome] | None = None
        self._planner_seen = False
        self._heard_s = time.monotonic()
        self._commands = 0

    # --- lifecycle --------------------------------------------------------------------------------

    def configure(self) -> None:
        """Load the policies; open the topics, inertia and feet before the joints."""
        policies = Path(self._policies) if self._policies else None
        odometry = odometry_for(self._spec)
        controller = controller_for(self._spec, policies, self._walk_policy)
        self._supervisor = Supervisor(controller, odometry)
        self._whereabouts = Whereabouts(self, self._spec) if odometry is not None else None
        self._assembler = Assembler(self._spec)
        self._publisher = self.create_publisher(fm.JointCommand, "joint_command", qos.JOINT_COMMAND)
        if self._spec.kind == "quadruped":
            self.create_subscription(
                Imu, "imu/data", lambda m: self._answer(self._assembler.add_imu(m)), qos.SENSOR
            )
            self.create_subscription(
                fm.FootContacts,
                "foot_contacts",
                lambda m: self._answer(self._assembler.add_contacts(m)),
                qos.SENSOR,
            )
        self.create_subscription(JointState, "joint_states", self._on_joints, qos.SENSOR)
        self.create_subscription(fm.Scene, "scene", self._on_scene, qos.EVENT)
        self.create_subscription(fm.GateState, "gate_state", self._on_gate, qos.EVENT)
        self.create_subscription(
            TwistStamped if self._stamped else Twist, "cmd_vel", self._on_drive, qos.COMMAND
        )
        self.create_subscription(
            fm.SubGoal,
            "subgoal",
            lambda _: None,
            qos.SUBGOAL,
            event_callbacks=SubscriptionEventCallbacks(liveliness=self._on_planner_life),
        )
        self._lease_client = self.create_client(AcquireLease, "acquire_lease")
        self._server = ActionServer(
            self,
            ExecuteSubGoal,
            "execute_subgoal",
            execute_callback=self._execute,
            goal_callback=self._on_goal,
            cancel_callback=self._on_cancel,
        )
        self.create_timer(0.25, self._watch, clock=STEADY)

    def activate(self) -> None:
        """From here on every observation is answered."""
        # What was loaded lives as long as the process: keep it out of the collector's passes,
        # which would otherwise delay a command now and then.
        gc.collect()
        gc.freeze()

    def deactivate(self) -> None:
        """Stop commanding; the gate stops the robot."""
        self._finish(
            self._supervisor.abandon(ErrorCode.SUBGOAL_CANCELLED, "controller deactivated")
        )
        self._lease = ""

    def diagnose(self) -> Diagnosis:
        """Report lease, gate, sub-goal and how many commands went out since the last report."""
        commands, self._commands = self._commands, 0
        silent = time.monotonic() - self._heard_s
        subgoal = self._supervisor.subgoal
        values = {
            "robot": self._spec.name,
            "commands_per_s": commands,
            "lease": self._lease_note,
            "gate": "unheard" if self._gate is None else self._gate.name,
            "subgoal": subgoal.id if subgoal else "",
        }
        if silent > SILENCE_S:
            return Diagnosis(
                level=ERROR, message=f"no joint_states for {silent:.0f} s", values=values
            )
        if not self._lease:
            return Diagnosis(level=WARN, message=f"no lease: {self._lease_note}", values=values)
        if self._supervisor.silent:
            return Diagnosis(level=WARN, message="silent: the robot is stopped", values=values)
        return Diagnosis(level=OK, message="commanding", values=values)

    # --- observations in, commands out ------------------------------------------------------------

    def _on_joints(self, message: JointState) -> None:
        self._heard_s = time.monotonic()
        self._answer(self._assembler.add_joints(message))

    def _answer(self, state: RobotState | None) -> None:
        if state is None or not self.active:
            return
        command, ended = self._supervisor.tick(state, self._scene)
        message = conversions.command_to_msg(command)
        message.lease = self._lease
        message.header.stamp = self.get_clock().now().to_msg()
        if self._lease and not self._supervisor.silent:
            self._publisher.publish(message)
            self._commands += 1
        if self._whereabouts is not None and self._supervisor.state is not None:
            self._whereabouts.tell(self._supervisor.state)
        self._finish(ended)
        if self._goal is not None and command.seq % FEEDBACK_EVERY == 0:
            self._goal.publish_feedback(
                ExecuteSubGoal.Feedback(progress=float(self._supervisor.progress))
            )

    def _on_scene(self, message: fm.Scene) -> None:
        self._scene = conversions.scene_from_msg(message)

    def _on_gate(self, message: fm.GateState) -> None:
        self._gate = conversions.gate_from_msg(message)
        self._finish(self._supervisor.hear(self._gate, message.code, message.reason))
        if message.lease_holder and message.lease_holder != self.get_fully_qualified_name():
            self._lease, self._lease_note = "", f"held by {message.lease_holder}"

    def _on_drive(self, message: Any) -> None:
        twist = message.twist if self._stamped else message
        if self.active:
            self._supervisor.drive(conversions.velocity_from_msg(twist))

    # --- the action -------------------------------------------------------------------------------

    def _on_goal(self, goal: ExecuteSubGoal.Goal) -> GoalResponse:
        if not self.active or self._goal is not None:
            self.get_logger().warning(
                f"refused sub-goal={goal.subgoal.id} active={self.active} busy={bool(self._goal)}"
            )
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _on_cancel(self, goal: ServerGoalHandle) -> CancelResponse:
        # The cancellation is carried out in the next tick of the executor, once the state machine
        # of the goal has moved to *canceling*.
        self.executor.create_task(self._cancel, goal)
        return CancelResponse.ACCEPT

    def _cancel(self, goal: ServerGoalHandle) -> None:
        if goal is self._goal:
            self._finish(
                self._supervisor.abandon(ErrorCode.SUBGOAL_CANCELLED, "cancelled by its client")
            )

    async def _execute(self, goal: ServerGoalHandle) -> ExecuteSubGoal.Result:
        self._goal, self._ended = goal, Future(executor=self.executor)
        try:
            self._supervisor.begin(conversions.subgoal_from_msg(goal.request.subgoal), self._scene)
            outcome = await self._ended
        except FmrlError as error:
            outcome = Outcome(success=False, error_code=int(error.code), message=str(error))
        except ValueError as error:
            outcome = Outcome(
                success=False, error_code=int(ErrorCode.PLAN_SCHEMA), message=str(error)
            )
        finally:
            self._goal = self._ended = None
        return self._result(goal, outcome)

    def _result(self, goal: ServerGoalHandle, outcome: Outcome) -> ExecuteSubGoal.Result:
        result = ExecuteSubGoal.Result(
            outcome=ExecuteSubGoal.Result.FAILED,
            error_code=outcome.error_code,
            error_msg=outcome.message,
        )
        self.get_logger().info(
            f"sub-goal={goal.request.subgoal.id} success={outcome.success} "
            f"code={outcome.error_code} {outcome.message}"
        )
        if outcome.success:
            result.outcome = ExecuteSubGoal.Result.SUCCEEDED
            goal.succeed()
        elif goal.is_cancel_requested:
            result.outcome = ExecuteSubGoal.Result.CANCELLED
            goal.canceled()
        else:
            goal.abort()
        return result

    def _finish(self, outcome: Outcome | None) -> None:
        if outcome is not None and self._ended is not None and not self._ended.done():
            self._ended.set_result(outcome)

    # --- who commands, and who asks ---------------------------------------------------------------

    def _on_planner_life(self, event: Any) -> None:
        if event.alive_count > 0:
            self._planner_seen = True
        elif self._planner_seen:
            self._planner_seen = False
            self._lose_planner("the planner shows no sign of life")

    def _lose_planner(self, why: str) -> None:
        ended = self._supervisor.abandon(ErrorCode.PLANNER_LOST, why) if self._goal else None
        if ended is not None:
            self.get_logger().error(f"code={int(ErrorCode.PLANNER_LOST)} {why}; holding")
            self._finish(ended)

    def _watch(self) -> None:
        if not self.active:
            return
        if self._goal is not None:
            if time.monotonic() - self._heard_s > SILENCE_S:
                self._finish(
                    self._supervisor.abandon(
                        ErrorCode.OBSERVATION_STALE, f"no joint_states for {SILENCE_S} s"
                    )
                )
            elif not self.count_subscribers("execute_subgoal/_action/feedback"):
                self._lose_planner("the client of execute_subgoal is gone")
        self._ask_for_lease()

    def _ask_for_lease(self) -> None:
        if self._lease or not self._lease_client.service_is_ready():
            return
        if self._lease_call is not None and not self._lease_call.done():
            return
        request = AcquireLease.Request(
            holder=self.get_fully_qualified_name(),
            take_over=self._take_over,
            max_delay_s=self._supervisor.max_delay_s,
        )
        self._lease_call = self._lease_client.call_async(request)
        self._lease_call.add_done_callback(self._on_lease)

    def _on_lease(self, call: Any) -> None:
        answer = call.result()
        if answer is None:
            return
        self._lease = answer.lease if answer.granted else ""
        self._lease_note = "held" if answer.granted else answer.message
        self.get_logger().info(f"lease granted={answer.granted} {answer.message}")


def main() -> int:
    """Be the process ``controller_node``."""
    return run(ControllerNode, niceness=NICENESS)


if __name__ == "__main__":
    sys.exit(main())
