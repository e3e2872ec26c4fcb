"""SkillEnv in MuJoCo: the tasks of the symbolic back end, and states that are the physics'."""

import numpy as np
import pytest

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.evaluations import skill_chances
from fmrl_robot.skills.env import SkillEnvOptions, TableOptions, symbolic_env, table_tasks
from fmrl_robot.types import Predicate
from fmrl_sim.skill_env import mujoco_env

P = Predicate.parse


def made(tasks, **options):
    return mujoco_env(table_tasks(tasks), options=SkillEnvOptions(macros=False, **options))


def choose(env, now, phrase):
    return env.step([now.views[0].phrases.index(phrase)])


@pytest.mark.parametrize("split", ["seen", "objects"])
def test_it_begins_as_the_symbolic_one_does_and_follows_the_physics(split):
    tasks, options = TableOptions(held=0.0), SkillEnvOptions(macros=False, split=split)
    true = mujoco_env(table_tasks(tasks), options=options)
    quick = symbolic_env(table_tasks(tasks), "panda", 1, options, slips=0.0)
    for seed in (3, 4):
        now, symbolic = true.reset(seed), quick.reset(seed)
        assert now.instructions == symbolic.instructions
        assert now.views[0].caption == symbolic.views[0].caption
        assert now.views[0].phrases == symbolic.views[0].phrases
    cube = next(c for c in true.truth(0).movable if true.truth(0).clear(c)
                and true.truth(0).below(c) == "table")  # fmt: skip
    said = cube.replace("_", " ")
    now = choose(true, now, f"pick up the {said}")
    assert now.done == (True,) and true.truth(0).held == cube and 1.0 < now.seconds[0] < 15.0
    now = choose(true, now, "place it on the table")
    body = true._stages[0]._running().body
    assert now.done == (True,) and len(body.facts()) >= 8
    assert true.truth(0).below(cube) == "table"
    assert true.picture(0).shape[2] == 3 and true.picture(0).std() > 10


def test_a_locked_drawer_is_held_fast_until_the_button_is_pressed():
    env = made(TableOptions(locked=1.0, held=0.0, families=("open",)), max_steps=9)
    now = env.reset(1)
    slide = lambda: env._stages[0]._running().body.data.joint("drawer_slide").qpos[0]  # noqa: E731
    now = choose(env, now, "open the drawer")
    assert now.done == (False,) and slide() < 0.02
    now = choose(env, now, "press the button")
    assert now.done == (True,) and not env.truth(0).holds(P("locked(drawer)"))
    now = choose(env, now, "open the drawer")
    assert now.done == (True,) and slide() > 0.1
    now = choose(env, now, "done")
    assert now.terminated[0] and now.rewards[0] == 1.0


def test_nobody_walks_about_in_the_physics():
    with pytest.raises(ConfigError, match="symbolic") as caught:
        made(None, moved=0.1)
    assert caught.value.code == ErrorCode.CAPABILITY_MISSING


def test_what_is_measured_is_counted_by_skill_and_category():
    found = skill_chances.rows([skill_chances.try_skills(2, 1, 0.0)] * 2)
    assert found and set(found) <= {"grasp", "place", "open", "close", "press"}
    for categories in found.values():
        for row in categories.values():
            assert 0 <= row["successes"] <= row["tries"] and row["tries"] % 2 == 0
            assert 0.5 < row["seconds"] < 30.0
    (line, *_) = skill_chances.compared(
        {"grasp": {"cube": {"successes": 0, "tries": 9, "seconds": 1.0}}}
    )
    assert not line["within"], "a skill that never succeeds is apart from what is kept"
    assert np.isfinite(line["kept"])
