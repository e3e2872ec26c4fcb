"""``fmrl play NAME``: a video of a robot's policy at work, behind its gate, without ROS."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fmrl_robot.control import controller_for
from fmrl_robot.control.supervisor import Supervisor
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.planners.contact_patterns import GaitCall, draw_pattern
from fmrl_robot.registry import BODIES, SCENES
from fmrl_robot.robots import ROBOTS, robot
from fmrl_robot.safety.gate import Gate
from fmrl_robot.types import Leg, RobotState, SubGoal, SubGoalKind, Velocity
from fmrl_robot.view.video import VideoLog

SHOW: tuple[tuple[str, GaitCall], ...] = (
    ("trot forward slowly", GaitCall(gait="trot", vx=0.5)),
    ("bound in place", GaitCall(gait="bound")),
    ("pace backward slowly", GaitCall(gait="pace", vx=-0.5)),
    ("lift the front left leg", GaitCall(gait="stand", up=frozenset({Leg.FL}))),
    ("stand still", GaitCall(gait="stand")),
)
SHOW_S, FPS = 3.0, 25
SKILLS: dict[str, tuple[tuple[str, ...], bool]] = {
    "grasp": (("grasp red_cube until held(red_cube)",), False),
    "place": (
        ("grasp red_cube until held(red_cube)", "place bowl until in(red_cube, bowl)"),
        False,
    ),
    "open": (("open drawer until open(drawer)",), False),
    "close": (("close drawer until closed(drawer)",), True),
    "press": (("press button until pressed(button)",), False),
}
"""Plan that shows each skill of the arm, and whether the drawer is open before."""


def main(arguments: Sequence[str]) -> int:
    """Read the command line and film."""
    parser = argparse.ArgumentParser(prog="fmrl play", description=__doc__)
    parser.add_argument("name", help="a policy, such as go2-saytap or panda-grasp")
    parser.add_argument("--out", type=Path, default=Path("runs/play.mp4"))
    parser.add_argument("--policies", type=Path, help="folder of policies; the shipped one")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    name, _, skill = given.name.partition("-")
    kind = robot(name).kind if name in ROBOTS.names() else ""
    if kind == "quadruped":
        film_gaits(name, given.out, policies=given.policies, seed=given.seed)
    elif kind == "arm" and skill in SKILLS:
        film_skill(name, skill, given.out, policies=given.policies, seed=given.seed)
    else:
        known = ["go2-saytap", *(f"panda-{skill}" for skill in SKILLS)]
        raise ConfigError(
            f"expected a robot's policy such as {', '.join(known)}, got {given.name!r}",
            ErrorCode.NO_POLICY_FITS,
        )
    print(f"video={given.out}")  # noqa: T201
    return 0


def film_skill(
    name: str, skill: str, out: Path, *, policies: Path | None = None, seed: int = 0
) -> None:
    """Run a skill of the arm on the *tabletop* scene and write it to ``out``."""
    from fmrl_sim.lockstep import region_subgoal, run_plan
    from fmrl_sim.render import SceneRenderer
    from fmrl_sim.scenes.base import SceneOptions

    plan, drawer_open = SKILLS[skill]
    scene = SCENES.load("tabletop")(robot=name)
    steps = [region_subgoal(text) for text in plan]
    title = f"{name}-{skill}: {plan[-1]}"
    video, shown = VideoLog(out, fps=FPS), 0
    with SceneRenderer(scene.model, width=640, height=480) as renderer:

        def look(body: Any, _: RobotState) -> None:
            nonlocal shown
            if shown % 2 == 0:
                video.add(renderer.rgb(body.data, "front"), title, f"{body.now:.1f} s")
            shown += 1

        run_plan(
            scene,
            controller_for(robot(name), policies),
            steps,
            [],
            seed=seed,
            options=SceneOptions(drawer_open=drawer_open),
            on_tick=look,
        )
    video.close()


def film_gaits(name: str, out: Path, *, policies: Path | None = None, seed: int = 0) -> None:
    """Run SHOW on the *ground* scene and write it to ``out``."""
    from fmrl_sim.render import SceneRenderer

    spec = robot(name)
    scene = SCENES.load("ground")(robot=name)
    gate = Gate(spec)
    body: Any = BODIES.load("mujoco")(scene, gate, seed=seed)
    _, lease, _ = gate.acquire("play")
    supervisor = Supervisor(controller_for(spec, policies))
    video = VideoLog(out, fps=FPS)
    ticks = round(spec.command_dt_s / 0.004)
    with SceneRenderer(scene.model, width=640, height=480) as renderer:
        for text, call in SHOW:
            begun, shown = False, 0
            while True:
                command, ended = supervisor.tick(body.read(), None)
                body.submit(replace(command, lease=lease, stamp_s=body.now))
                for _ in range(ticks):
                    body.tick()
                if shown % 2 == 0:
                    video.add(renderer.rgb(body.data, "follow"), text, f"{body.now:.1f} s")
                shown += 1
                if not begun:
                    supervisor.begin(_subgoal(text, call), None)
                    begun = True
                if ended is not None:
                    break
    video.close()


def _subgoal(text: str, call: GaitCall) -> SubGoal:
    return SubGoal(
        id=text,
        kind=SubGoalKind.CONTACT_PATTERN,
        text=text,
        pattern=draw_pattern(call),
        velocity=Velocity(vx=call.vx),
        duration_s=SHOW_S,
    )
