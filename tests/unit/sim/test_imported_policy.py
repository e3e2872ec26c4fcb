"""Policies told in another project's conventions, imported: they move the robot as before.

The network is the shipped one, retold (tests/foreign_files.py): joints and terms in another order,
another default pose, other scales.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from foreign_files import WALK, Convention, retold

from fmrl_robot.assets import policies_dir
from fmrl_robot.control import controller_for
from fmrl_robot.control.supervisor import Supervisor
from fmrl_robot.control.velocity import VelocityPolicy
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.robots import GO2, PANDA
from fmrl_robot.safety.gate import Gate
from fmrl_robot.train.evaluate import OnnxPolicy
from fmrl_robot.train.importing import import_policy
from fmrl_robot.types import ContactPattern, RobotState, SubGoal, SubGoalKind, Velocity
from fmrl_sim.body import TICK_S, MujocoBody
from fmrl_sim.scenes.ground import build
from fmrl_sim.tasks import contact_gaits as gaits
from fmrl_sim.tasks.saytap import make_go2

SHIPPED = policies_dir() / "go2-saytap" / "policy.onnx"
ROBOTS, STEPS = 16, 300
KP = 25.0


@pytest.fixture(scope="module")
def policies(tmp_path_factory):
    """The retold contact-pattern policy in the place of the shipped one; and the walker."""
    folder = tmp_path_factory.mktemp("retold")
    (folder / "policies").mkdir()
    told = Convention.drawn(np.random.default_rng(7))
    side = folder / "side.yaml"
    side.write_text("\n".join(f"{key}: {value}" for key, value in told.side().items()))
    file = retold(told, folder / "their.onnx")
    import_policy(file, GO2, "go2-saytap", folder / "policies", side=side)
    walks = Convention(terms=WALK)
    file = retold(walks, folder / "walk.onnx", command_names="twist", joint_stiffness=str(KP))
    import_policy(file, GO2, "walks", folder / "policies")
    return folder / "policies"


class Rig:
    """Robot, gate and controller in turn, no clock."""

    def __init__(self, policies, walk_policy=""):
        self.gate = Gate(GO2)
        self.body = MujocoBody(build(), self.gate, seed=0)
        _, self.lease, _ = self.gate.acquire("test")
        self.supervisor = Supervisor(controller_for(GO2, policies, walk_policy))
        self.run(1.0)

    def run(self, seconds):
        """Commands and forward velocities."""
        rows = []
        for _ in range(round(seconds / GO2.command_dt_s)):
            command, self.ended = self.supervisor.tick(self.body.read(), None)
            self.body.submit(replace(command, lease=self.lease, stamp_s=self.body.now))
            for _ in range(round(GO2.command_dt_s / TICK_S)):
                self.body.tick()
            rows.append((command, self.body.data.qvel[0]))
        return [command for command, _ in rows], np.array([vx for _, vx in rows])


def test_in_three_hundred_steps_of_many_robots_it_says_what_the_original_says(policies):
    """All gaits and speeds, by the task's own draw; the original acts, both are asked."""
    env = make_go2(num_envs=ROBOTS, threads=1, seed=5)
    original, imported = OnnxPolicy(SHIPPED), OnnxPolicy(policies / "go2-saytap" / "policy.onnx")
    seen, worst, most = env.reset()["policy"], 0.0, 0.0
    for _ in range(STEPS):
        rows = seen.numpy().astype(np.float64)
        want, got = original(rows), imported(rows)
        worst, most = max(worst, np.abs(got - want).max()), max(most, np.abs(want).max())
        seen = env.step(torch.as_tensor(want, dtype=torch.float32))[0]["policy"]
    assert most > 1.0, "the robots were doing something"
    assert worst < 1e-5


@pytest.mark.parametrize("vx", [0.5, -0.5])
def test_imported_it_walks_as_told_and_the_gate_never_stops_it(policies, vx):
    rig = Rig(policies)
    goal = SubGoal(
        id="trot",
        kind=SubGoalKind.CONTACT_PATTERN,
        pattern=ContactPattern(contacts=gaits.pattern("trot")),
        velocity=Velocity(vx=vx),
        duration_s=30.0,
    )
    rig.supervisor.begin(goal, None)
    _, speed = rig.run(6.0)
    assert speed[50:].mean() == pytest.approx(vx, abs=0.12)
    assert rig.body.data.qpos[2] > 0.24
    assert not rig.gate.status().stops


def test_the_skill_walk_takes_an_imported_policy_by_name_with_its_own_gains(policies):
    rig = Rig(policies, "walks")
    goal = SubGoal(
        id="w",
        kind=SubGoalKind.SKILL,
        skill="walk",
        velocity=Velocity(vx=0.5),
        duration_s=3.0,
        timeout_s=0.0,
    )
    rig.supervisor.begin(goal, None)
    commands, speed = rig.run(2.9)
    assert speed[50:].mean() == pytest.approx(0.5, abs=0.12)
    assert all((command.kp == KP).all() and (command.kd == 0.5).all() for command in commands)
    assert np.ptp([command.position for command in commands], axis=0).max() > 0.01
    assert rig.body.data.qpos[2] > 0.24
    rig.run(0.2)
    assert rig.supervisor.subgoal is None
    rig.run(2.0)
    for _ in range(50):
        rig.supervisor.drive(Velocity(wz=0.3))
        commands, _ = rig.run(0.02)
    assert (commands[-1].kp == KP).all(), "driven by hand it walks with it, too"
    assert not rig.gate.status().stops


def test_between_the_decisions_of_a_slower_policy_its_targets_stand(policies, tmp_path):
    side = tmp_path / "side.yaml"
    side.write_text("control_dt: 0.06\nmax_action_delay_ms: 5\n")
    import_policy(policies.parent / "walk.onnx", GO2, "slow", policies, side=side, force=True)
    policy = VelocityPolicy(GO2, policies, "slow")
    assert policy.max_delay_s == controller_for(GO2, policies, "slow").max_delay_s == 0.005
    policy.begin(GO2.default)
    rng, targets = np.random.default_rng(0), []
    for k in range(9):
        state = RobotState(
            stamp_s=0.02 * k,
            q=GO2.default + rng.normal(scale=0.1, size=12),
            dq=np.zeros(12),
            quaternion=np.array([1.0, 0.0, 0.0, 0.0]),
            angular_velocity=np.zeros(3),
        )
        targets.append(policy.act(state, Velocity(vx=0.5)))
    changed = np.abs(np.diff(targets, axis=0)).max(axis=1) > 0
    assert changed.tolist() == [False, False, True] * 2 + [False, False]


def test_a_name_that_is_not_there_and_an_arm_are_refused(policies):
    with pytest.raises(ConfigError) as caught:
        controller_for(GO2, policies, "nobody")
    assert caught.value.code is ErrorCode.POLICY_MISSING
    with pytest.raises(ConfigError) as caught:
        controller_for(PANDA, None, "walks")
    assert caught.value.code is ErrorCode.NO_POLICY_FITS
    with pytest.raises(ConfigError, match="observation_names"):
        controller_for(GO2, policies, "go2-saytap")
