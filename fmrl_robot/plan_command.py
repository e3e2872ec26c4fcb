"""``fmrl plan``: what would be done for an instruction in the scene of a seed; moves nothing."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.planners.contact_patterns import write_rows
from fmrl_robot.protocols import Planner
from fmrl_robot.registry import METHODS, SCENES
from fmrl_robot.robots import robot as get_robot
from fmrl_robot.types import Plan, PlanStatus, Pose, Problem, Scene, SceneObject, SubGoal, Usage

METHOD_OF = {"arm": "psl", "quadruped": "saytap"}
SCENE_OF = {"arm": "tabletop", "quadruped": "ground"}


def scene_of_seed(robot: str, seed: int) -> Scene:
    """Build the simulated scene of a seed and describe it from ground truth."""
    from fmrl_sim.ground_truth import GroundTruth

    model = SCENES.load(SCENE_OF[get_robot(robot).kind])(robot=robot)
    data = model.new_data(seed)
    objects = tuple(
        SceneObject(
            name=info.name,
            category=info.category,
            color=info.color,
            size=info.size,
            pose=Pose(
                position=data.body(info.name).xpos.copy(),
                quaternion=data.body(info.name).xquat.copy(),
            ),
        )
        for info in model.objects
    )
    facts = GroundTruth(model).facts(data)
    return Scene(stamp_s=0.0, objects=objects, predicates=facts, source="ground_truth")


def propose(planner: Planner, instruction: str, robot: str, scene: Scene) -> Plan:
    """Ask for a plan; a refusal comes back as a refused plan with its code."""
    try:
        planner.reset(instruction, robot)
        return planner.propose(scene)
    except FmrlError as error:
        method = METHOD_OF[get_robot(robot).kind]
        problem = Problem(code=error.code, message=str(error))
        return Plan(
            instruction=instruction[:200],
            method=method,
            status=PlanStatus.REFUSED,
            problems=(problem,),
        )


def run(
    instruction: str,
    *,
    robot: str = "panda",
    seed: int = 0,
    method: str = "",
    language_model: str = "embedded",
) -> tuple[dict[str, Any], int]:
    """Plan and check; return what ``--json`` prints and the exit code (0: the plan is valid)."""
    scene = scene_of_seed(robot, seed)
    planner: Planner = METHODS.load(method or METHOD_OF[get_robot(robot).kind])(
        language_model=language_model
    )
    plan = propose(planner, instruction, robot, scene)
    plan = replace(plan, status=plan.status)
    answer = describe(plan, scene, planner.usage())
    answer |= {"robot": robot, "seed": seed}
    return answer, 0 if plan.status is PlanStatus.VALID else 1


def describe(plan: Plan, scene: Scene, usage: Any) -> dict[str, Any]:
    """Turn a plan into plain values."""
    usages: list[Usage] = list(usage)
    return {
        "instruction": plan.instruction,
        "method": plan.method,
        "status": plan.status.name,
        "scene_source": scene.source,
        "subgoals": [_subgoal(s) for s in plan.subgoals],
        "goal": [str(p) for p in plan.goal],
        "refusal": [
            {"code": int(p.code), "name": ErrorCode(p.code).name, "message": p.message,
             "step": p.step}
            for p in plan.problems
        ],
        "model": usages[-1].model if usages else None,
        "usage": [asdict(u) for u in usages],
    }  # fmt: skip


def _subgoal(subgoal: SubGoal) -> dict[str, Any]:
    answer: dict[str, Any] = {"id": subgoal.id, "kind": subgoal.kind.name, "text": subgoal.text}
    if subgoal.skill:
        answer |= {"skill": subgoal.skill, "target": subgoal.target}
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
