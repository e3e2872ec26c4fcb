"""Lessons reach the actor, are kept by number, and are written of failures alone."""

import random

import pytest

from fmrl_robot.agents.lessons import REMEDIES, Attempt, by_exclusion
from fmrl_robot.fm.scripted import ScriptedLM
from fmrl_robot.methods.reflexion import Reflexion
from fmrl_robot.reproduce.trials import reflexion as trial

PLANS = {
    "press the button": "press(button)",
    "open the drawer": "open(drawer)",
    "close the drawer": "close(drawer)",
    "put the yellow cube in the bin": "put(yellow_cube,bin)",
}


class Reads:
    """A model that does what a line says, and remembers the lines."""

    model_id, short_prompts = "reads", True

    def __init__(self):
        self.lines, self.plans = [], dict(PLANS)

    def generate(self, prompt, **asked):
        self.lines.append(prompt)
        cube = next(c for c in ("red", "green", "blue") if f"{c} cube" in prompt)
        task = f"put({cube}_cube,bowl)"
        plan = [p for words, p in self.plans.items() if f"first {words}, then" in prompt]
        plan += [task]
        return ScriptedLM({"": ";".join(plan)}).generate(prompt, **asked)


def tried(agent, trials, count=12, seed=4, slips=0.0):
    """Which worlds each trial won, and what was hidden."""
    won = []
    for number in range(trials):
        worlds = trial.table(count, slips, str(number))
        now = worlds.reset(seed)
        hidden = [worlds.task(i).family for i in range(count)]
        agent.begin(now)
        while not all(a.over for a in agent.attempts):
            now = worlds.step(agent.act(now))
            agent.observe(now)
        agent.update()
        won.append([a.won for a in agent.attempts])
    return won, hidden


def test_without_memory_only_what_hides_nothing_is_solved():
    won, hidden = tried(Reflexion(Reads(), memory="none"), 2)
    assert won[0] == won[1] == [h == trial.NOTHING for h in hidden]
    assert 0 < sum(won[0]) < len(hidden)


def test_reflection_solves_all_within_five_trials():
    won, _ = tried(Reflexion(Reads()), 5)
    assert all(any(of) for of in zip(*won, strict=True))


def test_with_one_lesson_it_goes_round_in_circles():
    won, _ = tried(Reflexion(Reads(), lessons=1), 5)
    assert not all(any(of) for of in zip(*won, strict=True))


def test_an_actor_that_does_not_read_is_not_helped():
    deaf = Reads()
    deaf.plans = {}
    won, hidden = tried(Reflexion(deaf), 5)
    assert won[-1] == [h == trial.NOTHING for h in hidden]


def test_the_newest_lesson_and_the_last_attempt_stand_in_the_line():
    model = Reads()
    tried(Reflexion(model, memory="both", reflector=lambda *_: "press the button"), 2)
    later = [line for line in model.lines if "last time" in line]
    assert later and all(line.startswith("arm: first press the button, then ") for line in later)
    assert all("place it in the bowl failed" in line for line in later)


def test_so_many_lessons_are_kept():
    agent = Reflexion(Reads(), lessons=2, reflector=lambda _, lessons: f"lesson {len(lessons)}")
    tried(agent, 4)
    assert max(map(len, agent.lessons)) == 2


def test_other_tasks_begin_without_lessons():
    agent = Reflexion(Reads(), reflector=lambda *_: "press the button")
    tried(agent, 1, seed=4)
    assert any(agent.lessons)
    tried(agent, 1, seed=5)
    agent.begin(trial.table(12, 0.0, "0").reset(6))
    assert not any(agent.lessons)


def test_exclusion_never_says_twice_what_it_remembers():
    attempt = Attempt(world=3, instruction="put", first=None)
    lessons = []
    for _ in REMEDIES:
        lessons.append(by_exclusion(attempt, lessons))
    assert sorted(lessons) == sorted(REMEDIES)


@pytest.mark.parametrize("remedy", REMEDIES)
def test_the_table_gives_way_to_its_own_remedy_alone(remedy):
    rng = random.Random(0)
    task = next(
        t for t in iter(lambda: trial._task(rng, "seen"), None)
        if t.family == remedy and all(t.start.clear(c) for c in t.start.movable)
    )  # fmt: skip
    cube = task.goals[0][0].args[0]
    for first in REMEDIES:
        stage = trial.HidingStage(0.0, {}, "x")
        world = stage.begin(task, random.Random(1))
        skill, target = trial.ACTS[first]
        steps = [("grasp", "yellow_cube")] * (skill == "place") + [(skill, target)]
        went = True
        for name, thing in [*steps, ("grasp", cube), ("place", trial.GOAL)]:
            if not world.unmet(name, thing):
                went, _ = stage.do(world.act(name, thing), world, rng)
        assert (went and task.reached(world)) == (first == remedy)
