"""Walking on rough ground: what is told, what is judged, and who moves to harder ground."""

import itertools

import numpy as np
import pytest
import torch

from fmrl_robot.assets import policies_dir
from fmrl_robot.control import locomotion as loco
from fmrl_robot.control.velocity import OBSERVATION_SIZE, VELOCITY_MAX
from fmrl_robot.train.evaluate import OnnxPolicy
from fmrl_sim.batched import quadrupeds
from fmrl_sim.batched.on_terrain import FAR, NEAR
from fmrl_sim.batched.quadruped_model import training_model
from fmrl_sim.batched.randomisation import NO_RANDOMISATION, Randomisation
from fmrl_sim.scenes.terrain import SLOPE_DEG, make_terrain
from fmrl_sim.tasks.trotting import Trotter
from fmrl_sim.tasks.velocity import Rovers, VelocityConfig, make_go1, make_go2
from fmrl_sim.tasks.velocity_evaluation import evaluate, summary
from fmrl_sim.tasks.velocity_rewards import fallen

SMALL = {"num_envs": 12, "threads": 1}


def nothing(observations):
    return np.zeros((len(observations), 12))


def rollout(env, steps=20, seed=0):
    rng = torch.Generator().manual_seed(seed)
    seen, rewards = [env.reset()], []
    for _ in range(steps):
        obs, reward, _, _ = env.step(0.3 * torch.randn((env.num_envs, 12), generator=rng))
        seen.append(obs)
        rewards.append(reward)
    return seen, torch.stack(rewards)


@pytest.mark.parametrize("make", [make_go2, make_go1])
def test_the_policy_is_blind_and_the_critic_sees_the_ground(make):
    env = make(**SMALL, seed=3)
    seen, rewards = rollout(env)
    assert rewards.isfinite().all()
    for obs in seen:
        assert obs["policy"].shape == (12, OBSERVATION_SIZE)
        assert obs["policy"].isfinite().all() and obs["critic"].isfinite().all()
    world = env.world
    before = {name: see(world) for name, see in env.task.observations.items()}
    world.randomisation = NO_RANDOMISATION
    quiet = env.observe()["policy"]
    world._surface = lambda x, _: torch.full_like(x, -0.1)
    after = env.observe()
    assert torch.equal(quiet, after["policy"])
    assert not torch.equal(before["critic"], after["critic"])


def test_the_seed_decides_everything():
    (one, r1), (two, r2), (_, r3) = (rollout(make_go2(**SMALL, seed=s)) for s in (3, 3, 4))
    assert torch.equal(one[-1]["policy"], two[-1]["policy"])
    assert torch.equal(r1, r2)
    assert not torch.equal(r1, r3)


def test_heights_are_those_over_the_ground():
    """Robots that stand on level ground, and on gentle slopes that lie higher and lower."""
    config = VelocityConfig(robot="go2", randomisation=NO_RANDOMISATION, **SMALL)
    heights = []
    for kind in ("flat", "slope"):
        world = Rovers(config, make_terrain(0, (kind,), (0.2,)))
        world.restart(torch.arange(12), spread=0.0)
        for _ in range(60):
            world.act(torch.zeros((12, 12)))
        heights.append(world.height)
        assert (world.foot_height[world.contacts].abs() < 0.012).all()
        assert (world.clearance().abs() < 0.02).all()
    assert world.qpos[:, 2].std() > 0.03
    flat, slope = heights
    assert flat.std() < 0.005
    assert (slope - flat.mean()).abs().max() < 0.03


def test_a_base_parallel_to_the_ground_is_upright():
    config = VelocityConfig(robot="go2", randomisation=NO_RANDOMISATION, **SMALL)
    world = Rovers(config, make_terrain(0, ("slope",), (1.0,)))
    world.restart(torch.arange(12), 0.0)
    world.qpos[:, 0], world.qpos[:, 1] = 0.0, torch.linspace(1.6, 2.8, 12)
    world._look()
    rise = world.ground(torch.zeros(1), torch.tensor([2.8])) - world.ground(
        torch.zeros(1), torch.tensor([1.6])
    )
    lean = torch.atan(rise / 1.2)
    assert lean.abs() == pytest.approx(np.deg2rad(SLOPE_DEG), abs=1e-4)
    # Turned about the world's x so that the base lies on the slope, after the heading.
    half, yaw = lean / 2, world.yaw / 2
    c, s, cy, sy = torch.cos(half), torch.sin(half), torch.cos(yaw), torch.sin(yaw)
    turned = torch.stack([c * cy, s * cy, -s * sy, c * sy], dim=1)
    level = world.gravity[:, :2].clone()
    wanted = world.upright()
    world.qpos[:, 3:7] = turned.double()
    world._look()
    assert (world.gravity[:, :2] - wanted).abs().max() < 0.03
    assert (level - wanted).norm(dim=1).min() > 0.3


def test_who_leaves_the_map_walks_on_where_the_ground_goes_on():
    terrain = make_terrain(2, ("blocks", "waves"), (1.0, 0.5))
    config = VelocityConfig(robot="go2", randomisation=NO_RANDOMISATION, **SMALL)
    world = Rovers(config, terrain)
    world.restart(torch.arange(12), spread=0.0)
    half = np.array(terrain.period_m) / 2
    world.qpos[:, 0] = torch.linspace(half[0] - 0.05, half[0] + 0.04, 12)
    world.qpos[:, 2] = 0.4
    world._look()
    before = world.height.clone()
    world.act(torch.zeros((12, 12)))
    assert (world.qpos[:, 0].abs() <= half[0]).all()
    assert (world.qpos[:, 0] < 0).any() and (world.qpos[:, 0] > 0).any()
    assert (world.height - before).abs().max() < 0.03
    world.act(torch.zeros((12, 12)))
    world.act(torch.zeros((12, 12)))
    assert world.foot_speed.max() < 4.0
    assert not world.broken.any()


def test_levels_move_both_ways_and_never_beyond_the_map():
    world = make_go2(**SMALL, levels=4).world
    ids = torch.arange(12)

    def judged(level, asked, walked):
        world.level[:] = level
        world.promote(ids, torch.full((12,), asked), torch.full((12,), walked))
        return world.level

    assert (judged(1, 5.0, 5.0 * FAR + 0.1) == 2).all()
    assert (judged(1, 5.0, 5.0 * NEAR - 0.1) == 0).all()
    assert (judged(1, 5.0, 5.0 * (FAR + NEAR) / 2) == 1).all()
    assert (judged(1, 0.5, 0.0) == 1).all(), "who was asked to stand is not judged"
    assert (judged(0, 5.0, 0.0) == 0).all()
    best = judged(3, 5.0, 5.0)
    assert (best >= 2).all() and (best <= 3).all()


def test_an_episode_on_the_spot_moves_robots_down_and_its_end_puts_them_on_the_easier_patch():
    env = make_go2(**SMALL, levels=4, episode_steps=40, resample_steps=1000)
    world = env.world
    world.level[:] = 2
    env.reset()
    world.level[:] = 2
    world.age.zero_()
    world.set_commands(torch.arange(12), torch.tensor([[1.0, 0.0, 0.0]]).repeat(12, 1))
    world.asked[:] = world.walked[:] = 0.0
    world.asked += 2.0
    for _ in range(40):
        _, _, done, _ = env.step(torch.zeros((12, 12)))
    assert done.all()
    assert (world.level == 1).all()
    x, y = world.terrain.middle(world.level, world.kind)
    assert ((world.qpos[:, 0] - x).abs() < 4).all() and ((world.qpos[:, 1] - y).abs() < 4).all()


def test_commands_are_within_their_bounds_and_straight_ones_keep_the_heading():
    world = make_go2(num_envs=600, threads=1).world
    world.restart(torch.arange(600))
    command, most = world.command, VELOCITY_MAX
    bounds = torch.tensor([most.vx, most.vy, most.wz])
    assert (command.abs() <= bounds).all()
    assert (command[:, 0].abs() == most.vx).float().mean() > 0.15
    assert 0.05 < (command == 0).all(dim=1).float().mean() < 0.25
    straight = world._keeps
    assert straight.any() and (command[straight, 2] == 0).all()
    world._heading[:] = world.yaw + 0.2
    world.act(torch.zeros((600, 12)))
    wanted = loco.keep_heading(torch.zeros(600), world._heading - world.yaw)
    assert torch.allclose(world.command[straight, 2], wanted[straight])
    assert torch.equal(world.command[~straight, 2], command[~straight, 2])


def test_lying_on_the_trunk_and_tilting_are_falls_and_standing_is_none():
    config = VelocityConfig(robot="go2", randomisation=NO_RANDOMISATION, **SMALL)
    world = Rovers(config, make_terrain(0, ("flat",), (1.0,)), whole=True)
    world.restart(torch.arange(12), spread=0.0)
    world.qpos[0, 2], world.qpos[0, world._q_at] = 0.05, torch.tensor([0.0, 1.5, -2.6] * 4).double()
    world.qpos[1, 3:7] = torch.tensor([np.cos(0.6), np.sin(0.6), 0.0, 0.0])
    world.qpos[2, 3:7] = torch.tensor([np.cos(0.45), np.sin(0.45), 0.0, 0.0])
    world.act(torch.zeros((12, 12)))
    assert fallen(world).tolist() == [True, True] + [False] * 10


def test_whoever_does_nothing_stays_upright_where_it_is_level_and_gets_nowhere():
    """The figures tell a policy that does nothing from one that walks."""
    rows = evaluate(nothing, robot="go2", kinds=("flat", "rough"), runs=6, seconds=4.0, threads=1)
    told = summary(rows)
    assert told["upright"]["n"] == 6, "level ground is told apart"
    assert told["upright_by_kind"]["flat"]["successes"] == 6
    assert all(abs(row["way_of_asked"]) < 0.25 for row in rows)
    assert all(row["velocity_error_m_s"] > 0.3 for row in rows)


def test_a_policy_that_throws_itself_down_falls_every_time():
    def dive(observations):
        return np.tile([0.0, 8.0, -3.0] * 2 + [0.0, -8.0, 3.0] * 2, (len(observations), 1))

    (row,) = evaluate(dive, robot="go2", kinds=("rough",), runs=6, seconds=3.0, threads=1)
    assert row["falls"] == 6


def test_the_mirror_swaps_sides():
    told = make_go2(num_envs=2, threads=1).mirror()
    assert len(told["observation_swap"]) == OBSERVATION_SIZE
    command = slice(6, 9)
    assert told["observation_sign"][command] == [1.0, -1.0, -1.0]


def test_both_engines_know_the_ground(monkeypatch):
    """In the air but for rounding; on the ground nearly, for of contacts with neighbouring
    triangles mujoco_warp keeps fewer. The solver goes on until it has converged."""
    pytest.importorskip("mujoco_warp")

    def converging(*arguments, **more):
        model = training_model(*arguments, **more)
        model.opt.iterations, model.opt.ls_iterations = 100, 50
        return model

    monkeypatch.setattr(quadrupeds, "training_model", converging)
    quiet = Randomisation(noise=0.0, push_every=50)
    one, two = (
        make_go2(
            num_envs=12, threads=1, engine=engine, physics_dt_s=0.004, randomisation=quiet, seed=3
        ).world
        for engine in ("cpu", "warp:cpu")
    )
    for world in (one, two):
        world.restart(torch.arange(12), 1.0)
    rng = torch.Generator().manual_seed(0)
    for step in range(40):
        actions = 0.2 * torch.randn((12, 12), generator=rng)
        for world in (one, two):
            world.act(actions)
        apart = (one.qpos.float() - two.qpos).abs()
        if step == 0:
            assert not one.contacts.any()
            assert apart.max() < 1e-5
    assert apart.max() < 0.15
    assert apart.median() < 5e-3
    assert one.contacts.float().mean() > 0.8
    assert (one.contacts == two.contacts).float().mean() > 0.9
    assert (one.height - two.height).abs().max() < 0.02
    assert one.terrain.kinds[int(one.kind.max())] == "stairs"


def trotting(robot="go2"):
    trotter = Trotter(policies_dir() / f"{robot}-saytap" / "policy.onnx")
    column = itertools.count()
    return lambda seen: trotter(seen, np.full(len(seen), next(column)))


def test_on_level_ground_the_demonstrator_walks_as_it_is_told():
    (row,) = evaluate(trotting(), robot="go2", kinds=("flat",), runs=8, seconds=5.0, threads=1)
    assert row["falls"] == 0
    assert row["way_of_asked"] > 0.85
    assert row["velocity_error_m_s"] < 0.1


@pytest.mark.parametrize(
    ("robot", "runs", "seconds", "falls"), [("go1", 10, 8.0, 10), ("go2", 20, 15.0, 12)]
)
def test_a_policy_of_level_ground_does_not_master_slopes_and_stairs(robot, runs, seconds, falls):
    """Where the walker does, from the same starts. Go2's is sturdier, and is given longer."""
    walker = OnnxPolicy(policies_dir() / f"{robot}-velocity" / "policy.onnx")
    conditions = {"kinds": ("slope", "stairs"), "runs": runs, "seconds": seconds, "threads": 1}
    level, rough = (
        sum(row["falls"] for row in evaluate(act, robot=robot, **conditions))
        for act in (trotting(robot), walker)
    )
    assert level >= falls
    assert rough <= 1


def test_who_demonstrates_is_asked_at_every_robots_own_step():
    env = make_go2(**SMALL, randomisation=NO_RANDOMISATION)
    env.reset()
    env.world.age[:6], env.world.age[6:] = 0, 26
    same = env.demonstrate()
    env.world.age[6:] = 13
    other = env.demonstrate()
    env.world.age[6:] = 0
    assert torch.equal(env.demonstrate(), same), "a cycle has 26 columns"
    moving = env.world.command[6:].any(dim=1)
    assert (other - same)[6:][moving].abs().amax(dim=1).min() > 0.05
    assert torch.equal((other - same)[:6], torch.zeros((6, 12)))
