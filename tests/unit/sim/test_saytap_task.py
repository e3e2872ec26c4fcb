import numpy as np
import pytest
import torch

from fmrl_robot.control import locomotion as loco
from fmrl_sim.batched.randomisation import Randomisation
from fmrl_sim.tasks import contact_gaits as gaits
from fmrl_sim.tasks.saytap import make_go2, policy
from fmrl_sim.tasks.saytap_evaluation import HARDER, evaluate, gait_set, saytap_commands

SMALL = {"num_envs": 6, "threads": 1}
ROUGH = Randomisation(noise=0.0, push_every=50)
"""Robots differ; what they see is exact."""


def rollout(env, steps=30, seed=0):
    rng = torch.Generator().manual_seed(seed)
    seen = [env.reset()]
    rewards = []
    for _ in range(steps):
        actions = 0.5 * torch.randn((env.num_envs, 12), generator=rng)
        obs, reward, done, extras = env.step(actions)
        seen.append(obs)
        rewards.append(reward)
        assert done.dtype == torch.bool
        assert not (extras["time_outs"] & ~done).any()
    return seen, torch.stack(rewards)


def test_shapes_and_types_and_finiteness():
    seen, rewards = rollout(make_go2(**SMALL))
    for obs in seen:
        assert obs["policy"].shape == (6, loco.OBSERVATION_SIZE) == (6, 65)
        assert obs["policy"].dtype == obs["critic"].dtype == torch.float32
        assert obs["policy"].isfinite().all()
        assert obs["critic"].isfinite().all()
    assert rewards.dtype == torch.float32
    assert rewards.isfinite().all()


def test_the_seed_decides_everything():
    (one, r1), (two, r2), (other, r3) = (rollout(make_go2(**SMALL, seed=s)) for s in (3, 3, 4))
    assert torch.equal(one[-1]["policy"], two[-1]["policy"])
    assert torch.equal(r1, r2)
    assert not torch.equal(r1, r3)
    assert not torch.equal(one[0]["policy"], other[0]["policy"])


def test_observations_share_no_memory_with_the_next():
    env = make_go2(**SMALL)
    first = env.reset()
    kept = {name: values.clone() for name, values in first.items()}
    for _ in range(3):
        env.step(torch.ones((6, 12)))
    assert all(torch.equal(first[name], kept[name]) for name in kept)


@pytest.mark.parametrize("poison", [np.nan, np.inf, 1e9])
def test_a_robot_that_broke_is_dumped_and_reset_before_anyone_sees_it(poison, tmp_path):
    env = make_go2(**SMALL)
    env.dump_dir = tmp_path
    env.reset()
    env.world.qvel[2, 4] = poison
    obs, reward, done, extras = env.step(torch.zeros((6, 12)))
    assert done[2] and not extras["time_outs"][2]
    assert obs["policy"].isfinite().all()
    assert obs["critic"].isfinite().all()
    assert reward.isfinite().all()
    assert env.world.qpos.isfinite().all()
    (file,) = tmp_path.iterdir()
    assert file.name == "broken_step1_world2.npz"
    assert set(np.load(file)) == {"qpos", "qvel", "controls"}
    others = [0, 1, 3, 4, 5]
    clean = make_go2(**SMALL)
    clean.reset()
    undisturbed = clean.step(torch.zeros((6, 12)))[0]
    assert torch.equal(obs["critic"][others, :3], undisturbed["critic"][others, :3])


def test_an_action_that_is_not_finite_does_not_reach_the_physics():
    env = make_go2(**SMALL)
    env.reset()
    obs, _, _, _ = env.step(torch.full((6, 12), torch.nan))
    assert obs["policy"].isfinite().all()


def test_a_robot_on_its_back_ends_the_episode():
    env = make_go2(**SMALL)
    env.reset()
    env.world.qpos[1, 3:7] = torch.tensor([0.0, 1.0, 0.0, 0.0], dtype=torch.float64)
    _, reward, done, extras = env.step(torch.zeros((6, 12)))
    assert done[1]
    assert not extras["time_outs"][1]
    assert reward[1] < reward[~done].min()


def test_both_engines_run_one_task_alike():
    """Physics in double on one side and in single precision on the other."""
    pytest.importorskip("mujoco_warp")
    one, two = (
        make_go2(
            num_envs=8, threads=1, engine=engine, physics_dt_s=0.004, randomisation=ROUGH, seed=3
        )
        for engine in ("cpu", "warp:cpu")
    )
    for env in (one, two):
        env.world.model.opt.iterations = 8
        env.reset()
        env.world.age.zero_()
    rng = torch.Generator().manual_seed(0)
    for step in range(100):
        actions = 0.2 * torch.randn((8, 12), generator=rng)
        (obs, reward, done, _), (obs2, reward2, done2, _) = one.step(actions), two.step(actions)
        assert torch.equal(done, done2), step
        assert (one.world.qpos.float() - two.world.qpos).abs().max() < 2e-3, step
        assert (reward - reward2).abs().mean() < 0.02, step
    for name in ("policy", "critic"):
        assert (obs[name] - obs2[name]).abs().median() < 1e-4


@pytest.mark.parametrize("kind", range(len(gaits.KINDS)))
def test_generated_patterns_fit_their_kind(kind):
    rng = np.random.default_rng(kind)
    for _ in range(40):
        rows = gaits.draw(rng, kind)
        assert rows.shape[0] == 4
        assert 24 <= rows.shape[1] <= 28 or gaits.KINDS[kind] in ("pace", "faster_leg")
        airborne = (~rows.any(axis=0)).mean()
        name = gaits.KINDS[kind]
        if name == "bound":
            assert airborne >= 0.25
            assert (rows[0] == rows[1]).all()
            assert (rows[2] == rows[3]).all()
        if name == "trot":
            assert (rows[0] == rows[3]).all()
            assert (rows[1] == rows[2]).all()
            assert 0.45 <= rows.mean() <= 0.75
        if name == "pace":
            half = rows.shape[1] // 2
            assert (rows[:, :half] == rows[:, half:]).all()
            assert (rows[0] == rows[2]).all()
        if name == "suspended_trot":
            assert airborne > 0
        if name in ("stand", "stand_3legs", "stand_2legs"):
            legs = {"stand": 4, "stand_3legs": 3, "stand_2legs": 2}[name]
            assert rows.all(axis=1).sum() == legs
            assert rows.any(axis=1).sum() == legs


def test_the_five_gaits_of_the_paper_have_equal_shares():
    five = [gaits.SHARES[k] for k in ("bound", "trot", "pace", "stand", "stand_3legs")]
    assert len(set(five)) == 1
    assert sum(gaits.SHARES.values()) == pytest.approx(1.0)
    kinds = gaits.draw_kind(np.random.default_rng(0), 20000)
    for i, name in enumerate(gaits.KINDS):
        assert (kinds == i).mean() == pytest.approx(gaits.SHARES[name], abs=0.015)


def test_a_quick_leg_touches_down_twice_as_often():
    for leg in range(4):
        rows = gaits.pattern("faster_leg", legs=(leg,))
        downs = [(r & ~np.roll(r, 1)).sum() for r in rows]
        assert downs[leg] == 2
        assert sum(downs) == 5


def test_contacts_are_wanted_one_column_after_they_enter_the_window():
    walkers = make_go2(num_envs=1, threads=1).world
    walkers.restart(torch.tensor([0]))
    rows = gaits.pattern("bound")
    walkers.set_goal(np.array([0]), rows, np.zeros(3))
    for column in range(40):
        window = policy(walkers)[0, -20:].reshape(4, 5).numpy()
        assert np.array_equal(window, rows[:, (column + np.arange(5)) % 26])
        assert np.array_equal(walkers.wanted_at()[0], rows[:, column % 26])
        walkers.act(torch.zeros((1, 12)))
        assert np.array_equal(walkers.wanted[0], rows[:, column % 26])


def test_the_test_has_25_commands_that_a_do_nothing_policy_fails():
    assert [c.number for c in saytap_commands()] == list(range(1, 26))
    rows = evaluate(lambda obs: np.zeros((len(obs), 12)), robots=1, seconds=2.0, threads=1)
    trot = next(r for r in rows if r["number"] == 13)
    assert trot["contact_match"] < 0.7
    assert trot["vx_rms_error_m_s"] > 0.8
    assert rows[0]["contact_match"] > 0.9


def test_the_gait_set_has_540_runs_of_many_patterns():
    commands = gait_set(np.random.default_rng(0), 27)
    assert sum(len(c.patterns) for c in commands) == 540
    trots = [p for c in commands if c.kind == "trot" for p in c.patterns]
    assert {p.shape[1] for p in trots} == {24, 25, 26, 27, 28}
    assert len({p.tobytes() for p in trots}) >= 20


def test_what_is_harder_comes_late_everywhere():
    walkers = make_go2(num_envs=64, threads=1, randomisation=HARDER, physics_dt_s=0.004).world
    walkers.restart(torch.arange(64))
    walkers.set_controls(torch.ones((64, 12)))
    assert torch.equal(walkers.controls, walkers._default.expand_as(walkers.controls).double())
    varied = make_go2(num_envs=512, threads=1, physics_dt_s=0.004).world
    varied.restart(torch.arange(512))
    late = varied.latency.bincount(minlength=11)
    assert len(late) == 11
    assert late[0] > late[5] > late[10] > 0


def test_an_action_takes_effect_after_its_delay_also_beyond_a_period():
    """Delays of up to 40 ms: ten physics steps, two control periods."""
    world = make_go2(num_envs=11, threads=1, physics_dt_s=0.004).world
    world.restart(torch.arange(11))
    world.latency = torch.arange(11)
    sent, controls = [world._default.expand(5, 12)], []
    for size in (0.1, 0.2, 0.3, 0.4):
        world.set_controls(torch.full((11, 12), size))
        controls.append(world.controls.clone())
        sent.append(world._targets[0, 0].expand(5, 12))
    wanted, got = torch.cat(sent), torch.cat(controls, dim=1)
    for steps in range(11):
        at = (torch.arange(20) + 5 - steps).clamp_min(0)
        assert torch.equal(got[steps], wanted[at].double()), steps


def test_robots_of_a_batch_differ_in_strength_and_centre_of_mass():
    one = make_go2(num_envs=64, threads=1).world
    plain, batch = one.model, one.engine._batch
    strength = batch.expand("actuator_forcerange")[:, :, 1] / plain.actuator_forcerange[:, 1]
    assert 0.9 <= strength.min() < 0.92
    assert 1.08 < strength.max() <= 1.1
    stiffness = batch.expand("actuator_gainprm")[:, :, 0] / plain.actuator_gainprm[:, 0]
    assert 0.9 <= (stiffness / strength).min() < 0.92
    base = plain.body(one.robot.base_body).id
    moved = batch.expand("body_ipos") - plain.body_ipos
    assert (np.abs(moved[:, base]).max(axis=0) > 0.018).all()
    assert np.abs(moved).max() <= 0.02
    assert not np.delete(moved, base, axis=1).any()
