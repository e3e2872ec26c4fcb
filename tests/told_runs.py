"""Plans and steps for tests of what is told of a run."""

from fmrl_robot.types import Plan, PlanStatus, Problem, SubGoal, SubGoalKind


def step(number, skill="grasp"):
    return SubGoal(id=str(number), kind=SubGoalKind.REGION, skill=skill, target="red_cube")


def plan(task_id, *steps, refused=""):
    problems = (Problem(code=201, message=refused),) if refused else ()
    return Plan(
        instruction=f"do {task_id}",
        method="psl",
        task_id=task_id,
        subgoals=steps,
        status=PlanStatus.REFUSED if refused else PlanStatus.VALID,
        problems=problems,
    )
