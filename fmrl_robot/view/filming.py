"""Videos of policies at work: behind the gate where the graph uses them, else in their task."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fmrl_robot.assets import policies_dir
from fmrl_robot.control import controller_for
from fmrl_robot.control.supervisor import Supervisor
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.files import read_card, writable_file
from fmrl_robot.registry import BODIES, SCENES, TASKS
from fmrl_robot.robots import ROBOTS, robot
from fmrl_robot.safety.gate import Gate
from fmrl_robot.types import Outcome, RobotState
from fmrl_robot.view.shows import ARM_SHOWS, QUADRUPED_SHOWS, SHOWN_ON
from fmrl_robot.view.video import VideoLog

FPS = 25
EPISODES = 4
THROWN_S = 2.0


def film(
    name: str,
    out: Path,
    *,
    policies: Path | None = None,
    folder: Path | None = None,
    seed: int = 0,
) -> None:
    """Film a policy at what it is for: behind the gate where the graph uses it, else in its task.

    Args:
        name: of the policy.
        out: the video.
        policies: folder of policies; None: the shipped one.
        folder: of a run, whose policy takes the place of the one called ``name``.
        seed: of the scene.

    Raises:
        ConfigError: no such policy, it is refused, nothing can be drawn here, or ``out`` cannot be
            written.
    """
    writable_file(out)
    if folder is not None:
        with _overlaid(name, folder, policies) as whole:
            film(name, out, policies=whole, seed=seed)
        return
    robot_name, _, skill = name.partition("-")
    kind = robot(robot_name).kind if robot_name in ROBOTS.names() else ""
    if kind == "quadruped" and skill in QUADRUPED_SHOWS:
        film_quadruped(robot_name, skill, out, policies=policies, seed=seed)
    elif kind == "arm" and skill in ARM_SHOWS:
        film_skill(robot_name, skill, out, policies=policies, seed=seed)
    elif walker := _imported_for(name, policies):
        film_quadruped(walker, "walk", out, policies=policies, seed=seed, walk_policy=name)
    elif name in TASKS.names():
        film_task(name, out, policies=policies, seed=seed)
    else:
        known = [*(f"go2-{show}" for show in QUADRUPED_SHOWS), *(f"panda-{s}" for s in ARM_SHOWS)]
        raise ConfigError(
            f"expected a robot's policy such as {', '.join(known)}, got {name!r}",
            ErrorCode.NO_POLICY_FITS,
        )


def finish(video: VideoLog, out: Path) -> None:
    """End a video.

    Raises:
        ConfigError: WRITE_FAILED; it could not be written.
    """
    video.close()
    if video.error:
        raise ConfigError(
            f"expected a video at {out}, {video.error}; make room, or name another --out",
            ErrorCode.WRITE_FAILED,
        )


@contextmanager
def _overlaid(name: str, folder: Path, policies: Path | None) -> Generator[Path]:
    """The folder of policies, with a run's in the place of the one called ``name``."""
    with tempfile.TemporaryDirectory() as made:
        for policy in (policies or policies_dir()).iterdir():
            if policy.name != name:
                (Path(made) / policy.name).symlink_to(policy.resolve())
        (Path(made) / name).symlink_to(folder.resolve())
        yield Path(made)


def _imported_for(name: str, policies: Path | None) -> str:
    """The robot of an imported policy; empty where the policy is none."""
    card = (policies or policies_dir()) / name / "card.json"
    told = read_card(card) if card.is_file() else {}
    return str(told["robot"]) if "imported" in told else ""


def film_skill(
    name: str, skill: str, out: Path, *, policies: Path | None = None, seed: int = 0
) -> None:
    """Run a skill of the arm on the *tabletop* scene and write it to ``out``."""
    from fmrl_sim.lockstep import region_subgoal, run_plan
    from fmrl_sim.scenes.base import SceneOptions
    from fmrl_sim.smooth import SmoothRenderer

    plan, drawer_open = ARM_SHOWS[skill]
    scene = SCENES.load("tabletop")(robot=name)
    steps = [region_subgoal(text) for text in plan]
    title = f"{name}-{skill}: {plan[-1]}"
    video, shown = VideoLog(out, fps=FPS), 0
    with SmoothRenderer(scene.model, width=640, height=480) as renderer:

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
    finish(video, out)


def film_task(name: str, out: Path, *, policies: Path | None = None, seed: int = 0) -> None:
    """Run a policy for EPISODES episodes of its own training task and write it to ``out``.

    Raises:
        ConfigError: the task has no picture, or its policy is missing or refused.
    """
    import torch

    from fmrl_robot.train.evaluate import POLICY, OnnxPolicy

    file = (policies or policies_dir()) / name / POLICY
    policy = OnnxPolicy(file)
    env: Any = TASKS.load(name)(num_envs=1, seed=seed)
    if not hasattr(env, "render"):
        raise ConfigError(
            f"expected a task with a picture, {name!r} has none; play another of the same robot",
            ErrorCode.NO_POLICY_FITS,
        )
    policy.contract.check(env.contract(), file)
    seen, video = env.reset()["policy"], VideoLog(out, fps=round(1.0 / env.control_dt_s))
    done = 0
    while done < EPISODES:
        video.add(env.render(), name, f"{done + 1} of {EPISODES}")
        action = torch.as_tensor(policy(seen.double().numpy())).float()
        obs, _, over, _ = env.step(action)
        seen, done = obs["policy"], done + int(over.sum())
    finish(video, out)


def film_quadruped(
    name: str,
    show: str,
    out: Path,
    *,
    policies: Path | None = None,
    seed: int = 0,
    walk_policy: str = "",
) -> None:
    """Run one of QUADRUPED_SHOWS on its scene and write it to ``out``.

    ``walk_policy`` names an imported policy to walk with.
    """
    from fmrl_sim.smooth import SmoothRenderer

    spec = robot(name)
    scene = SCENES.load(SHOWN_ON.get(show, "ground"))(robot=name)
    gate = Gate(spec)
    body: Any = BODIES.load("mujoco")(scene, gate, seed=seed)
    _, lease, _ = gate.acquire("play")
    supervisor = Supervisor(controller_for(spec, policies, walk_policy))
    rng = np.random.default_rng(seed)
    video, shown = VideoLog(out, fps=FPS), 0
    ticks = round(spec.command_dt_s / 0.004)
    with SmoothRenderer(scene.model, width=640, height=480) as renderer:

        def go(text: str) -> Outcome | None:
            nonlocal shown
            command, ended = supervisor.tick(body.read(), None)
            body.submit(replace(command, lease=lease, stamp_s=body.now))
            for _ in range(ticks):
                body.tick()
            if shown % 2 == 0:
                video.add(renderer.rgb(body.data, "follow"), text, f"{body.now:.1f} s")
            shown += 1
            return ended

        for text, subgoal in QUADRUPED_SHOWS[show]:
            if subgoal is None:
                body.throw(rng)
                for _ in range(round(THROWN_S / spec.command_dt_s)):
                    go(text)
                continue
            go(text)
            supervisor.begin(subgoal, None)
            while go(text) is None:
                pass
    finish(video, out)
