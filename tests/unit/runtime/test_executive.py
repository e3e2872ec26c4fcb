from dataclasses import replace

import numpy as np
import pytest

from fmrl_robot.errors import ErrorCode, Retryable, Terminal
from fmrl_robot.robots import PANDA
from fmrl_robot.runtime import proposing
from fmrl_robot.runtime.budgets import Budgets
from fmrl_robot.runtime.executive import Executive, Ports
from fmrl_robot.runtime.triggers import REPLANS
from fmrl_robot.types import (
    Outcome,
    Plan,
    PlanStatus,
    Pose,
    Predicate,
    Scene,
    SceneObject,
    SubGoal,
    SubGoalKind,
)

MAX_REPAIRS = Budgets().repairs
IN_BOWL = Predicate("in", ("red_cube", "bowl"))
WISH = "put the red cube in the bowl"


def thing(name, category, x=0.5, y=0.0):
    return SceneObject(
        name=name,
        category=category,
        color="red",
        pose=Pose(position=np.array([x, y, 0.02])),
        size=np.full(3, 0.04),
    )


def scene(*facts):
    objects = (thing("red_cube", "cube"), thing("bowl", "bowl"), thing("drawer", "drawer"))
    return Scene(stamp_s=0.0, objects=objects, predicates=frozenset(facts))


def step(number, skill, target, until):
    return SubGoal(
        id=str(number), kind=SubGoalKind.REGION, skill=skill, target=target, termination=until
    )


GOOD = Plan(
    instruction=WISH,
    method="psl",
    subgoals=(
        step(1, "grasp", "red_cube", Predicate("held", ("red_cube",))),
        step(2, "place", "bowl", IN_BOWL),
    ),
    goal=(IN_BOWL,),
)
BAD = Plan(instruction=WISH, method="psl", subgoals=(step(1, "place", "bowl", IN_BOWL),))


class Script:
    """Planner and world in one: gives the proposals in turn, and the outcomes in turn."""

    def __init__(self, proposals, outcomes=(), reached=True):
        self.proposals, self.outcomes = list(proposals), list(outcomes)
        self.reached = reached
        self.feedback, self.executed, self.plans = [], [], []
        self.interruption = None

    def reset(self, instruction, robot):
        if not instruction:
            raise Terminal("empty", ErrorCode.INSTRUCTION_EMPTY)

    def propose(self, context):
        self.feedback.append("; ".join(f.text for f in context.news))
        proposal = self.proposals.pop(0) if len(self.proposals) > 1 else self.proposals[0]
        if isinstance(proposal, Exception):
            raise proposal
        return proposal

    def observe(self, step):
        pass

    def usage(self):
        return ()

    def execute(self, subgoal, step, steps):
        self.executed.append(subgoal.skill)
        return self.outcomes.pop(0) if self.outcomes else Outcome(success=True)

    def see(self):
        return scene(IN_BOWL) if self.reached and "place" in self.executed else scene()

    def run(self, instruction=WISH):
        ports = Ports(
            scene=self.see,
            execute=self.execute,
            announce=self.plans.append,
            note=lambda phase, message: None,
            interrupted=lambda: self.interruption,
        )
        return Executive(self, PANDA, ports).run(instruction, "task")


def failed(code):
    return Outcome(success=False, error_code=int(code), message="because")


def test_a_good_plan_is_carried_out_and_seen_to_succeed():
    world = Script([GOOD])
    ending = world.run()
    assert ending.outcome.success
    assert world.executed == ["grasp", "place"]
    assert ending.plan.status == PlanStatus.VALID
    assert ending.plan.task_id == "task"


def test_a_refused_plan_moves_nothing_and_its_reason_goes_back_to_the_model():
    world = Script([BAD, GOOD])
    assert world.run().outcome.success
    assert "needs a cube in the hand" in world.feedback[1]
    assert [p.status for p in world.plans] == [PlanStatus.REFUSED, PlanStatus.VALID]


def test_repairs_are_limited_and_the_robot_stays():
    world = Script([BAD])
    ending = world.run()
    assert ending.outcome.error_code == ErrorCode.REPAIRS_EXHAUSTED
    assert len(world.feedback) == MAX_REPAIRS + 1
    assert world.executed == []


def test_a_malformed_answer_counts_as_a_repair():
    world = Script([Retryable("what?"), GOOD])
    assert world.run().outcome.success
    assert world.feedback == ["", "what?"]


def test_a_refusal_of_the_model_ends_the_task_with_its_code():
    world = Script([Terminal("no", ErrorCode.INSTRUCTION_REFUSED)])
    ending = world.run()
    assert ending.outcome.error_code == ErrorCode.INSTRUCTION_REFUSED
    assert ending.plan.problems[0].code == ErrorCode.INSTRUCTION_REFUSED


def test_a_failed_step_is_planned_again():
    world = Script([GOOD], [Outcome(success=True), failed(ErrorCode.SUBGOAL_FAILED)])
    ending = world.run()
    assert ending.outcome.success
    assert ending.replans == 1
    assert "because" in world.feedback[1]


def test_replans_are_limited():
    world = Script([GOOD], [failed(ErrorCode.SUBGOAL_FAILED)] * 9)
    ending = world.run()
    assert ending.outcome.error_code == ErrorCode.SUBGOAL_FAILED
    assert ending.replans == REPLANS


@pytest.mark.parametrize("code", [ErrorCode.GATE_STOPPED, ErrorCode.CONTROLLER_UNAVAILABLE])
def test_what_another_plan_cannot_mend_ends_the_task(code):
    world = Script([GOOD], [failed(code)])
    ending = world.run()
    assert ending.outcome.error_code == code
    assert world.executed == ["grasp"]


def test_steps_that_end_well_are_no_success_unless_the_goal_is_seen():
    ending = Script([GOOD], reached=False).run()
    assert ending.outcome.error_code == ErrorCode.GOAL_NOT_REACHED
    assert str(IN_BOWL) in ending.outcome.message


def test_an_empty_instruction_ends_with_its_code():
    assert Script([GOOD]).run("").outcome.error_code == ErrorCode.INSTRUCTION_EMPTY


@pytest.mark.parametrize("code", [ErrorCode.TASK_CANCELLED, ErrorCode.TASK_TIMEOUT])
def test_an_interrupted_task_ends_with_its_code(code):
    world = Script([GOOD])
    world.interruption = code
    assert world.run().outcome.error_code == code
    assert world.executed == []


def test_no_scene_no_plan():
    world = Script([GOOD])
    world.see = lambda: None
    ending = world.run()
    assert ending.outcome.error_code == ErrorCode.SCENE_UNAVAILABLE
    assert world.feedback == []


def test_ids_stay_unique_when_a_plan_is_replaced():
    world = Script([GOOD], [Outcome(success=True), failed(ErrorCode.SUBGOAL_FAILED)])
    world.run()
    ids = [s.id for plan in world.plans for s in plan.subgoals]
    assert len(set(ids)) == len(ids) == 4


# --- what was asked for and what was forbidden ----------------------------------------------------

INSTEAD = "Never put the red cube in the bowl. Hold it."
FORBIDDEN = replace(GOOD, instruction=INSTEAD)
HOLD = step(1, "grasp", "red_cube", Predicate("held", ("red_cube",)))


def test_a_forbidden_plan_is_refused_once_its_repairs_are_spent():
    world = Script([FORBIDDEN])
    ending = world.run(INSTEAD)
    assert ending.outcome.error_code == ErrorCode.REPAIRS_EXHAUSTED
    assert str(int(ErrorCode.INTENT_FORBIDDEN)) in ending.outcome.message
    assert [p.problems[0].code for p in world.plans] == [208] * (MAX_REPAIRS + 1)
    assert "forbids it" in world.feedback[1]
    assert world.executed == []


def test_a_forbidden_plan_may_be_repaired():
    good = Plan(instruction=INSTEAD, method="psl", subgoals=(HOLD,))
    world = Script([FORBIDDEN, good])
    assert world.run(INSTEAD).outcome.success
    assert world.executed == ["grasp"]


def test_a_forbidden_plan_is_refused_in_a_replan_too():
    world = Script(
        [Plan(instruction=INSTEAD, method="psl", subgoals=(HOLD,)), FORBIDDEN],
        [failed(ErrorCode.SUBGOAL_FAILED)],
    )
    ending = world.run(INSTEAD)
    assert ending.replans == 1
    assert ending.outcome.error_code == ErrorCode.REPAIRS_EXHAUSTED
    assert ending.plan.problems[0].code == ErrorCode.INTENT_FORBIDDEN
    assert world.executed == ["grasp"]


def test_a_planner_that_misquotes_the_instruction_gets_nothing_forbidden_past_the_reading():
    world = Script([GOOD])
    assert world.run(INSTEAD).outcome.error_code == ErrorCode.REPAIRS_EXHAUSTED
    assert world.executed == [] and world.plans[0].instruction == INSTEAD


def test_without_the_reading_a_forbidden_plan_would_be_carried_out(monkeypatch):
    monkeypatch.setattr(proposing, "check_intent", lambda *_, **__: ())
    world = Script([FORBIDDEN])
    assert world.run(INSTEAD).outcome.success
    assert world.executed == ["grasp", "place"]


def test_what_a_plan_would_do_is_announced_before_anything_is_done():
    world = Script([GOOD])
    executed_by_then = []
    world.plans = Listener(lambda plan: executed_by_then.append(list(world.executed)))
    ending = world.run()
    assert [p.understood for p in world.plans] == ["put the red cube in the bowl"]
    assert executed_by_then == [[]]
    assert ending.plan.understood == "put the red cube in the bowl"


def test_a_refused_plan_is_read_back_as_well():
    world = Script([FORBIDDEN])
    world.run(INSTEAD)
    assert {p.understood for p in world.plans} == {"put the red cube in the bowl"}


class Listener(list):
    """A list that tells when something is appended."""

    def __init__(self, hear):
        super().__init__()
        self._hear = hear

    def append(self, item):
        self._hear(item)
        super().append(item)
