"""A judge who was not there: rebuilds the scene from the record and decides whether it was done.

It shares no code with planner, reward or controller, and no state with the simulator that ran.
``python -m fmrl_sim.judge RUN_DIR --instruction "..."`` exits with 0 (done), 1 (not done) or 2 (it
cannot tell, because no template reads the instruction).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import mujoco
import numpy as np

from fmrl_robot.errors import ConfigError, FmrlError
from fmrl_robot.instruction import readable
from fmrl_robot.registry import SCENES
from fmrl_robot.types import Predicate
from fmrl_sim import recorder
from fmrl_sim.courses import Course, followed
from fmrl_sim.gaits import Motion, happened
from fmrl_sim.goals import Goal, Segment, goal_of
from fmrl_sim.ground_truth import GroundTruth
from fmrl_sim.scenes.base import SceneModel

DONE, NOT_DONE, CANNOT_TELL = 0, 1, 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Whether a run did what was asked."""

    done: bool
    reason: str
    facts: tuple[str, ...] = ()
    """Arm: what held at the end."""


@lru_cache(maxsize=4)
def _scene(name: str, robot: str) -> SceneModel:
    """Compile a scene once, however many episodes are judged."""
    return SCENES.load(name)(robot)


def judge(folder: Path, goal: Goal, episode: int = -1, row: int = -1) -> Verdict:
    """Decide about one episode of a run folder; an arm's facts are those of recorded ``row``."""
    record = recorder.load(folder, episode)
    scene = _scene(record.scene, record.robot)
    if record.error:
        return Verdict(done=False, reason=f"the run ended with an error: {record.error}")
    if scene.robot.kind == "quadruped":
        return _judge_motion(record, goal)
    return _judge_facts(record, scene, goal.predicates, row)


def _judge_facts(
    record: recorder.Record, scene: SceneModel, predicates: tuple[Predicate, ...], row: int
) -> Verdict:
    if not predicates:
        raise ConfigError("expected at least one goal predicate, got none")
    data = mujoco.MjData(scene.model)
    record.restore(scene.model, data, row)
    truth = GroundTruth(scene)
    facts = tuple(sorted(str(p) for p in truth.facts(data)))
    missing = [str(p) for p in predicates if not truth.holds(p, data)]
    if missing:
        return Verdict(done=False, reason=f"not: {', '.join(missing)}", facts=facts)
    return Verdict(done=True, reason="every goal predicate holds", facts=facts)


def motion_of(record: recorder.Record) -> Motion:
    """Work out feet and speeds of a recorded quadruped."""
    scene = _scene(record.scene, record.robot)
    data = mujoco.MjData(scene.model)
    legs = [f"{leg.value}_contact" for leg in scene.robot.legs]
    contacts = np.zeros((len(record.time), 4), dtype=np.bool_)
    velocity = np.zeros((len(record.time), 2))
    upright, height = (np.zeros(len(record.time)) for _ in range(2))
    for row in range(len(record.time)):
        record.restore(scene.model, data, row)
        contacts[row] = [data.sensor(leg).data[0] > 0 for leg in legs]
        matrix = data.body(scene.robot.base_body).xmat.reshape(3, 3)
        heading = np.arctan2(matrix[1, 0], matrix[0, 0])
        c, s = np.cos(heading), np.sin(heading)
        vx, vy = record.qvel[row, :2]
        velocity[row] = c * vx + s * vy, -s * vx + c * vy
        upright[row] = matrix[2, 2]
        height[row] = _height(scene.model, data, data.body(scene.robot.base_body).xpos)
    return Motion(
        dt_s=float(np.median(np.diff(record.time))),
        contacts=contacts,
        velocity=velocity,
        height=height,
        upright=upright,
    )


def course_of(record: recorder.Record, motion: Motion) -> Course:
    """Work out where a recorded quadruped and the markers around it were."""
    scene = _scene(record.scene, record.robot)
    w, x, y, z = record.qpos[:, 3:7].T
    addresses = {
        o.name: int(scene.model.joint(o.name).qposadr[0])
        for o in scene.objects
        if o.category == "marker"
    }
    return Course(
        motion=motion,
        place=record.qpos[:, :2],
        yaw=np.unwrap(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))),
        pitch=np.arcsin(np.clip(2 * (w * y - x * z), -1, 1)),
        things={name: record.qpos[:, at : at + 2] for name, at in addresses.items()},
    )


def _height(model: mujoco.MjModel, data: mujoco.MjData, at: np.ndarray) -> float:
    """Of a point above the floor, m."""
    floor = model.geom("floor")
    if floor.type[0] != mujoco.mjtGeom.mjGEOM_HFIELD:
        return float(at[2] - floor.pos[2])
    # From above: the point may be below the ground.
    above, down = at + np.array([0.0, 0.0, 1.0]), np.array([0.0, 0.0, -1.0])
    return mujoco.mj_rayHfield(model, data, floor.id, above, down) - 1.0


def _judge_motion(record: recorder.Record, goal: Goal) -> Verdict:
    if not goal.segments:
        raise ConfigError("expected at least one segment of locomotion, got none")
    if len(record.time) < 2:
        return Verdict(done=False, reason="nothing was recorded")
    motion = motion_of(record)
    if motion.fallen:
        return Verdict(done=False, reason="the robot fell")
    gaits = tuple(s for s in goal.segments if isinstance(s, Segment))
    if len(gaits) == len(goal.segments):
        count, reason = happened(motion, gaits)
    else:
        count, reason = followed(course_of(record, motion), goal.segments)
    return Verdict(done=count == len(goal.segments), reason=reason)


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge a run folder from the command line; return the exit code."""
    parser = argparse.ArgumentParser(description="Judge a recorded run by its physics state.")
    parser.add_argument("run", type=Path, help="run folder that holds physics.npz")
    parser.add_argument(
        "--instruction", type=readable, help="what was asked; read by templates, not by a model"
    )
    parser.add_argument(
        "--goal", nargs="+", default=[], help="predicates instead: in(red_cube, bowl)"
    )
    parser.add_argument("--episode", type=int, default=-1, help="which reset of the run")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.goal:
            goal = Goal(predicates=tuple(Predicate.parse(text) for text in chosen.goal))
        else:
            record = recorder.load(chosen.run, chosen.episode)
            robot = _scene(record.scene, record.robot).robot
            goal = goal_of(chosen.instruction or "", robot.kind)
        verdict = judge(chosen.run, goal, chosen.episode)
    except (FmrlError, ValueError) as error:
        _say({"done": None, "reason": str(error)})
        return CANNOT_TELL
    _say(asdict(verdict))
    return DONE if verdict.done else NOT_DONE


def _say(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    sys.exit(main())
