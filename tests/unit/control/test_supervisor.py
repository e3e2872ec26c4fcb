from dataclasses import replace

import numpy as np
import pytest

from fmrl_robot.control.supervisor import DRIVE_TIMEOUT_S, Supervisor
from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.robots import PANDA
from fmrl_robot.safety import State
from fmrl_robot.types import JointCommand, Outcome, RobotState, SubGoal, SubGoalKind, Velocity

GRASP = SubGoal(id="1", kind=SubGoalKind.REGION, skill="grasp", target="red_cube", timeout_s=1.0)
ZERO = np.zeros(8)


class FakeController:
    """Counts what is asked of it; ends or fails when told to."""

    def __init__(self):
        self.calls = []
        self.result = None
        self.error = None

    max_delay_s = 0.0

    def accepts(self, subgoal):
        return subgoal.skill != "sing"

    def start(self, subgoal, state, scene):
        self.calls.append("start")
        if self.error:
            raise self.error

    def step(self, state, scene):
        if self.error and self.calls[-1] != "hold":
            raise self.error
        return self.command(state)

    def command(self, state):
        return JointCommand(
            seq=0,
            stamp_s=state.stamp_s,
            observation_stamp_s=0.0,
            lease="",
            names=PANDA.joint_names,
            position=state.q,
            velocity=ZERO,
            effort=ZERO,
            kp=ZERO,
            kd=ZERO,
        )

    def outcome(self):
        return self.result

    def progress(self):
        return 0.5

    def hold(self):
        self.calls.append("hold")

    def passive(self, state):
        self.calls.append("passive")
        return replace(self.command(state), position=state.q + 1.0)

    def drive(self, velocity):
        self.calls.append(velocity)


def at(stamp_s):
    return RobotState(stamp_s=stamp_s, q=ZERO, dq=ZERO)


@pytest.fixture
def controller():
    return FakeController()


@pytest.fixture
def supervisor(controller):
    supervisor = Supervisor(controller)
    supervisor.tick(at(10.0), None)
    return supervisor


def test_commands_are_numbered_and_name_the_observation_they_answer(supervisor):
    first, _ = supervisor.tick(at(10.02), None)
    second, _ = supervisor.tick(at(10.04), None)
    assert second.seq == first.seq + 1
    assert second.observation_stamp_s == 10.04


def test_a_subgoal_ends_once_with_what_the_controller_says(supervisor, controller):
    supervisor.begin(GRASP, None)
    assert supervisor.tick(at(10.02), None)[1] is None
    assert supervisor.progress == 0.5
    controller.result = Outcome(success=True)
    assert supervisor.tick(at(10.04), None)[1] == Outcome(success=True)
    assert supervisor.tick(at(10.06), None)[1] is None
    assert supervisor.subgoal is None


def test_a_subgoal_times_out_in_the_time_of_the_observations(supervisor, controller):
    supervisor.begin(GRASP, None)
    assert supervisor.tick(at(10.9), None)[1] is None
    ended = supervisor.tick(at(11.1), None)[1]
    assert ended.error_code == ErrorCode.SUBGOAL_TIMEOUT
    assert controller.calls[-1] == "hold"


def test_a_subgoal_without_timeout_goes_on(supervisor):
    supervisor.begin(replace(GRASP, timeout_s=0.0), None)
    assert supervisor.tick(at(1000.0), None)[1] is None


def test_nothing_begins_before_the_first_observation(controller):
    with pytest.raises(FmrlError) as caught:
        Supervisor(controller).begin(GRASP, None)
    assert caught.value.code == ErrorCode.OBSERVATION_STALE
    assert controller.calls == []


def test_a_subgoal_that_no_policy_fits_is_refused(supervisor):
    with pytest.raises(FmrlError) as caught:
        supervisor.begin(replace(GRASP, skill="sing"), None)
    assert caught.value.code == ErrorCode.NO_POLICY_FITS


def test_a_failing_start_leaves_the_robot_holding(supervisor, controller):
    controller.error = FmrlError("not seen", ErrorCode.TARGET_NOT_SEEN)
    with pytest.raises(FmrlError):
        supervisor.begin(GRASP, None)
    assert controller.calls == ["start", "hold"]
    assert supervisor.subgoal is None


def test_a_failing_step_ends_the_subgoal_with_its_code_and_still_commands(supervisor, controller):
    supervisor.begin(GRASP, None)
    controller.error = FmrlError("no path", ErrorCode.NO_PATH)
    command, ended = supervisor.tick(at(10.02), None)
    assert ended.error_code == ErrorCode.NO_PATH
    assert command.observation_stamp_s == 10.02


def test_a_reset_world_ends_the_subgoal(supervisor):
    supervisor.begin(GRASP, None)
    ended = supervisor.tick(at(0.02), None)[1]
    assert ended.error_code == ErrorCode.SUBGOAL_CANCELLED


def test_abandoning_nothing_holds_and_reports_nothing(supervisor, controller):
    assert supervisor.abandon(ErrorCode.PLANNER_LOST, "gone") is None
    assert controller.calls == ["hold"]


def test_a_driver_who_falls_silent_stops_the_robot(supervisor, controller):
    assert supervisor.drive(Velocity(vx=0.5))
    supervisor.tick(at(10.0 + DRIVE_TIMEOUT_S / 2), None)
    assert controller.calls == [Velocity(vx=0.5)]
    supervisor.tick(at(10.0 + DRIVE_TIMEOUT_S), None)
    assert controller.calls[-1] == "hold"


def test_a_subgoal_is_not_driven_by_hand(supervisor, controller):
    supervisor.begin(GRASP, None)
    assert not supervisor.drive(Velocity(vx=0.5))
    assert controller.calls == ["start"]


# --- a gate that does not let commands through ----------------------------------------------------


def test_a_stop_ends_the_subgoal_with_who_why_and_what_helps(supervisor, controller):
    supervisor.begin(GRASP, None)
    ended = supervisor.hear(State.STOPPED, 411, "asked to stop by the service")
    assert ended.error_code == ErrorCode.GATE_STOPPED
    assert "asked to stop by the service" in ended.message and "fmrl rearm" in ended.message
    assert controller.calls[-1] == "hold"
    assert supervisor.hear(State.STOPPED, 411, "asked to stop by the service") is None


def test_a_stopped_robot_is_told_nothing_and_takes_nothing(supervisor, controller):
    assert not supervisor.silent
    supervisor.hear(State.STOPPED)
    assert supervisor.silent
    with pytest.raises(FmrlError, match="fmrl rearm") as caught:
        supervisor.begin(GRASP, None)
    assert caught.value.code == ErrorCode.GATE_STOPPED
    assert not supervisor.drive(Velocity(vx=0.5))
    assert "start" not in controller.calls


@pytest.mark.parametrize("state", [State.STOPPED, State.REARMING, State.DISARMED])
def test_while_nothing_is_followed_the_controller_is_passive(supervisor, controller, state):
    supervisor.hear(state)
    command, _ = supervisor.tick(at(10.02), None)
    assert np.all(command.position == 1.0) and command.observation_stamp_s == 10.02
    assert controller.calls[-1] == "passive"
    supervisor.hear(State.ARMED)
    assert np.all(supervisor.tick(at(10.04), None)[0].position == 0.0)


def test_a_subgoal_waits_for_a_gate_that_is_being_armed(supervisor, controller):
    supervisor.hear(State.STOPPED)
    supervisor.hear(State.REARMING)
    assert not supervisor.silent
    supervisor.begin(GRASP, None)
    assert supervisor.tick(at(10.02), None)[1] is None
    assert "start" not in controller.calls and supervisor.progress == 0.0
    supervisor.hear(State.ARMED)
    supervisor.tick(at(10.04), None)
    assert controller.calls[-1] == "start"
    supervisor.tick(at(10.06), None)
    assert controller.calls.count("start") == 1


def test_a_subgoal_that_waits_ends_with_its_timeout_or_the_next_stop(supervisor, controller):
    supervisor.hear(State.REARMING)
    supervisor.begin(GRASP, None)
    ended = supervisor.tick(at(11.1), None)[1]
    assert ended.error_code == ErrorCode.SUBGOAL_TIMEOUT and "not armed" in ended.message
    supervisor.begin(GRASP, None)
    assert supervisor.hear(State.STOPPED).error_code == ErrorCode.GATE_STOPPED
    supervisor.hear(State.ARMED)
    supervisor.tick(at(11.2), None)
    assert "start" not in controller.calls


def test_a_waiting_subgoal_that_cannot_start_ends_with_its_code(supervisor, controller):
    supervisor.hear(State.REARMING)
    supervisor.begin(GRASP, None)
    supervisor.hear(State.ARMED)
    controller.error = FmrlError("not seen", ErrorCode.TARGET_NOT_SEEN)
    ended = supervisor.tick(at(10.02), None)[1]
    assert ended.error_code == ErrorCode.TARGET_NOT_SEEN
    assert supervisor.subgoal is None


def test_a_world_that_is_reset_under_an_armed_gate_ends_the_subgoal(supervisor):
    supervisor.hear(State.ARMED)
    supervisor.begin(GRASP, None)
    ended = supervisor.hear(State.DISARMED)
    assert ended.error_code == ErrorCode.SUBGOAL_CANCELLED and "reset" in ended.message
