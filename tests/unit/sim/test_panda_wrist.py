"""Grasping by sight: what the policy sees is the picture, and nothing tells it the target."""

import numpy as np
import pytest
import torch

from fmrl_robot.control.local_policy import WRIST_PX, wrist_contract
from fmrl_robot.robots import PANDA
from fmrl_robot.train.export import export_policy
from fmrl_robot.train.networks import SeeingMLP
from fmrl_sim.tasks.panda_wrist import make_grasp

N = 4
PIXELS = 3 * WRIST_PX**2


@pytest.fixture(scope="module")
def env():
    env = make_grasp(num_envs=N, pool=N, scatter_episodes=False)
    env.reset()
    return env


def test_the_estimate_of_the_target_is_not_seen(env):
    before = env.observe()["policy"]
    env.world.estimate += 0.1
    assert torch.equal(env.observe()["policy"], before)
    assert before.shape == (N, wrist_contract(PANDA).observation_size)
    assert before.shape[1] == PIXELS + 14


def test_a_cube_that_moves_is_seen_to_move(env):
    env.reset()
    before = env.observe()["policy"][:, :PIXELS]
    at = int(env.world.model.joint("cube").qposadr[0])
    env.world.qpos[:, at] += 0.02
    changed = (env.observe()["policy"][:, :PIXELS] - before).abs().amax(dim=1)
    assert (changed > 0.2).all()


def test_colours_stay_in_an_episode_and_change_with_it(env):
    env.reset()
    first, again = env.world.see(), env.world.see()
    assert torch.equal(first, again)
    env.world.episode += 1
    assert ((env.world.see() - first).abs().mean(dim=1) > 0.002).all()


def test_the_teacher_mostly_succeeds_from_where_the_state_policy_would_not():
    env = make_grasp(num_envs=32, pool=32, scatter_episodes=False)
    arms = env.world
    arms.restart(torch.arange(32))
    ever = torch.zeros(32, dtype=torch.bool)
    for _ in range(env.max_episode_length):
        arms.act(env.demonstrate())
        ever |= arms.success
    assert ever.float().mean() > 0.85


def test_a_seeing_network_is_exported_as_it_is(tmp_path):
    import onnxruntime as ort

    torch.manual_seed(0)
    contract = wrist_contract(PANDA)
    network = SeeingMLP((3, WRIST_PX, WRIST_PX), (contract.observation_size, 32, 5))
    export_policy(network.plain(), contract, tmp_path / "policy.onnx")
    seen = torch.rand(1, contract.observation_size)
    session = ort.InferenceSession(str(tmp_path / "policy.onnx"))
    (answer,) = session.run(None, {"observation": seen.numpy()})
    with torch.no_grad():
        assert np.allclose(answer, network(seen).numpy(), atol=1e-5)
