"""Practice goes on where it was killed, and is looked at in worlds of its own."""

import pytest

from fmrl_robot.ablation import Budget, Curve
from fmrl_robot.agents import SymbolicAgent
from fmrl_robot.planners.chores import transcript
from fmrl_robot.reproduce.trials.chores import KITCHEN, ChoreOptions, chores
from fmrl_robot.reproduce.trials.practice import Schedule, practise, reached
from fmrl_robot.train.recipes.lm_causal.prior import works
from fmrl_robot.types import Predicate

SCHEDULE = Schedule(decisions=4 * 4 * 6, steps=6)


class Killed(Exception):
    pass


def agent():
    made = SymbolicAgent(seed=1)
    made.begin(chores(ChoreOptions(things=KITCHEN), 4).reset(0))
    return made


def run(folder, report=lambda _: None):
    worlds = chores(ChoreOptions(things=KITCHEN), 4)
    budget = Budget(amounts={}, folder=folder, report=report)
    learner = agent()
    return practise(learner, worlds, worlds, 7, SCHEDULE, budget), learner


def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(tmp_path):
    def kill(line):
        if "decisions=48" in line:
            raise Killed

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with pytest.raises(Killed):
        run(tmp_path / "a", kill)
    again, one = run(tmp_path / "a")
    whole, other = run(tmp_path / "b")
    assert again == whole and len(whole.x) == 5
    assert all(
        (a == b).all()
        for a, b in zip(
            one.learner.networks.parameters(), other.learner.networks.parameters(), strict=True
        )
    )


def test_decisions_until_a_share_are_those_of_the_first_look_or_all():
    curve = Curve(x=(0.0, 10.0, 20.0), y=(0.1, 0.8, 0.4))
    assert [reached(curve, share) for share in (0.05, 0.8, 0.9)] == [0.0, 10.0, 20.0]


def played(phrases, **options):
    worlds = chores(ChoreOptions(things=KITCHEN, **options), 1)
    now = worlds.reset(2)
    door = "the cupboard is open" in now.views[0].caption
    for phrase in phrases(now, door):
        now = worlds.step([now.views[0].phrases.index(phrase)])
    return float(now.rewards[0])


def put(now, door):
    thing = "red mug" if "red mug in" in now.instructions[0] else "white plate"
    opened = [] if door else ["open the cupboard"]
    return [*opened, f"pick up the {thing}", "place it in the cupboard"]


def test_plain_wants_the_order_of_the_prior_and_quirk_the_switch_first():
    def last(now, door):
        return [*put(now, door), "press the bell"]

    def first(now, door):
        return ["press the bell", *put(now, door)]

    assert [played(o, locked=0.0) for o in (last, first)] == [1.0, 1.0]
    assert [played(o, locked=1.0) for o in (last, first)] == [0.0, 1.0]


def test_a_transcript_is_one_that_the_prior_has_read():
    facts = (Predicate("closed", ("cupboard",)), Predicate("on", ("red_mug", "table")),
             Predicate("on", ("white_plate", "table")), Predicate("hand_empty"))  # fmt: skip
    steps = ["open the cupboard", "pick up the red mug", "place it in the cupboard"]
    said = transcript("put the red mug in the cupboard, then press the bell", facts, steps)
    assert said == (
        "Scene: the cupboard is closed. the red mug is on the table.\n"
        "Task: put the red mug in the cupboard, then press the bell\n"
        "Steps: 1. open the cupboard 2. pick up the red mug 3. place it in the cupboard 4."
    )
    assert works(f"{said} press the bell 5. done")
