"""``fmrl plan``: what would be done for an instruction in the scene of a seed; moves nothing."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from fmrl_robot.errors import ErrorCode
from fmrl_robot.instruction import readable
from fmrl_robot.planners.contact_patterns import write_rows
from fmrl_robot.protocols import Planner
from fmrl_robot.registry import METHODS, SCENES
from fmrl_robot.robots import robot as get_robot
from fmrl_robot.runtime.executive import Executive, Ports
from fmrl_robot.runtime.triggers import trigger_for
from fmrl_robot.skills.known import skill_facts
from fmrl_robot.types import (
    Outcome,
    Plan,
    PlanStatus,
    Problem,
    Scene,
    SubGoal,
    Usage,
)

METHOD_OF = {"arm": "psl", "quadruped": "saytap"}
SCENE_OF = {"arm": "tabletop", "quadruped": "ground"}


def scene_of_seed(robot: str, seed: int) -> Scene:
    """Build the simulated scene of a seed and describe it from ground truth."""
    from fmrl_sim.ground_truth import GroundTruth
    from fmrl_sim.true_scene import true_objects

    model = SCENES.load(SCENE_OF[get_robot(robot).kind])(robot=robot)
    data = model.new_data(seed)
    objects = true_objects(model, data)
    facts = GroundTruth(model).facts(data)
    return Scene(stamp_s=0.0, objects=objects, predicates=facts, source="ground_truth")


def run(
    instruction: str,
    *,
    robot: str = "panda",
    seed: int = 0,
    method: str = "",
    language_model: str = "embedded",
) -> tuple[dict[str, Any], int]:
    """Plan and check; return what ``--json`` prints and the exit code (0: the plan is valid).

    Raises:
        ConfigError: the robot, the method or the model is unknown or cannot be loaded.
    """
    spec = get_robot(robot)
    scene = scene_of_seed(robot, seed)
    method = method or METHOD_OF[spec.kind]
    planner: Planner = METHODS.load(method)(language_model=language_model)
    ports = Ports(
        scene=lambda: scene,
        execute=_moves_nothing,
        announce=lambda plan: None,
        note=lambda phase, text: None,
        interrupted=lambda: None,
        skills=skill_facts(spec),
    )
    trigger = trigger_for(planner)
    ending = Executive(planner, spec, ports, trigger=trigger).propose(instruction)
    outcome = ending.outcome
    plan = ending.plan or Plan(instruction=instruction[:200], method=method)
    problems = plan.problems
    if not outcome.success and all(p.code != outcome.error_code for p in problems):
        problems = (Problem(code=outcome.error_code, message=outcome.message), *problems)
    status = PlanStatus.VALID if outcome.success else PlanStatus.REFUSED
    plan = replace(plan, method=method, status=status, problems=problems)
    answer = {"robot": robot, "seed": seed, **describe(plan, scene, planner.usage())}
    answer["whole"] = not trigger.goes_on
    return answer, 0 if outcome.success else 1


def _moves_nothing(subgoal: SubGoal, step: int, count: int) -> Outcome:
    raise AssertionError(f"fmrl plan moves nothing, yet step {step} of {count} was executed")


def describe(plan: Plan, scene: Scene, usage: Any) -> dict[str, Any]:
    """Turn a plan into plain values."""
    usages: list[Usage] = list(usage)
    return {
        "instruction": plan.instruction,
        "method": plan.method,
        "status": plan.status.name,
        "scene_source": scene.source,
        "subgoals": [describe_subgoal(s) for s in plan.subgoals],
        "goal": [str(p) for p in plan.goal],
        "understood": plan.understood,
        "refusal": [
            {"code": int(p.code), "name": ErrorCode(p.code).name, "message": p.message,
             "step": p.step}
            for p in plan.problems
        ],
        "model": usages[-1].model if usages else None,
        "usage": [asdict(u) for u in usages],
    }  # fmt: skip


def describe_subgoal(subgoal: SubGoal) -> dict[str, Any]:
    """Turn a sub-goal into plain values; pattern rows by leg name."""
    answer: dict[str, Any] = {"id": subgoal.id, "kind": subgoal.kind.name, "text": subgoal.text}
    if subgoal.skill:
        answer |= {"skill": subgoal.skill, "target": subgoal.target}
    if subgoal.params:
        answer["params"] = dict(subgoal.params)
    if subgoal.termination is not None:
        answer["termination"] = str(subgoal.termination)
    if subgoal.pattern is not None:
        answer["pattern"] = write_rows(subgoal.pattern)
        answer["dt_s"] = subgoal.pattern.dt_s
    if subgoal.velocity is not None:
        answer["velocity"] = asdict(subgoal.velocity)
    if subgoal.duration_s:
        answer["duration_s"] = subgoal.duration_s
    return answer


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``fmrl plan``."""
    parser = argparse.ArgumentParser(prog="fmrl plan", description="Plan, and move nothing.")
    parser.add_argument("instruction", type=readable)
    parser.add_argument("--robot", default="panda")
    parser.add_argument("--seed", type=int, default=0, help="of the scene")
    parser.add_argument("--method", default="")
    parser.add_argument("--language-model", default="embedded")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    given = parser.parse_args(arguments)
    answer, code = run(
        given.instruction,
        robot=given.robot,
        seed=given.seed,
        method=given.method,
        language_model=given.language_model,
    )
    if given.json:
        print(json.dumps(answer, indent=2))
        return code
    part = "" if answer["whole"] else ", the first part: what follows depends on how it goes"
    print(f"{answer['status'].lower()} by {answer['model']}{part}")
    if answer["understood"]:
        print(f"  understood: {answer['understood']}")
    for step in answer["subgoals"]:
        print(f"  {step['id']}. {step['text'] or step['kind']}")
    for problem in answer["refusal"]:
        print(f"  {problem['code']}: {problem['message']}")
    return code
