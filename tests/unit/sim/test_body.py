"""The body behind its gate: it holds, follows, stops by its stop kind, and ends when physics do."""

import mujoco
import numpy as np
import pytest

from fmrl_robot.errors import ErrorCode, Terminal
from fmrl_robot.safety import Gate, State
from fmrl_robot.types import JointCommand
from fmrl_sim.body import TICK_S, MujocoBody
from fmrl_sim.scenes import ground, tabletop


@pytest.fixture(scope="module")
def arm_scene():
    return tabletop.build()


@pytest.fixture(scope="module")
def dog_scene():
    return ground.build("go2")


class Driver:
    """A controller that answers every observation, as the graph's does."""

    def __init__(self, body, gate):
        self.body, self.gate, self.seq = body, gate, 0
        self.granted, self.lease, _ = gate.acquire("test")

    def run(self, seconds, target=None, **changes):
        refusals = []
        for k in range(round(seconds / TICK_S)):
            if target is not None and k % 5 == 0:
                refusals.append(self.send(target(self.body.now), **changes))
            self.body.tick()
        return refusals

    def send(self, position, **changes):
        spec = self.body.robot
        self.seq += 1
        command = {
            "seq": self.seq,
            "stamp_s": self.body.now,
            "observation_stamp_s": self.body.now,
            "lease": self.lease,
            "names": spec.joint_names,
            "position": np.asarray(position, float),
            "velocity": np.zeros(spec.num_joints),
            "effort": np.zeros(spec.num_joints),
            "kp": spec.kp,
            "kd": spec.kd,
            **changes,
        }
        return self.gate.submit(JointCommand(**command), self.body.now)


def _driver(scene, seed=0):
    gate = Gate(scene.robot)
    return Driver(MujocoBody(scene, gate, seed=seed), gate)


def test_an_arm_holds_its_pose_before_anybody_commands(arm_scene):
    d = _driver(arm_scene)
    before = d.body.read().q
    d.run(1.0)
    np.testing.assert_allclose(d.body.read().q, before, atol=2e-3)
    assert d.gate.status().state is State.DISARMED


def test_a_quadruped_stands_before_anybody_commands(dog_scene):
    d = _driver(dog_scene)
    d.run(2.0)
    state = d.body.read()
    assert 0.24 < d.body.data.qpos[2] < 0.30
    assert state.contacts.all()
    weight = 9.81 * dog_scene.model.body("base").subtreemass[0]
    assert d.body.foot_forces().sum() == pytest.approx(weight, rel=0.05)
    assert np.abs(state.dq).max() < 0.1


def test_the_arm_follows_and_brakes_when_commands_stop(arm_scene):
    d = _driver(arm_scene)
    start = d.body.read().q

    def swing(now):
        q = start.copy()
        q[:4] += 0.25 * np.sin(2 * np.pi * 1.0 * now)
        return q

    refusals = d.run(0.98, swing)
    assert refusals == [None] * len(refusals)
    speed = np.abs(d.body.read().dq[:7]).max()
    assert speed > 0.8
    for _ in range(200):
        if d.gate.status().state is State.STOPPED:
            break
        d.body.tick()
    status = d.gate.status()
    assert status.state is State.STOPPED
    assert status.code is ErrorCode.COMMAND_SILENCE
    d.run(0.5)
    assert np.abs(d.body.read().dq).max() < 0.05
    held = d.body.read().q
    d.run(1.0)
    np.testing.assert_allclose(d.body.read().q, held, atol=5e-3)


def test_an_arm_stopped_in_full_swing_is_still_within_half_a_second(arm_scene):
    d = _driver(arm_scene)
    start = d.body.read().q
    d.run(0.5, lambda now: start + np.r_[2.0 * (now - 0.0), np.zeros(7)])
    assert d.body.read().dq[0] > 1.5
    d.gate.stop("test")
    d.run(0.5)
    assert np.abs(d.body.read().dq).max() < 0.05


def test_a_stopped_quadruped_sits_within_two_seconds(dog_scene):
    d = _driver(dog_scene)
    stance = dog_scene.robot.default
    d.run(0.5, lambda now: stance)
    d.gate.stop("test")
    d.run(2.0)
    assert d.body.data.qpos[2] < 0.13
    assert d.body.data.body("base").xmat[8] > 0.8
    assert np.abs(d.body.data.qvel[:3]).max() < 0.05


def test_a_quadruped_whose_gate_is_deaf_does_not_sit(dog_scene):
    """Negative control: what sits the robot down is the gate's watchdog, not the body."""

    class Deaf(Gate):
        def tick(self, now):
            self._last_at = now
            return super().tick(now)

    gate = Deaf(dog_scene.robot)
    d = Driver(MujocoBody(dog_scene, gate), gate)
    d.run(0.5, lambda now: dog_scene.robot.default)
    d.run(2.0)
    assert d.body.data.qpos[2] > 0.15


def test_a_stop_does_not_drop_what_the_gripper_holds(arm_scene):
    d = _driver(arm_scene)
    start = d.body.read().q
    grip = np.r_[start[:7], 0.01]
    d.run(0.6, lambda now: grip)
    d.gate.stop("test")
    d.run(0.5)
    assert d.body.read().q[-1] == pytest.approx(0.01, abs=1e-3)


def test_rearming_takes_a_request_and_a_second_of_commands(arm_scene):
    d = _driver(arm_scene)
    hold = d.body.read().q
    d.run(0.2, lambda now: hold)
    d.gate.stop("test")
    d.run(0.4)
    refusals = d.run(0.5, lambda now: d.body.read().q)
    assert {r[0] for r in refusals} == {ErrorCode.NOT_ARMED}
    assert d.gate.rearm()[0]
    d.run(0.9, lambda now: d.body.read().q)
    assert d.gate.status().state is State.REARMING
    d.run(0.3, lambda now: d.body.read().q)
    assert d.gate.status().state is State.ARMED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"position": np.full(8, np.nan)}, ErrorCode.COMMAND_NOT_FINITE),
        ({"kp": np.full(8, np.inf)}, ErrorCode.COMMAND_NOT_FINITE),
        ({"position": np.zeros(7)}, ErrorCode.COMMAND_INCOMPLETE),
        ({"names": ("panda_joint1",) * 8}, ErrorCode.COMMAND_INCOMPLETE),
        ({"velocity": np.full(8, 9.0)}, ErrorCode.VELOCITY_LIMIT),
        ({"effort": np.full(8, 99.0)}, ErrorCode.EFFORT_LIMIT),
        ({"kp": np.full(8, 9999.0)}, ErrorCode.GAIN_LIMIT),
        ({"kd": np.full(8, -1.0)}, ErrorCode.GAIN_LIMIT),
        ({"lease": "another"}, ErrorCode.LEASE_INVALID),
        ({"seq": 0}, ErrorCode.COMMAND_REPLAYED),
        ({"observation_stamp_s": -1.0}, ErrorCode.COMMAND_STALE),
    ],
)
def test_a_bad_command_is_refused_whole_and_moves_nothing(arm_scene, changes, code):
    d = _driver(arm_scene)
    hold = d.body.read().q
    d.run(0.1, lambda now: hold)
    position = changes.get("position", hold)
    rest = {k: v for k, v in changes.items() if k != "position"}
    refusals = d.run(0.3, lambda now: position, **rest)
    assert refusals[0][0] is code
    np.testing.assert_allclose(d.body.read().q, hold, atol=2e-3)
    assert d.gate.status().state is State.STOPPED


def test_a_jump_and_a_place_out_of_limits_are_refused(arm_scene):
    d = _driver(arm_scene)
    hold = d.body.read().q
    assert d.send(hold) is None
    assert d.send(hold + np.r_[0.5, np.zeros(7)])[0] is ErrorCode.STEP_LIMIT
    assert d.send(np.r_[3.0, hold[1:]])[0] is ErrorCode.POSITION_LIMIT


def test_a_second_commander_gets_no_lease_and_no_motion(arm_scene):
    d = _driver(arm_scene)
    assert not d.gate.acquire("intruder")[0]
    assert d.gate.acquire("intruder", take_over=True)[0]
    assert d.send(d.body.read().q)[0] is ErrorCode.LEASE_INVALID


def test_reset_goes_back_to_the_seed_but_not_in_time(arm_scene):
    d = _driver(arm_scene, seed=4)
    q = d.body.data.qpos.copy()
    hold = d.body.read().q
    d.run(0.5, lambda now: hold)
    before = d.body.now
    d.body.reset(4)
    assert d.body.now == before
    assert d.body.data.qpos.tobytes() == q.tobytes()
    assert d.gate.status().state is State.DISARMED


def test_two_bodies_share_no_gains(arm_scene):
    one, two = _driver(arm_scene), _driver(arm_scene)
    kept = two.body.model.actuator_biasprm.copy()
    one.run(0.1, lambda now: one.body.read().q, kp=arm_scene.robot.kp * 0.5)
    np.testing.assert_array_equal(two.body.model.actuator_biasprm, kept)


def test_diverging_physics_end_the_run_with_its_code(dog_scene):
    d = _driver(dog_scene)
    d.body.data.qvel[:] = np.nan
    with pytest.raises(Terminal) as caught:
        d.body.tick()
    assert caught.value.code is ErrorCode.SIMULATION_DIVERGED


def test_stepping_is_fast_enough_to_train_on(arm_scene):
    """15,000 steps of physics a second and core; here a third of that, for busy machines."""
    import time

    data = arm_scene.new_data(0)
    best = 0.0
    for _ in range(3):
        begin = time.process_time()
        mujoco.mj_step(arm_scene.model, data, 1000)
        best = max(best, 1000 / (time.process_time() - begin))
    assert best > 5000
