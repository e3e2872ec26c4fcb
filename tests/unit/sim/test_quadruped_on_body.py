"""Shipped policies of Go2 and Go1 on the simulated body, through its gate: no ROS."""

from dataclasses import replace

import numpy as np
import pytest

from fmrl_robot.control.posture import sit
from fmrl_robot.control.quadruped import QuadrupedController
from fmrl_robot.control.supervisor import Supervisor
from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.robots import GO1, GO2
from fmrl_robot.safety.gate import Gate
from fmrl_robot.types import ContactPattern, SubGoal, SubGoalKind, Velocity
from fmrl_sim.body import TICK_S, MujocoBody
from fmrl_sim.scenes import rough
from fmrl_sim.scenes.ground import MARKERS, build, put_marker
from fmrl_sim.tasks import contact_gaits as gaits


@pytest.fixture(params=[GO2, GO1], ids=lambda spec: spec.name)
def robot(request):
    return request.param


class Rig:
    def __init__(self, robot=GO2, scene=None, seed=0):
        self.gate = Gate(robot)
        self.body = MujocoBody(scene or build(robot.name), self.gate, seed=seed)
        _, self.lease, _ = self.gate.acquire("test")
        self.supervisor = Supervisor(QuadrupedController(robot))
        self.stopped = False

    def run(self, seconds):
        """Return the outcome of what ended, and velocity in the world, shape (rows, 3)."""
        velocities = []
        for _ in range(round(seconds / GO2.command_dt_s)):
            command, ended = self.supervisor.tick(self.body.read(), None)
            self.body.submit(replace(command, lease=self.lease, stamp_s=self.body.now))
            for _ in range(round(GO2.command_dt_s / TICK_S)):
                self.body.tick()
            self.stopped |= self.gate.tick(self.body.now).stopped
            velocities.append(self.body.data.qvel[:3].copy())
            if ended is not None:
                return ended, np.array(velocities)
        return None, np.array(velocities)


def goal(kind, vx, duration=3.0):
    return SubGoal(
        id=kind,
        kind=SubGoalKind.CONTACT_PATTERN,
        pattern=ContactPattern(contacts=gaits.pattern(kind)),
        velocity=Velocity(vx=vx),
        duration_s=duration,
    )


def test_it_shoves_a_marker_along_and_does_not_walk_through_it(robot):
    rig = Rig(robot)
    body, marker = rig.body, "blue_marker"
    for number, name in enumerate(MARKERS):
        put_marker(body.model, body.data.qpos, name, -3.0 - number, 0.0)
    put_marker(body.model, body.data.qpos, marker, 0.8, 0.0)
    rig.run(1.0)
    before = body.data.body(marker).xpos.copy()
    assert np.linalg.norm(before - (0.8, 0.0, 0.0)) < 0.01  # it stands there by itself
    rig.supervisor.begin(goal("trot", 0.5), None)
    gaps = []
    for _ in range(150):
        rig.run(GO2.command_dt_s)
        gaps.append(np.linalg.norm((body.data.body(marker).xpos - body.data.qpos[:3])[:2]))
    assert body.data.qpos[0] > 0.9
    assert np.linalg.norm((body.data.body(marker).xpos - before)[:2]) > 0.2
    assert min(gaps) > 0.15  # without a body it would be zero
    assert body.data.qpos[2] > 0.24 and not rig.stopped


@pytest.mark.parametrize(("kind", "vx"), [("trot", 0.5), ("trot", -0.5), ("stand", 0.0)])
def test_it_moves_as_told_and_the_gate_never_stops_it(kind, vx, robot):
    rig = Rig(robot)
    rig.run(1.0)
    rig.supervisor.begin(goal(kind, vx), None)
    outcome, velocities = rig.run(5.0)
    assert outcome is not None
    assert outcome.success
    assert velocities[50:, 0].mean() == pytest.approx(vx, abs=0.12)
    rig.run(2.0)
    assert rig.body.data.qpos[2] > 0.24
    assert not rig.stopped


def test_driven_by_hand_it_turns_and_then_stands():
    rig = Rig()
    rig.run(1.0)
    for _ in range(100):
        rig.supervisor.drive(Velocity(vx=0.3, wz=0.6))
        rig.run(0.02)
    assert 2 * np.arctan2(*rig.body.data.qpos[[6, 3]]) == pytest.approx(1.2, abs=0.5)
    _, velocities = rig.run(3.0)
    assert np.abs(velocities[-25:]).max() < 0.05


def test_a_robot_that_was_pushed_over_ends_with_its_code():
    rig = Rig()
    rig.run(1.0)
    rig.supervisor.begin(goal("trot", 0.5), None)
    rig.run(1.0)
    rig.body.data.qpos[3:7] = np.cos(1.2), np.sin(1.2), 0.0, 0.0
    outcome, _ = rig.run(2.0)
    assert outcome is not None
    assert outcome.error_code == 310


def posture(skill):
    return SubGoal(id=skill, kind=SubGoalKind.SKILL, skill=skill, timeout_s=8.0)


def pitch(body):
    w, x, y, z = body.data.qpos[3:7]
    return np.arcsin(2 * (w * y - z * x))


def test_it_sits_until_it_is_told_to_walk(robot):
    rig = Rig(robot)
    rig.run(1.0)
    rig.supervisor.begin(posture("sit"), None)
    outcome, _ = rig.run(8.0)
    assert outcome.success
    rig.run(2.0)
    assert -pitch(rig.body) == pytest.approx(sit(robot).pitch, abs=0.25)
    rig.supervisor.begin(goal("trot", 0.5), None)
    outcome, velocities = rig.run(8.0)
    assert outcome.success
    assert velocities[-50:, 0].mean() == pytest.approx(0.5, abs=0.15)
    assert not rig.stopped


@pytest.mark.parametrize("seed", range(4))
def test_thrown_anyhow_it_stands_up_and_walks(seed, robot):
    rig = Rig(robot)
    rig.run(1.0)
    rig.body.throw(np.random.default_rng(seed))
    rig.run(2.0)
    rig.supervisor.begin(posture("stand_up"), None)
    outcome, _ = rig.run(8.0)
    assert outcome.success
    rig.run(2.0)
    assert rig.body.data.qpos[2] > 0.24
    rig.supervisor.begin(goal("trot", 0.5), None)
    outcome, _ = rig.run(8.0)
    assert outcome.success
    assert not rig.stopped


def test_on_its_back_it_refuses_to_walk_and_says_what_helps():
    rig = Rig()
    rig.run(1.0)
    rig.body.data.qpos[3:7] = 0.0, 1.0, 0.0, 0.0
    rig.run(2.0)
    with pytest.raises(FmrlError, match="stand up") as caught:
        rig.supervisor.begin(goal("trot", 0.5), None)
    assert caught.value.code is ErrorCode.ROBOT_FELL


def test_a_posture_without_a_policy_is_refused():
    supervisor = Supervisor(QuadrupedController(GO2))
    rig = Rig()
    rig.run(0.1)
    supervisor.tick(rig.body.read(), None)
    with pytest.raises(FmrlError) as caught:
        supervisor.begin(posture("roll_over"), None)
    assert caught.value.code is ErrorCode.NO_POLICY_FITS


@pytest.mark.parametrize("seed", range(3))
def test_it_walks_over_rough_ground_and_then_stands(seed):
    rig = Rig(scene=rough.build(), seed=seed)
    rig.run(1.0)
    start = rig.body.data.qpos[:2].copy()
    walk = SubGoal(
        id="walk",
        kind=SubGoalKind.SKILL,
        skill="walk",
        velocity=Velocity(vx=0.7),
        duration_s=8.0,
    )
    rig.supervisor.begin(walk, None)
    outcome, _ = rig.run(10.0)
    assert outcome is not None
    assert outcome.success
    assert np.linalg.norm(rig.body.data.qpos[:2] - start) > 3.5
    _, velocities = rig.run(3.0)
    assert np.abs(velocities[-25:]).max() < 0.15
    assert not rig.stopped
