"""Lists, graphs and weighted sets: what is carried out, and in which order."""

import random
from collections import Counter
from dataclasses import replace
from itertools import permutations

import pytest
from step_planner import PRESS, Run, Scripted, grasp, place, plan

from fmrl_robot.errors import ErrorCode, Retryable
from fmrl_robot.plancheck import check
from fmrl_robot.robots import PANDA
from fmrl_robot.runtime.order import arrangements, weighted_set
from fmrl_robot.types import PlanStatus

RED = "put the red cube in the bowl"
ALL = "put the red cube in the bowl, put the blue cube in the bin and press the button"
TAKE, DROP = grasp("red_cube"), place("red_cube", "bowl")


def skills(arranged):
    return [f"{s.skill} {s.target}" for s in arranged.subgoals]


def test_a_list_goes_as_it_stands():
    good = plan(TAKE, DROP)
    assert arrangements(good) == (good,)


def test_a_graph_respects_its_edges_and_else_the_order_of_its_steps():
    (arranged,) = arrangements(plan(DROP, PRESS, TAKE, edges=((2, 0), (1, 2))))
    assert skills(arranged) == ["press button", "grasp red_cube", "place bowl"]
    assert arranged.edges == ((1, 2), (0, 1))


def test_every_order_of_a_chain_is_put_right():
    steps = [TAKE, DROP, grasp("blue_cube"), place("blue_cube", "bin"), PRESS]
    for order in permutations(range(5)):
        where = {step: place for place, step in enumerate(order)}
        edges = tuple((where[i], where[i + 1]) for i in range(4))
        (arranged,) = arrangements(plan(*[steps[i] for i in order], edges=edges))
        assert skills(arranged) == skills(plan(*steps))


@pytest.mark.parametrize(
    ("edges", "weights", "says"),
    [
        (((0, 1), (1, 0)), (), "without a circle"),
        (((0, 2),), (), "edges between steps 0 to 1"),
        (((-1, 0),), (), "edges between steps 0 to 1"),
        ((), (1.0,), "2 finite weights"),
        ((), (1.0, -1.0), "2 finite weights"),
        ((), (0.0, 0.0), "2 finite weights"),
        ((), (float("nan"), 1.0), "2 finite weights"),
    ],
)
def test_what_is_no_order_is_refused_and_may_be_repaired(edges, weights, says):
    wrong = plan(TAKE, DROP, edges=edges, weights=weights)
    with pytest.raises(Retryable, match=says) as caught:
        arrangements(wrong)
    assert caught.value.code == ErrorCode.PLAN_SCHEMA
    run = Run(Scripted([wrong, plan(TAKE, DROP)]), RED, trigger="never")
    assert run.outcome.success and run.plans[0].status is PlanStatus.REFUSED
    assert says in run.planner.heard[1].news[0].text


def test_a_plan_that_is_not_arranged_passes_no_check():
    scene = Run(Scripted([plan(TAKE, DROP)]), RED, trigger="never").table.scene()
    backward = plan(TAKE, DROP, edges=((1, 0),))
    alternatives = plan(TAKE, DROP, weights=(0.5, 0.5))
    for wrong in (backward, alternatives, plan(TAKE, edges=((0, 1),))):
        assert check(wrong, scene, PANDA)[0].code == ErrorCode.PLAN_SCHEMA


# --- graphs, carried out --------------------------------------------------------------------------


def test_a_graph_is_carried_out_in_its_order():
    graph = plan(
        DROP, PRESS, TAKE, place("blue_cube", "bin"), grasp("blue_cube"),
        edges=((2, 0), (4, 3), (0, 4), (3, 1)),
    )  # fmt: skip
    run = Run(Scripted([graph]), ALL, trigger="never")
    assert run.outcome.success
    assert run.executed == [
        "grasp red_cube", "place bowl", "grasp blue_cube", "place bin", "press button",
    ]  # fmt: skip


def test_a_graph_is_checked_in_the_order_in_which_it_is_carried_out():
    """As it stands the list would be impossible, and as a graph that is backward it is."""
    run = Run(Scripted([plan(TAKE, DROP, edges=((1, 0),))]), RED, trigger="never")
    assert run.outcome.error_code == ErrorCode.REPAIRS_EXHAUSTED and run.executed == []
    assert run.plans[0].problems[0].code == ErrorCode.PRECONDITION_UNMET


# --- weighted sets --------------------------------------------------------------------------------


def to(where):
    return plan(TAKE, place("red_cube", where), goal=(f"in(red_cube, {where})",))


EITHER = "put the red cube in the bowl or in the bin"


def test_the_likeliest_of_a_weighted_set_is_carried_out():
    both = weighted_set([replace(to("bowl"), goal=()), replace(to("bin"), goal=())], [0.3, 0.7])
    assert len({s.id for s in both.subgoals}) == 4
    run = Run(Scripted([both]), EITHER, trigger="never")
    assert run.executed == ["grasp red_cube", "place bin"]


def test_an_alternative_that_cannot_be_carried_out_is_passed_over():
    impossible = plan(DROP, TAKE)
    both = weighted_set([impossible, plan(TAKE, DROP)], [0.9, 0.1])
    run = Run(Scripted([both]), RED, trigger="never")
    assert run.outcome.success and run.executed == ["grasp red_cube", "place bowl"]
    assert len(run.plans) == 1 and len(run.planner.heard) == 1


def test_where_no_alternative_can_be_carried_out_the_first_is_told_of():
    both = weighted_set([plan(DROP, TAKE), plan(grasp("bowl"))], [0.2, 0.8])
    run = Run(Scripted([both]), RED, trigger="never")
    assert run.executed == []
    assert run.plans[0].problems[0].code == ErrorCode.PARAMETER_OUT_OF_BOUNDS


def test_alternatives_are_drawn_by_their_weights_and_alike_by_the_same_seed():
    both = weighted_set([to("bowl"), to("bin"), to("drawer")], [0.7, 0.3, 0.0])

    def draws(seed):
        draw = random.Random(seed)
        return [arrangements(both, draw)[0].subgoals[1].target for _ in range(1000)]

    assert draws(1) == draws(1) != draws(2)
    count = Counter(draws(3))
    assert set(count) == {"bowl", "bin"} and abs(count["bowl"] - 700) < 60


def test_single_steps_may_be_weighted():
    run = Run(
        Scripted([plan(TAKE, PRESS, weights=(0.4, 0.6))]), "press the button", trigger="never"
    )
    assert run.executed == ["press button"]
