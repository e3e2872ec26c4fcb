"""What is true in the simulated world, from the physics state alone; it only judges.

Thresholds are geometric: ``in`` means that a cube's centre lies inside the container's room below
its rim, ``on`` that it rests, in contact, on what is named. What the gripper holds is neither in
nor on anything.
"""

from __future__ import annotations

from itertools import permutations

import mujoco
import numpy as np

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.types import SAYTAP_LEGS, Predicate
from fmrl_sim.scenes import furniture as f
from fmrl_sim.scenes.base import SceneModel

CUBES = tuple(f.CUBE_COLORS)
"""The cubes of *tabletop*; a scene of your own may have others."""
CONTAINERS = ("bowl", "bin", "drawer")
"""Categories of things that other things can be in."""
OPEN_M, CLOSED_M = 0.10, 0.02
"""The drawer is open beyond the one and closed below the other; between, it is neither."""
PRESSED_M = 0.6 * f.BUTTON_TRAVEL_M
NEAR_M = 0.6
"""Between the quadruped's base and a marker's centre."""
WIDE_M, SHUT_M = 0.06, 0.015
"""Width of the gripper from which it is open, and below which it is closed."""
ABOVE_CUBE_M, ABOVE_M = 0.03, 0.06
"""How far aside the tool may be and still be above a cube; above a bowl or a bin."""
ABOVE_LOW_M, ABOVE_HIGH_M = 0.03, 0.30
ON_ASIDE_M, ON_HEIGHT_M = 0.032, 0.006
_BOWL_EDGE_M = 0.012
_DRAWER_RIM_M = 0.076
_RIM_SLACK_M = 0.016
"""How far a cube's centre may stand above the rim: one that lies on others is still inside."""


def button_pressed(model: mujoco.MjModel, data: mujoco.MjData) -> bool:
    """Whether the button has been pushed down; it stays so until the scene is reset."""
    address = model.joint("button_slide").qposadr[0]
    return bool(data.qpos[address] > PRESSED_M)


class GroundTruth:
    """Reads facts off the state of one scene. Call ``mj_forward`` first on a state just set."""

    def __init__(self, scene: SceneModel) -> None:
        self._model = scene.model
        self._robot = scene.robot
        self._arm = scene.robot.kind == "arm"
        self._cubes = self._named(scene, "cube")
        self._markers = self._named(scene, "marker")
        self._containers = {o.name: o for o in scene.objects if o.category in CONTAINERS}
        self._drawers, self._buttons = self._named(scene, "drawer"), self._named(scene, "button")
        self._vocabulary = self._all_predicates()

    @staticmethod
    def _named(scene: SceneModel, category: str) -> tuple[str, ...]:
        return tuple(o.name for o in scene.objects if o.category == category)

    @property
    def vocabulary(self) -> tuple[Predicate, ...]:
        """Every fact that can hold in this scene."""
        return self._vocabulary

    def facts(self, data: mujoco.MjData) -> frozenset[Predicate]:
        """Return the facts that hold; what is absent is false."""
        touching = self._touching(data)
        return frozenset(p for p in self._vocabulary if self._true(p, data, touching))

    def holds(self, predicate: Predicate, data: mujoco.MjData) -> bool:
        """Return whether ``predicate`` (with its sign) is true.

        Raises:
            ConfigError: the scene has no such fact.
        """
        plain = Predicate(predicate.name, predicate.args)
        if plain not in self._vocabulary:
            raise ConfigError(
                f"expected a fact of this scene, such as {self._vocabulary[0]}, got {predicate}",
                ErrorCode.OBJECT_UNKNOWN,
            )
        return self._true(plain, data, self._touching(data)) == predicate.value

    def gripper_facts(self, data: mujoco.MjData) -> frozenset[Predicate]:
        """Return what a camera may tell of the gripper beyond ``vocabulary``: open, closed, above.

        ``open(gripper)`` and ``closed(gripper)`` are by its width; ``above(gripper, thing)`` says
        that the tool is over the middle of a cube, bowl or bin, within ABOVE_M.
        """
        width = data.joint("finger_joint1").qpos[0] + data.joint("finger_joint2").qpos[0]
        found = {Predicate("open", ("gripper",))} if width > WIDE_M else set[Predicate]()
        if width < SHUT_M:
            found.add(Predicate("closed", ("gripper",)))
        tool, touching = data.site("tcp").xpos, self._touching(data)
        for thing in (*self._cubes, *self._containers):
            apart = tool - data.body(thing).xpos
            aside = ABOVE_CUBE_M if thing in self._cubes else ABOVE_M
            over = ABOVE_LOW_M < apart[2] < ABOVE_HIGH_M and np.linalg.norm(apart[:2]) < aside
            if over and not self._held(thing, touching):
                found.add(Predicate("above", ("gripper", thing)))
        return frozenset(found)

    def _all_predicates(self) -> tuple[Predicate, ...]:
        if not self._arm:
            return (
                *(Predicate("near", ("robot", marker)) for marker in self._markers),
                *(Predicate("contact", (leg.value,)) for leg in SAYTAP_LEGS),
            )
        cubes, places = self._cubes, tuple(self._containers)
        return (
            *(Predicate("on", pair) for pair in permutations(cubes, 2)),
            *(Predicate("on", (cube, "table")) for cube in cubes),
            *(Predicate("in", (cube, place)) for cube in cubes for place in places),
            *(Predicate("held", (cube,)) for cube in cubes),
            *(Predicate("clear", (thing,)) for thing in (*cubes, *places)),
            Predicate("hand_empty"),
            *(Predicate(name, (d,)) for d in self._drawers for name in ("open", "closed")),
            *(Predicate("pressed", (button,)) for button in self._buttons),
        )

    def _touching(self, data: mujoco.MjData) -> frozenset[tuple[str, str]]:
        """Pairs of names in contact, both ways round: geoms' names where they have one."""
        pairs: set[tuple[str, str]] = set()
        for contact in data.contact[: data.ncon]:
            if contact.dist > 0.001:
                continue
            one, two = (self._model.geom(int(g)).name for g in contact.geom)
            pairs |= {(one, two), (two, one)}
        return frozenset(pairs)

    def _true(
        self, predicate: Predicate, data: mujoco.MjData, touching: frozenset[tuple[str, str]]
    ) -> bool:
        match predicate.name, predicate.args:
            case "held", (cube,):
                return self._held(cube, touching)
            case "hand_empty", ():
                return not any(self._held(cube, touching) for cube in self._cubes)
            case "on", (cube, support):
                return not self._held(cube, touching) and self._on(cube, support, data, touching)
            case "in", (cube, place):
                return not self._held(cube, touching) and self._inside(cube, place, data)
            case "clear", (thing,):
                return not any(
                    self._on(cube, thing, data, touching)
                    if thing in self._cubes
                    else self._inside(cube, thing, data)
                    for cube in self._cubes
                    if cube != thing
                )
            case "open", _:
                return bool(data.joint("drawer_slide").qpos[0] > OPEN_M)
            case "closed", _:
                return bool(data.joint("drawer_slide").qpos[0] < CLOSED_M)
            case "pressed", _:
                return button_pressed(self._model, data)
            case "near", (_, marker):
                apart = data.body(self._robot.base_body).xpos - data.body(marker).xpos
                return bool(np.linalg.norm(apart[:2]) < NEAR_M)
            case "contact", (leg,):
                return bool(data.sensor(f"{leg}_contact").data[0] > 0)
            case _:
                raise ConfigError(f"expected a known predicate, got {predicate}")

    @staticmethod
    def _held(cube: str, touching: frozenset[tuple[str, str]]) -> bool:
        return all((cube, f"{side}_finger_pad") in touching for side in ("left", "right"))

    @staticmethod
    def _on(
        cube: str, support: str, data: mujoco.MjData, touching: frozenset[tuple[str, str]]
    ) -> bool:
        if (cube, support) not in touching:
            return False
        if support == "table":
            return True
        apart = data.body(cube).xpos - data.body(support).xpos
        return bool(
            np.linalg.norm(apart[:2]) < ON_ASIDE_M
            and abs(apart[2] - 2 * f.CUBE_HALF_M) < ON_HEIGHT_M
        )

    def _inside(self, cube: str, place: str, data: mujoco.MjData) -> bool:
        body, container = data.body(place), self._containers[place]
        x, y, z = body.xmat.reshape(3, 3).T @ (data.body(cube).xpos - body.xpos)
        half = container.size[0] / 2
        below_rim = 0.0 < z < container.size[2] + _RIM_SLACK_M
        if container.category == "bowl":
            return bool(below_rim and np.hypot(x, y) < half - _BOWL_EDGE_M)
        if container.category == "bin":
            return bool(below_rim and max(abs(x), abs(y)) < half - f.WALL_M)
        return bool(0.0 < x < f.DRAWER_LENGTH_M and abs(y) < 0.1 and 0.0 < z < _DRAWER_RIM_M)
