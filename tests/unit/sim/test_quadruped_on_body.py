"""The shipped Go2 policy on the simulated body, through its gate: the graph without ROS."""

from dataclasses import replace

import numpy as np
import pytest

from fmrl_robot.control.quadruped import QuadrupedController
from fmrl_robot.control.supervisor import Supervisor
from fmrl_robot.robots import GO2
from fmrl_robot.safety.gate import Gate
from fmrl_robot.types import ContactPattern, SubGoal, SubGoalKind, Velocity
from fmrl_sim.body import TICK_S, MujocoBody
from fmrl_sim.scenes.ground import build
from fmrl_sim.tasks import contact_gaits as gaits


class Rig:
    def __init__(self):
        self.gate = Gate(GO2)
        self.body = MujocoBody(build(), self.gate, seed=0)
        _, self.lease, _ = self.gate.acquire("test")
        self.supervisor = Supervisor(QuadrupedController(GO2))
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


@pytest.mark.parametrize(("kind", "vx"), [("trot", 0.5), ("trot", -0.5), ("stand", 0.0)])
def test_it_moves_as_told_and_the_gate_never_stops_it(kind, vx):
    rig = Rig()
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
