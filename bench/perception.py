"""How well the camera sees the table: pose errors and agreement of facts over many seeds.

``python bench/perception.py [seeds]``. Each seed is looked at in one of six arrangements; the truth
is the simulator's.
"""

import sys

import numpy as np

from fmrl_robot.perception import CameraView, Proprioception, perceiver_for
from fmrl_robot.registry import SCENES
from fmrl_robot.robots import PANDA
from fmrl_robot.safety import Gate
from fmrl_sim.body import MujocoBody
from fmrl_sim.render import SceneRenderer, intrinsics, optical_pose
from fmrl_sim.scenes.base import SceneOptions
from fmrl_sim.true_scene import true_scene

SIZE = 224
ARRANGEMENTS = (
    SceneOptions(),
    SceneOptions(drawer_open=True),
    SceneOptions(at=(("red_cube", "bowl"), ("blue_cube", "bin"))),
    SceneOptions(at=(("red_cube", "blue_cube"),)),
    SceneOptions(drawer_open=True, at=(("green_cube", "drawer"),)),
    SceneOptions(pressed=True),
)


def look(body: MujocoBody, renderer: SceneRenderer) -> CameraView:
    """Take one picture with the camera's pose."""
    frame = renderer.frame(body.data, "front")
    position, rotation = optical_pose(body.data, "front")
    return CameraView(
        rgb=frame.rgb,
        depth=frame.depth,
        intrinsics=intrinsics(body.model, "front", SIZE, SIZE),
        rotation_to_world=rotation,
        position_in_world=position,
    )


def yaw_error(seen: np.ndarray, true: np.ndarray) -> float:
    """Difference of two upright orientations wxyz of a cube, degrees, up to quarter turns."""
    turn = 2 * (np.arctan2(seen[3], seen[0]) - np.arctan2(true[3], true[0]))
    return abs(np.degrees((turn + np.pi / 4) % (np.pi / 2) - np.pi / 4))


def main(seeds: int = 100) -> None:
    """Measure and print."""
    body = MujocoBody(SCENES.load("tabletop")("panda"), Gate(PANDA))
    renderer = SceneRenderer(body.model, SIZE, SIZE)
    cubes, yaws, furniture, agree, facts = [], [], [], 0, 0
    for seed in range(seeds):
        body.reset(seed, ARRANGEMENTS[seed % len(ARRANGEMENTS)])
        for _ in range(50):
            body.tick()
        robot = Proprioception(q=PANDA.default, tool=np.array([0.3, 0.0, 0.5]))
        seen = perceiver_for(PANDA).look(look(body, renderer), robot, body.now)
        truth = true_scene(body)
        named = seen.predicates | truth.predicates
        facts += len(named)
        agree += len(seen.predicates & truth.predicates)
        for thing in truth.objects:
            found = seen.find(thing.name)
            error = np.inf
            if found is not None:
                error = 1e3 * np.linalg.norm(found.pose.position - thing.pose.position)
            (cubes if thing.category == "cube" else furniture).append(error)
            if thing.category == "cube" and found is not None:
                yaws.append(yaw_error(found.pose.quaternion, thing.pose.quaternion))
    for name, values, unit in (
        ("cube position", cubes, "mm"),
        ("cube yaw", yaws, "deg"),
        ("furniture position", furniture, "mm"),
    ):
        p50, p95 = np.percentile(values, (50, 95))
        print(f"{name}: p50={p50:.2f} p95={p95:.2f} max={max(values):.2f} {unit} n={len(values)}")
    print(f"facts: {agree} of {facts} agree ({100 * agree / facts:.2f} %)")


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:]))
