"""The small worlds behind VecEnv: what is shown is of before the new beginning, truth is truth."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fmrl_robot.errors import ConfigError  # noqa: E402
from fmrl_robot.registry import TASKS  # noqa: E402
from fmrl_robot.types import Predicate  # noqa: E402
from fmrl_sim.seen_env import PostureEnv, ToolEnv  # noqa: E402

SITTING = Predicate("sitting", ("robot",))
ABOVE = Predicate("above", ("gripper", "red_cube"))


@pytest.mark.parametrize("kind, fact", [(PostureEnv, SITTING), (ToolEnv, ABOVE)])
def test_a_margin_is_above_nought_where_the_fact_holds_and_nowhere_else(kind, fact):
    world, rng = kind(), np.random.default_rng(0)
    held = 0
    for _ in range(12):
        world.reset(rng)
        for _ in range(8):
            seen = world.step(rng.uniform(-1, 1, world.actions))
            if kind is ToolEnv and rng.random() < 0.5:  # chance alone is seldom above a cube
                world.step(np.append(seen[3:5] / world.STEP_M, 0.0))
            assert (world.margin(fact) > 0) == world.holds(fact)
            held += world.holds(fact)
    assert held > 0


def test_worlds_that_share_a_scene_do_not_hear_of_one_another():
    def walk(worlds):
        rngs = [np.random.default_rng(seed) for seed in (1, 2)]
        seen = [[world.reset(rng)] for world, rng in zip(worlds, rngs, strict=True)]
        for _ in range(3):
            for i, (world, rng) in enumerate(zip(worlds, rngs, strict=True)):
                seen[i].append(world.step(rng.uniform(-1, 1, 4)))
        return np.array(seen)

    together = walk([PostureEnv(), PostureEnv()])
    for i, seed in enumerate((1, 2)):
        alone, rng = PostureEnv(), np.random.default_rng(seed)
        apart = [alone.reset(rng), *(alone.step(rng.uniform(-1, 1, 4)) for _ in range(3))]
        assert np.array_equal(together[i], np.array(apart))


def test_a_task_shows_what_steps_led_to_and_looks_at_where_episodes_begin():
    task = TASKS.load("go2-sit-seen")(num_envs=2, seed=3)
    task.show(("frame", "state", "caption", "summary", "truth"))
    obs, shown = task.reset(), {}
    for step in range(task.max_episode_length):
        before = obs["policy"]
        obs, reward, done, extras = task.step(torch.full((2, 4), 0.5))
        shown = extras["shown"]
        assert bool(done.all()) == (step == 11) == bool(extras["time_outs"].all())
        assert torch.equal(reward, extras["success"].float())
        assert not torch.equal(obs["policy"], before)
    assert shown["frame"].shape == (2, 1, 128, 128, 3) and shown["frame"].dtype == np.uint8
    assert shown["truth"].shape == (2, 1) and len(shown["caption"]) == len(shown["summary"]) == 2
    now = task.look([1])
    assert np.array_equal(now["state"][0], obs["policy"][1].numpy())
    assert not np.array_equal(now["state"][0], shown["state"][1])
    assert now["caption"] == ["the robot dog is standing"]


def test_a_frame_has_as_many_views_as_were_asked_for():
    task = TASKS.load("panda-above")(num_envs=1, cameras=["front", "wrist"])
    task.show(("frame",))
    task.reset()
    (frame,) = task.look([0])["frame"]
    assert frame.shape == (2, 128, 128, 3) and not np.array_equal(frame[0], frame[1])
    with pytest.raises(ConfigError, match="front, wrist"):
        TASKS.load("panda-above")(num_envs=1, cameras=["rear"])


def test_a_batched_task_shows_its_state_and_is_the_same_task():
    def walk(*, shown):
        task = TASKS.load("go2-saytap")(num_envs=96, seed=5, threads=1)
        if shown:
            task.show(("state",))
        seen = [task.reset()["critic"]]
        ends = []
        for step in range(40):
            obs, _, done, extras = task.step(torch.full((96, 12), 0.7 * (-1) ** (step // 5)))
            seen.append(obs["critic"])
            ends.append((done, extras.get("shown")))
        return torch.stack(seen), ends

    plain, _ = walk(shown=False)
    told, ends = walk(shown=True)
    assert torch.equal(plain, told)
    for after, (done, shown) in zip(told[1:], ends, strict=True):
        same = torch.isclose(torch.from_numpy(shown["state"]), after).all(-1)
        assert not bool((same & done).any())
    assert any(bool(done.any()) for done, _ in ends)
