"""The flat baseline's world: its starts, its rewards by stage, and that the task can be done."""

import pytest

torch = pytest.importorskip("torch")

from fmrl_robot.control import local_skill as ls  # noqa: E402
from fmrl_robot.registry import TASKS  # noqa: E402
from fmrl_sim.tasks.panda_demos import grasp, place  # noqa: E402
from fmrl_sim.tasks.panda_flat import APART_M, AREA, SKILL, policy, reward  # noqa: E402


@pytest.fixture
def env():
    return TASKS.load("panda-flat")(num_envs=24, seed=4, scatter_episodes=False)


def test_starts_are_at_home_with_cube_and_bowl_apart(env):
    env.reset()
    w = env.world
    assert torch.allclose(w.q[:, :7], w.q[:1, :7].expand(24, 7), atol=1e-6)
    assert torch.linalg.norm((w.cube - w.goal)[:, :2], dim=1).min() >= APART_M
    for axis, (low, high) in enumerate(AREA):
        assert (w.cube[:, axis] >= low).all() and (w.cube[:, axis] <= high).all()
    assert len(torch.unique(w.cube[:, 0])) == 24 and not w.success().any()


def test_what_is_seen_is_the_truth_but_for_an_error_that_stays(env):
    env.reset()
    w = env.world
    before = w.error.clone()
    assert 0.001 < before[:, :3].std() < 0.008
    env.step(torch.zeros(24, 5))
    assert torch.equal(w.error, before)
    w.error[:] = 0.0
    offset = policy(w)[:, :3] / ls.OBSERVATION_SCALES[0]
    assert torch.allclose(offset, ls.into(w.tool().heading(), w.cube - w.position), atol=1e-5)


def test_the_task_can_be_done_and_each_stage_pays_more(env):
    """The local skills' demonstrators in turn, told when to change, as a plan would."""
    env.reset()
    w = env.world
    cube = torch.cat([w.cube, w.cube_yaw()[:, None]], dim=1)
    bowl = torch.cat([w.goal, torch.full((24, 1), torch.pi / 2)], dim=1)
    carrying = torch.zeros(24, dtype=torch.bool)
    paid = []
    for _ in range(SKILL.steps - 1):
        known = (w.tool(), w.q, w.dq, w.q_command)
        carrying |= w.held() & (w.cube[:, 2] > 0.09)
        action = torch.where(
            carrying[:, None],
            place(ls.observation_terms(*known, bowl, w.action)),
            grasp(ls.observation_terms(*known, cube, w.action)),
        )
        over = torch.linalg.norm((w.cube - w.goal)[:, :2], dim=1) > 0.03
        far = carrying & over & w.closed
        action[far, 2] = ((w.goal + 0.1 - w.position)[far, 2] * 24.0).clamp(-1.0, 1.0)
        env.step(action)
        paid.append((reward(w), w.held().clone(), w.success().clone()))
    assert paid[-1][2].float().mean() > 0.6
    rewards, held, done = (torch.stack(rows) for rows in zip(*paid, strict=True))
    assert rewards[done].min() > rewards[held].max() > rewards[~held & ~done].median()
