"""The arm's controller: whole sub-goals through a real gate, and every way to fail by its code."""

import shutil
from dataclasses import replace

import numpy as np
import onnx
import pytest

from fmrl_robot.assets import policies_dir
from fmrl_robot.control.arm import ArmController
from fmrl_robot.errors import ConfigError, ErrorCode, FmrlError
from fmrl_robot.robots import PANDA
from fmrl_robot.types import Predicate, RobotState, Scene, SubGoal, SubGoalKind
from fmrl_sim.lockstep import region_subgoal, run_plan
from fmrl_sim.scenes.base import SceneOptions
from fmrl_sim.scenes.tabletop import build

GRASP = region_subgoal("grasp red_cube until held(red_cube)")
INTO_BOWL = region_subgoal("place bowl until in(red_cube, bowl)")


@pytest.fixture(scope="module")
def table():
    return build()


@pytest.fixture
def controller():
    return ArmController(PANDA, plan_inline=True)


def resting(stamp_s=0.0):
    return RobotState(stamp_s=stamp_s, q=PANDA.default.copy(), dq=np.zeros(8))


def test_a_cube_gets_into_the_bowl_and_the_gate_refuses_nothing(table, controller):
    goal = [Predicate.parse("in(red_cube, bowl)"), Predicate.parse("hand_empty()")]
    run = run_plan(table, controller, [GRASP, INTO_BOWL], goal, seed=1)
    assert run.success
    assert run.refusals == 0
    assert all(step.outcome.success for step in run.steps[-1:])


def test_success_is_ground_truths_and_not_the_plans(table, controller):
    goal = [Predicate.parse("in(blue_cube, bowl)")]
    assert not run_plan(table, controller, [GRASP, INTO_BOWL], goal, seed=1).success


def test_the_worker_thread_gives_commands_while_it_plans(table):
    with_thread = ArmController(PANDA)
    goal = [Predicate.parse("pressed(button)")]
    plan = [region_subgoal("press button until pressed(button)")]
    run = run_plan(table, with_thread, plan, goal, seed=2)
    assert run.refusals == 0 and run.success


def test_a_target_out_of_reach_ends_with_no_path(table, controller):
    options = SceneOptions(far=("red_cube",))
    run = run_plan(table, controller, [GRASP], [], seed=0, options=options, retries=0)
    assert run.steps[0].outcome.error_code == ErrorCode.NO_PATH
    assert run.refusals == 0


def test_a_target_that_is_not_seen_ends_with_its_code(controller):
    controller.step(resting(), None)
    for scene in (None, Scene(stamp_s=0.0)):
        with pytest.raises(FmrlError) as error:
            controller.start(GRASP, resting(), scene)
        assert error.value.code == ErrorCode.TARGET_NOT_SEEN


def test_nothing_to_place_ends_with_its_code(table, controller):
    run = run_plan(table, controller, [INTO_BOWL], [], seed=0, retries=0)
    assert run.steps[0].outcome.error_code == ErrorCode.SUBGOAL_FAILED


def test_what_it_accepts(controller):
    assert controller.accepts(GRASP)
    assert not controller.accepts(replace(GRASP, skill="juggle"))
    assert not controller.accepts(replace(GRASP, termination=None))
    assert not controller.accepts(SubGoal(id="x", kind=SubGoalKind.CONTACT_PATTERN))


def test_idle_it_holds_and_follows_an_arm_that_was_moved(controller):
    first = controller.step(resting(), None)
    assert np.allclose(first.position, np.clip(PANDA.default, PANDA.lower, PANDA.upper))
    assert not first.velocity.any()
    moved = replace(resting(), q=PANDA.default + np.array([0.3, *[0.0] * 7]))
    last = first
    for _ in range(30):
        command = controller.step(moved, None)
        assert np.all(np.abs(command.position - last.position) <= PANDA.step)
        last = command
    assert abs(last.position[0] - moved.q[0]) < 0.06


def test_a_missing_policy_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="fmrl train") as error:
        ArmController(PANDA, policies=tmp_path)
    assert error.value.code == ErrorCode.POLICY_MISSING


def test_a_policy_that_contradicts_the_robot_is_refused_by_field(tmp_path):
    for skill in ("grasp", "place", "open", "close", "press"):
        name = f"panda-{skill}"
        shutil.copytree(policies_dir() / name, tmp_path / name)
    file = tmp_path / "panda-grasp" / "policy.onnx"
    model = onnx.load(file)
    for entry in model.metadata_props:
        if entry.key == "joint_stiffness":
            entry.value = "[1, 2, 3, 4, 5, 6, 7, 8]"
    onnx.save(model, file)
    with pytest.raises(ConfigError, match="joint_stiffness") as error:
        ArmController(PANDA, policies=tmp_path)
    assert error.value.code == ErrorCode.POLICY_REFUSED
