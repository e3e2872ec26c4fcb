"""SkillEnv's true back end: the table in MuJoCo, skills by trained policies, no ROS and no clock.

It plays the tasks of the symbolic back end, seed for seed. After each skill the state is read off
the physics, so that what the robot knocked over is known; what nobody can see of a state (a drawer
that is locked) is kept beside it, and a locked drawer's slide is held fast.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np

from fmrl_robot.control.arm import ArmController
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.robots import PANDA
from fmrl_robot.safety import Gate
from fmrl_robot.skills import OPERATORS, TABLE, World
from fmrl_robot.skills.captioner import caption
from fmrl_robot.skills.domain import Act
from fmrl_robot.skills.drawing import scene_of
from fmrl_robot.skills.env import PlayedSkillEnv, SkillEnvOptions, Task
from fmrl_robot.skills.env.table import RELATIONS
from fmrl_robot.skills.env.tasks import TaskSource
from fmrl_robot.skills.tabletop import TABLETOP
from fmrl_robot.types import Image, Predicate, SubGoal, SubGoalKind
from fmrl_sim.body import MujocoBody
from fmrl_sim.lockstep import Loop, NoisyTruth
from fmrl_sim.render import SceneRenderer
from fmrl_sim.scenes.base import SceneModel, SceneOptions
from fmrl_sim.scenes.tabletop import build

CAMERA = "front"
REST_S = 0.5
"""Between a skill's end and the look at what came of it: what was let go of falls."""
GRASPS = 3
"""Tries to begin with a thing in the hand, where a task does."""
_DRAWER_JOINT = "drawer_slide"


def mujoco_env(
    tasks: TaskSource, num_envs: int = 1, options: SkillEnvOptions | None = None
) -> PlayedSkillEnv:
    """Make a SkillEnv of the table with physics; worlds are stepped in turn.

    Raises:
        ConfigError: CAPABILITY_MISSING, ``options.moved``: nobody walks about in the physics.
    """
    if options is not None and options.moved:
        raise ConfigError(
            f"expected moved=0 of the mujoco back end, got {options.moved!r}; use the symbolic one",
            ErrorCode.CAPABILITY_MISSING,
        )
    scene = build()
    return PlayedSkillEnv(tasks, lambda: MujocoStage(scene), num_envs, options)


class MujocoStage:
    """One simulated table with its arm."""

    def __init__(self, scene: SceneModel) -> None:
        self._scene = scene
        self._renderer: SceneRenderer | None = None
        self._loop: Loop | None = None
        self._task_name: Mapping[str, str] = {}
        self._things: Mapping[str, str] = {}

    def begin(self, task: Task, rng: random.Random) -> World:
        """See Stage."""
        seed = rng.randrange(2**31)
        self._things = task.start.things
        self._task_name = _renamed(self._things)
        gate = Gate(self._scene.robot)
        body = MujocoBody(
            self._scene, gate, seed=seed, options=_options(task.start, _inverse(self._task_name))
        )
        controller = ArmController(PANDA, plan_inline=True)
        self._loop = Loop(body, gate, controller, NoisyTruth(seed))
        self._loop.idle(0.2)
        world = task.start.copy()
        held = task.start.held
        if held is not None:
            world.bits &= ~world.domain.bit(Predicate("held", (held,)))
            world.bits |= world.domain.bit(Predicate("on", (held, TABLE)))
            for _ in range(GRASPS):
                if self.do(world.act("grasp", held), world, rng)[0]:
                    break
        self._latch(world)
        return world

    def do(self, act: Act, world: World, rng: random.Random) -> tuple[bool, float]:
        """See Stage."""
        del rng
        loop = self._running()
        began = loop.body.now
        loop.execute(self._subgoal(act))
        loop.idle(REST_S)
        self._look(world, act)
        return world.holds(act.ends), loop.body.now - began

    def disturb(self, world: World, rng: random.Random) -> None:
        """Never asked; see mujoco_env."""
        raise AssertionError(f"nobody moves anything in {world.facts()!r}, {rng!r}")

    def picture(self) -> Image:
        """See Stage; RGB uint8, shape (height, width, 3)."""
        if self._renderer is None:
            self._renderer = SceneRenderer(self._scene.model)
        return self._renderer.rgb(self._running().body.data, CAMERA)

    def _running(self) -> Loop:
        if self._loop is None:
            raise AssertionError("reset the environment first")
        return self._loop

    def _subgoal(self, act: Act) -> SubGoal:
        """The step as the controller is asked for it, in the names of the simulated scene."""
        names = _inverse(self._task_name)
        ends = Predicate(act.ends.name, tuple(names.get(a, a) for a in act.ends.args))
        return SubGoal(
            id=f"{act.name} {act.target}",
            kind=SubGoalKind.REGION,
            skill=act.name,
            target=names.get(act.target, act.target),
            termination=ends,
            text=caption(ends),
        )

    def _look(self, world: World, act: Act) -> None:
        """Bring the symbolic state up to date with the physics."""
        whole, body = world.domain, self._running().body
        facts = [
            Predicate(f.name, tuple(self._task_name.get(a, a) for a in f.args))
            for f in body.facts()
        ]
        seen = World.made(self._things, facts, OPERATORS["arm"], RELATIONS)
        kept = world.bits & (whole.mask("far(Any)", {}) | whole.mask("locked(Any)", {}))
        if world.bits & whole.bit(act.ends) == 0 and seen.holds(act.ends):
            # What a skill does beyond the facts that can be seen: a pressed button unlocks.
            kept &= act.after(world.bits)
        world.bits = seen.bits | kept
        self._latch(world)

    def _latch(self, world: World) -> None:
        """Hold a locked drawer's slide fast, and no other."""
        locked = bool(world.bits & world.domain.mask("locked(Any)", {}))
        model, free = self._running().body.model, self._scene.model
        joint = free.joint(_DRAWER_JOINT).id
        model.jnt_range[joint] = np.zeros(2) if locked else free.jnt_range[joint]


def _renamed(things: Mapping[str, str]) -> dict[str, str]:
    """What a task calls the things of the simulated scene: the first cube is its first cube.

    Raises:
        ConfigError: the scene lacks a thing of that category.
    """
    spare = dict(TABLETOP)
    found: dict[str, str] = {}
    for name, category in things.items():
        if category == TABLE:
            continue
        own = next((n for n, kind in spare.items() if kind == category), None)
        if own is None:
            raise ConfigError(
                f"expected at most the things of the tabletop, {', '.join(TABLETOP)}, got "
                f"{', '.join(things)}",
                ErrorCode.OBJECT_UNKNOWN,
            )
        del spare[own]
        found[own] = name
    return found


def _inverse(names: Mapping[str, str]) -> dict[str, str]:
    return {b: a for a, b in names.items()}


def _options(start: World, names: Mapping[str, str]) -> SceneOptions:
    """The start of a task as the simulated scene is told it."""
    at = [(c, start.below(c)) for c in start.movable if start.below(c) not in (TABLE, "")]
    pressed = any(f.name == "pressed" for f in start.facts())
    far = [f.args[0] for f in scene_of(start).predicates if f.name == "far"]
    return SceneOptions(
        at=tuple((names[c], names[p]) for c, p in at),
        drawer_open=any(map(start.is_open, start.domain.of_category("drawer"))),
        pressed=pressed,
        far=tuple(names[c] for c in far),
    )
