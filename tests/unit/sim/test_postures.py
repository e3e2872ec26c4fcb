"""A quadruped's posture is what it has come to, in pictures for training as elsewhere."""

import mujoco
import numpy as np
import pytest

from fmrl_sim.frames import ground as frames
from fmrl_sim.postures import POSTURES, posture
from fmrl_sim.scenes import ground


@pytest.fixture(scope="module")
def scene():
    return ground.build()


def named(scene, height, roll=0.0, pitch=0.0):
    data = scene.new_data(0)
    quat = np.zeros(4)
    mujoco.mju_euler2Quat(quat, np.array([0.7, pitch, roll]), "ZYX")
    data.qpos[2:7] = height, *quat
    mujoco.mj_forward(scene.model, data)
    return posture(data, scene.robot.base_body)


def test_postures_by_height_and_tilt(scene):
    assert named(scene, 0.28) == "standing"
    assert named(scene, 0.18) == "crouching"
    assert named(scene, 0.10) == "lying"
    assert named(scene, 0.22, pitch=-0.5) == "sitting"
    assert named(scene, 0.22, pitch=0.5) == "bowing"
    assert named(scene, 0.10, roll=1.5) == named(scene, 0.10, roll=3.1) == "fallen"
    # In between nothing is claimed.
    assert named(scene, 0.23) is named(scene, 0.145) is named(scene, 0.28, roll=0.6) is None


def drawn(scene, count=60):
    rng = np.random.default_rng(4)
    return [frames._at_rest(scene, rng) for _ in range(count)]


def test_drawn_robots_hold_their_posture_and_every_posture_comes(scene):
    found = drawn(scene)
    assert {name for _, name in found} == set(POSTURES)
    heights = {p: np.median([d.qpos[2] for d, name in found if name == p]) for p in POSTURES}
    assert heights["lying"] < heights["crouching"] < heights["standing"]
    still = [np.abs(d.qvel[:6]).max() for d, name in found if name in ("crouching", "lying")]
    assert max(still) < 0.1


def test_without_servos_that_hold_nobody_crouches(scene, monkeypatch):
    monkeypatch.setattr(frames.Servos, "rest", lambda *_: None)
    soft = ground.build()
    assert sum(name == "crouching" for _, name in drawn(soft, 40)) < 3
