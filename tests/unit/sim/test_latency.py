"""Commands that suddenly come later than the policy bears: noticed, and stopped before the fall."""

from collections import deque
from dataclasses import replace

import numpy as np

from fmrl_robot.control.quadruped import FALLEN_UP, QuadrupedController
from fmrl_robot.control.supervisor import Supervisor
from fmrl_robot.errors import ErrorCode
from fmrl_robot.robots import GO2
from fmrl_robot.safety.gate import Gate
from fmrl_robot.types import ContactPattern, SubGoal, SubGoalKind, Velocity
from fmrl_sim.body import TICK_S, MujocoBody
from fmrl_sim.scenes.ground import build
from fmrl_sim.tasks import contact_gaits as gaits

EXTRA_S = 0.04
"""Beyond what the policy was trained with."""
FELLING_S = 0.08
"""The gate's own deadline lets it pass."""
PUSH_M_S, PUSHES = 0.6, 6
"""To the left and to the right in turn."""
RUNS = 50


class Walk:
    """A robot that walks, and a wire on which commands may be held up."""

    def __init__(self, run, *, watched=True):
        rng = np.random.default_rng(run)
        controller = QuadrupedController(GO2)
        self.gate = Gate(GO2)
        self.body = MujocoBody(build(), self.gate, seed=run)
        self.bears_s = controller.max_delay_s
        limit = self.bears_s if watched else 0.0
        _, self.lease, _ = self.gate.acquire("test", max_delay_s=limit)
        self.supervisor, self.held, self.delay_s = Supervisor(controller), deque(), 0.0
        self.go(0.5)
        kind = ("trot", "pace", "bound")[run % 3]
        goal = SubGoal(
            id=kind,
            kind=SubGoalKind.CONTACT_PATTERN,
            pattern=ContactPattern(contacts=gaits.pattern(kind)),
            velocity=Velocity(vx=float(rng.uniform(-1.0, 1.0))),
            duration_s=60.0,
        )
        self.supervisor.begin(goal, None)
        self.go(float(rng.uniform(1.5, 2.5)))
        assert self.upright, "it walks before anything happens"

    @property
    def upright(self):
        x, y = self.body.data.qpos[4:6]
        return 1 - 2 * (x * x + y * y) > FALLEN_UP

    @property
    def stopped(self):
        return self.gate.tick(self.body.now).stopped

    def go(self, seconds, until=lambda: False):
        for _ in range(round(seconds / GO2.command_dt_s)):
            state = self.body.read()
            command, _ = self.supervisor.tick(state, None)
            self.held.append((state.stamp_s + self.delay_s, command))
            for _ in range(round(GO2.command_dt_s / TICK_S)):
                while self.held and self.held[0][0] <= self.body.now + 1e-9:
                    late = self.held.popleft()[1]
                    self.body.submit(replace(late, lease=self.lease, stamp_s=self.body.now))
                self.body.tick()
                if until():
                    return


def test_a_delay_beyond_what_the_policy_bears_is_noticed_and_the_robot_damped():
    for run in range(RUNS):
        walk = Walk(run)
        walk.delay_s, began = walk.bears_s + EXTRA_S, walk.body.now
        walk.go(0.3, until=lambda walk=walk: walk.stopped)
        assert walk.stopped, run
        assert walk.gate.status().code is ErrorCode.COMMAND_LATE
        assert walk.body.now - began <= 0.2, run
        assert walk.upright, run
        walk.go(1.5)
        assert walk.upright, f"it lay down on its belly in run {run}"
        assert np.linalg.norm(walk.body.data.qvel[:3]) < 0.2


def test_what_the_policy_was_trained_with_disturbs_nothing():
    for run in range(6):
        walk = Walk(run)
        walk.delay_s = walk.bears_s
        walk.go(2.0)
        assert not walk.stopped
        assert walk.upright


def test_late_robots_fall_where_robots_in_time_and_those_that_were_stopped_do_not():
    """The control: did nobody fall, stopping would prove nothing. Everybody is pushed."""
    fell = {}
    for delay_s, watched in ((0.0, True), (FELLING_S, False), (FELLING_S, True)):
        fell[delay_s, watched] = 0
        for run in range(16):
            walk = Walk(run, watched=watched)
            walk.delay_s = delay_s
            walk.go(0.6)
            for push in range(PUSHES):
                walk.body.data.qvel[1] += PUSH_M_S * (-1) ** push
                walk.go(0.7)
            assert walk.stopped is (delay_s > 0 and watched)
            fell[delay_s, watched] += not walk.upright
    assert fell[0.0, True] == fell[FELLING_S, True] == 0
    assert fell[FELLING_S, False] >= 4
