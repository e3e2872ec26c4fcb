import numpy as np
import pytest

from fmrl_robot.control import locomotion as loco
from fmrl_sim.tasks import contact_gaits as gaits
from fmrl_sim.tasks.go2_evaluation import evaluate, saytap_commands
from fmrl_sim.tasks.go2_saytap import make

SMALL = {"num_envs": 6, "threads": 1}


def rollout(env, steps=30, seed=0):
    rng = np.random.default_rng(seed)
    seen = [env.reset()]
    rewards = []
    for _ in range(steps):
        obs, reward, done, extras = env.step(rng.normal(0, 0.5, (env.num_envs, 12)))
        seen.append(obs)
        rewards.append(reward)
        assert done.dtype == np.bool_
        assert not (extras["time_outs"] & ~done).any()
    return seen, np.array(rewards)


def test_shapes_and_types_and_finiteness():
    seen, rewards = rollout(make(**SMALL))
    for obs in seen:
        assert obs["policy"].shape == (6, loco.OBSERVATION_SIZE) == (6, 65)
        assert obs["policy"].dtype == obs["critic"].dtype == np.float32
        assert np.isfinite(obs["policy"]).all()
        assert np.isfinite(obs["critic"]).all()
    assert rewards.dtype == np.float32
    assert np.isfinite(rewards).all()


def test_the_seed_decides_everything():
    (one, r1), (two, r2), (other, r3) = (rollout(make(**SMALL, seed=s)) for s in (3, 3, 4))
    assert np.array_equal(one[-1]["policy"], two[-1]["policy"])
    assert np.array_equal(r1, r2)
    assert not np.array_equal(r1, r3)
    assert not np.array_equal(one[0]["policy"], other[0]["policy"])


def test_observations_share_no_memory_with_the_next():
    env = make(**SMALL)
    first = env.reset()["policy"]
    kept = first.copy()
    env.step(np.ones((6, 12), np.float32))
    assert np.array_equal(first, kept)


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_robot_that_is_not_finite_is_reset_before_anyone_sees_it(poison):
    env = make(**SMALL)
    env.reset()
    env.body.qvel[2, 4] = poison
    obs, reward, done, _ = env.step(np.zeros((6, 12), np.float32))
    assert done[2]
    assert np.isfinite(obs["policy"]).all()
    assert np.isfinite(obs["critic"]).all()
    assert np.isfinite(reward).all()
    assert np.isfinite(env.body.qpos).all()


def test_an_action_that_is_not_finite_does_not_reach_the_physics():
    env = make(**SMALL)
    env.reset()
    obs, _, _, _ = env.step(np.full((6, 12), np.nan, np.float32))
    assert np.isfinite(obs["policy"]).all()


def test_a_robot_on_its_back_ends_the_episode():
    env = make(**SMALL)
    env.reset()
    env.body.qpos[1, 3:7] = 0.0, 1.0, 0.0, 0.0
    _, reward, done, extras = env.step(np.zeros((6, 12), np.float32))
    assert done[1]
    assert not extras["time_outs"][1]
    assert reward[1] < reward[~done].min()


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
    env = make(num_envs=1, threads=1, episode_steps=1000)
    env.reset()
    rows = gaits.pattern("bound")
    env.set_goal(np.array([0]), rows, np.zeros(3))
    env._age[:] = 0
    for column in range(40):
        window = env.observe()["policy"][0, -20:].reshape(4, 5)
        assert np.array_equal(window, rows[:, (column + np.arange(5)) % 26])
        assert np.array_equal(env.wanted()[0], rows[:, column % 26])
        env.advance(np.zeros((1, 12)))
        assert np.array_equal(env.wanted(-1)[0], rows[:, column % 26])


def test_the_test_has_25_commands_that_a_do_nothing_policy_fails():
    assert [c.number for c in saytap_commands()] == list(range(1, 26))
    rows = evaluate(lambda obs: np.zeros((len(obs), 12)), robots=1, seconds=2.0, threads=1)
    trot = next(r for r in rows if r["number"] == 13)
    assert trot["contact_match"] < 0.7
    assert trot["vx_rms_error_m_s"] > 0.8
    assert rows[0]["contact_match"] > 0.9
