"""The executive over a world of skills: the same loop, another world behind its ports."""

from types import SimpleNamespace

import numpy as np
import pytest
from step_planner import PRESS, THINGS, Scripted, Table, grasp, place, plan

from fmrl_robot.errors import ErrorCode
from fmrl_robot.planning import Done, SkillFacts
from fmrl_robot.robots import PANDA
from fmrl_robot.runtime.executive import Executive
from fmrl_robot.runtime.playing import Playing
from fmrl_robot.runtime.triggers import trigger_for

RED = "put the red cube in the bowl"
STEPS = (grasp("red_cube"), place("red_cube", "bowl"))


class World:
    """A world of one table with the face of SkillEnv; begins anew after ``most`` steps."""

    def __init__(self, fails=(), most=9):
        self.fails, self.most = fails, most

    def reset(self, seed):
        self.seed, self.table, self.steps = seed, Table(fails=self.fails), 0
        return self._played(0.0, True, self._view(), {})

    def step(self, choices):
        (subgoal,) = choices
        self.steps += 1
        outcome = self.table.execute(subgoal, 0, 1)
        last = self._view()
        over = self.steps >= self.most
        if over:
            self.reset(self.seed + 1)
        return self._played(3.5, outcome.success, self._view(), {0: last} if over else {})

    def picture(self, world):
        return np.full((2, 2, 3), world, np.uint8)

    def _view(self):
        scene = self.table.scene()
        return SimpleNamespace(caption=scene.caption, facts=tuple(scene.predicates))

    def _played(self, seconds, done, view, last):
        return SimpleNamespace(
            views=(view,), terminated=np.zeros(1, bool), truncated=np.array([bool(last)]),
            seconds=np.array([seconds], np.float32), done=(done,), last=last,
        )  # fmt: skip


def play(world, planner, trigger="on_finish", instruction=RED, **how):
    things = {name: name.rpartition("_")[2] for name in THINGS}
    playing = Playing(world, PANDA, things, seed=4, **how)
    executive = Executive(planner, PANDA, playing.ports(), trigger=trigger_for(planner, trigger))
    return executive.run(instruction, "task"), playing


@pytest.mark.parametrize("trigger", ["on_finish", "on_failure"])
def test_a_task_is_played_to_its_end_in_the_worlds_own_time(trigger):
    whole = [plan(*STEPS, goal=("in(red_cube, bowl)",)), Done()]
    ending, playing = play(World(), Scripted(whole), trigger)
    assert ending.outcome.success
    assert playing.seconds == 7.0 and [s.seconds for s in ending.history] == [3.5, 3.5]
    assert not playing.over and playing.plans[0].understood == "put the red cube in the bowl"


def test_a_slip_is_a_failed_step():
    planner = Scripted([plan(*STEPS, goal=("in(red_cube, bowl)",))])
    ending, playing = play(World(fails=[1]), planner, "on_failure:1")
    assert ending.outcome.success and ending.replans == 1
    assert not ending.history[0].outcome.success and playing.seconds == 10.5


def test_where_the_world_ends_the_episode_nothing_is_done_in_the_next_one():
    planner = Scripted([plan(*STEPS, PRESS)])
    world = World(most=2)
    ending, playing = play(world, planner, "never", instruction=f"{RED} and press the button")
    assert ending.outcome.error_code == ErrorCode.TASK_TIMEOUT and playing.over
    assert world.seed == 5 and world.table.executed == []


def test_what_was_reached_when_the_world_ended_is_still_believed():
    planner = Scripted([plan(*STEPS), Done()])
    assert play(World(most=2), planner)[0].outcome.success


def test_the_planner_sees_pictures_and_the_library_where_there_are_some():
    skills = {"grasp": SkillFacts(words="take a cube", chance=0.9, seconds=4.0)}
    planner = Scripted([plan(*STEPS), Done()])
    play(World(), planner, skills=skills, sees=True)
    assert planner.heard[0].picture().shape == (2, 2, 3)
    assert planner.heard[0].skills["grasp"].chance == 0.9
    blind = Scripted([plan(*STEPS), Done()])
    play(World(), blind)
    assert blind.heard[0].picture() is None and not blind.heard[0].skills
