"""Where local skills begin: regions drawn all over the table, the hand near them.

Starts are drawn once into a pool, because inverse kinematics is the slow part; an environment that
resets takes one at random and draws fresh estimation noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from fmrl_robot.control.local_skill import SKILLS
from fmrl_robot.motion.kinematics import ArmKinematics, Unreachable, tool_down
from fmrl_robot.motion.servo import wrap
from fmrl_robot.robots import PANDA
from fmrl_robot.types import FloatArray
from fmrl_sim.scenes import furniture as f
from fmrl_sim.scenes import peg as p
from fmrl_sim.tasks.panda_model import BASE, CUBE, NEEDS, PEG, parked

HOVER_M = 0.09
"""Height of the hand above the target when a transit ends."""
FRONT_M = 0.045
"""Distance of the closed fingers before the handle when a transit to close it ends."""
HOME_YAW_RAD = np.pi / 2
HOLDING_M = {"place": f.CUBE_HALF_M, "insert": p.PEG_HALF_M}
"""Finger position around what a skill starts with in the hand."""
BEHIND_M = f.CUBE_HALF_M + 0.0105
"""From a cube's centre to the tool that touches it with half open fingers, pushing along x."""
RUN_UP_M = 0.045
"""Free way of a push before it meets the cube, so that a turned cube's corner is free too."""
PUSH_M = (0.05, 0.15)
FAR_RAD = 0.9
"""A joint that had to turn farther from start to target would take the arm through another pose."""
_AREA = ((0.28, 0.64), (-0.36, 0.34))


@dataclass(frozen=True, kw_only=True, slots=True)
class Starts:
    """A pool of p initial states."""

    qpos: FloatArray
    """Shape (p, nq)."""
    mocap_pos: FloatArray
    """Shape (p, nmocap, 3)."""
    mocap_quat: FloatArray
    """wxyz, shape (p, nmocap, 4)."""
    q: FloatArray
    """Commanded joints, shape (p, 8)."""
    target: FloatArray
    """True position and heading of where the tool belongs, shape (p, 4)."""
    goal: FloatArray
    """Where the thing has to end (place, push, insert), else where it is, shape (p, 3)."""
    support: FloatArray
    """1 where the thing must rest on another cube, shape (p,)."""


class _Draft:
    """One start in the making."""

    def __init__(self, model: mujoco.MjModel, rng: np.random.Generator) -> None:
        self.model, self.rng = model, rng
        self.qpos, self.mocap_pos, self.mocap_quat = parked(model)
        self.goal, self.support = np.zeros(3), 0.0
        self.hand: FloatArray | None = None
        """Where a transit leaves the tool (x, y, z, heading); None: see hand_start."""

    def cube(self, name: str, position: FloatArray, yaw: float) -> None:
        address = self.model.joint(name).qposadr[0]
        self.qpos[address : address + 3] = position
        self.qpos[address + 3 : address + 7] = np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)

    def fixture(self, name: str, x: float, y: float, yaw: float) -> None:
        i = self.model.body(name).mocapid[0]
        self.mocap_pos[i] = x, y, 0.0
        self.mocap_quat[i] = np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)

    def slide(self, joint: str, value: float) -> None:
        self.qpos[self.model.joint(joint).qposadr[0]] = value

    def spot(self) -> FloatArray:
        (x0, x1), (y0, y1) = _AREA
        return np.array([self.rng.uniform(x0, x1), self.rng.uniform(y0, y1)])

    def cabinet(self, opening: float) -> tuple[FloatArray, float]:
        """Stand the cabinet, its drawer open by ``opening``; return the drawer's origin and yaw."""
        x, y = self.rng.uniform(0.57, 0.64), self.rng.uniform(0.20, 0.32)
        yaw = self.rng.uniform(-0.14, 0.14)
        self.fixture("cabinet", x, y, yaw)
        self.slide("drawer_slide", opening)
        out = np.array([np.cos(yaw), np.sin(yaw)])
        return np.array([x, y]) - opening * out, yaw

    def container(self) -> tuple[FloatArray, float, str]:
        """Stand bowl, bin or drawer; return a point in it, the roomiest heading and its kind."""
        kind = str(self.rng.choice(["bowl", "bin", "drawer"]))
        if kind == "drawer":
            origin, yaw = self.cabinet(self.rng.uniform(0.13, f.DRAWER_TRAVEL_M))
            room = 0.04
            along, across = self.rng.uniform(-0.025, 0.015), self.rng.uniform(-room, room)
            c, s = np.cos(yaw), np.sin(yaw)
            shift = f.DRAWER_ROOM_X_M + along
            x, y = origin + np.array([c * shift - s * across, s * shift + c * across])
            return np.array([x, y, f.DRAWER_FLOOR_M]), yaw, kind
        x, y = self.spot()
        yaw = self.rng.uniform(-0.25, 0.25)
        self.fixture(kind, x, y, yaw)
        reach = 0.022 if kind == "bowl" else 0.035
        a, b = self.rng.uniform(-reach, reach, 2)
        c, s = np.cos(yaw), np.sin(yaw)
        point = np.array([x + c * a - s * b, y + s * a + c * b, f.BOWL_FLOOR_M])
        # Fingers open along the axis on which the walls are farther away.
        prefer = yaw if abs(b) < abs(a) else yaw + np.pi / 2
        return point, prefer, kind


def nearest_quarter(yaw: float, wanted: float) -> float:
    """Return the heading equal to ``yaw`` up to quarter turns that is closest to ``wanted``."""
    return wanted + float(wrap(np.array(yaw - wanted), np.pi / 2))


def _resting_place(draft: _Draft) -> tuple[FloatArray, float, float]:
    """Draw where a cube may stand: (centre, yaw, heading the hand should prefer)."""
    rng, half = draft.rng, f.CUBE_HALF_M
    yaw, prefer = rng.uniform(-np.pi, np.pi), HOME_YAW_RAD
    context = rng.uniform()
    if context < 0.4:
        point, prefer, _ = draft.container()
        return point + np.array([0.0, 0.0, half]), yaw, prefer
    spot = draft.spot()
    height = half
    if context < 0.55:
        draft.cube(BASE, np.array([*spot, half]), yaw + rng.uniform(-0.2, 0.2))
        height = 3 * half
    elif context < 0.8:
        angle, away = rng.uniform(-np.pi, np.pi), rng.uniform(0.085, 0.13)
        beside = spot + away * np.array([np.cos(angle), np.sin(angle)])
        draft.cube(BASE, np.array([*beside, half]), rng.uniform(-np.pi, np.pi))
    return np.array([*spot, height]), yaw, prefer


def _grasp(draft: _Draft) -> FloatArray:
    position, yaw, prefer = _resting_place(draft)
    draft.cube(CUBE, position, yaw)
    draft.goal = position
    return np.array([*position, nearest_quarter(yaw, prefer)])


def _place(draft: _Draft) -> FloatArray:
    rng, half = draft.rng, f.CUBE_HALF_M
    context = rng.uniform()
    if context < 0.4:
        floor, prefer, _ = draft.container()
        goal, yaw = floor + np.array([0.0, 0.0, half]), prefer + rng.uniform(-0.3, 0.3)
    elif context < 0.85:
        spot, turn = draft.spot(), rng.uniform(-np.pi, np.pi)
        goal = np.array([*spot, 3 * half])
        draft.cube(BASE, np.array([*spot, half]), turn)
        draft.support = 1.0
        yaw = nearest_quarter(turn, HOME_YAW_RAD)
    else:
        goal = np.array([*draft.spot(), half])
        yaw = HOME_YAW_RAD + rng.uniform(-0.5, 0.5)
    draft.goal = goal
    return np.array([*goal, yaw])


def _handle(origin: FloatArray, yaw: float) -> FloatArray:
    out = np.array([np.cos(yaw), np.sin(yaw)])
    return np.array([*(origin + f.HANDLE_X_M * out), f.HANDLE_Z_M, yaw + HOME_YAW_RAD])


def _open(draft: _Draft) -> FloatArray:
    return _handle(*draft.cabinet(draft.rng.choice([0.0, draft.rng.uniform(0.0, 0.06)])))


def _close(draft: _Draft) -> FloatArray:
    opening = draft.rng.uniform(0.08, f.DRAWER_TRAVEL_M) if draft.rng.uniform() < 0.4 else 0.16
    return _handle(*draft.cabinet(opening))


def _press(draft: _Draft) -> FloatArray:
    x, y = draft.spot()
    draft.fixture("button", x, y, draft.rng.uniform(-0.25, 0.25))
    return np.array([x, y, f.BUTTON_TOP_M, HOME_YAW_RAD + draft.rng.uniform(-0.3, 0.3)])


def _push(draft: _Draft) -> FloatArray:
    rng, half = draft.rng, f.CUBE_HALF_M
    (x0, x1), (y0, y1) = _AREA
    while True:
        spot, heading = draft.spot(), rng.uniform(-np.pi, np.pi)
        out = np.array([np.cos(heading), np.sin(heading)])
        end = spot + rng.uniform(*PUSH_M) * out
        if x0 < end[0] < x1 and y0 < end[1] < y1:
            break
    draft.cube(CUBE, np.array([*spot, half]), heading + rng.uniform(-np.pi / 4, np.pi / 4))
    draft.goal = np.array([*end, half])
    draft.hand = np.array([*(spot - (BEHIND_M + RUN_UP_M) * out), half, heading])
    return np.array([*(end - BEHIND_M * out), half, heading])


def _insert(draft: _Draft) -> FloatArray:
    spot, turn = draft.spot(), draft.rng.uniform(-np.pi, np.pi)
    draft.fixture("socket", spot[0], spot[1], turn)
    draft.goal = np.array([*spot, p.SOCKET_FLOOR_M + p.PIN_LENGTH_M / 2])
    yaw = nearest_quarter(turn, HOME_YAW_RAD)
    return np.array([*spot, p.SOCKET_FLOOR_M + p.PEG_GRIP_M, yaw])


_DRAW = {
    "grasp": _grasp,
    "place": _place,
    "insert": _insert,
    "push": _push,
    "open": _open,
    "close": _close,
    "press": _press,
}


def hand_start(skill: str, target: FloatArray) -> FloatArray:
    """Where a transit leaves the tool for ``target`` (x, y, z, heading), same shape."""
    start = np.array(target)
    if skill == "close":
        yaw = target[..., 3] - HOME_YAW_RAD
        start[..., 0] -= FRONT_M * np.cos(yaw)
        start[..., 1] -= FRONT_M * np.sin(yaw)
        start[..., 2] += 0.01
    elif skill in {"open", "press"}:
        start[..., 2] += 0.07
    else:
        start[..., 2] += HOVER_M
    return start


def draw_starts(
    model: mujoco.MjModel,
    skill: str,
    count: int,
    rng: np.random.Generator,
    spread_m: float = 0.010,
) -> Starts:
    """Draw a pool of ``count`` reachable starts, the hand off its place by ``spread_m`` (std)."""
    kinematics = ArmKinematics(PANDA)
    rows: list[tuple[FloatArray, ...]] = []
    while len(rows) < count:
        draft = _Draft(model, rng)
        target = _DRAW[skill](draft)
        hand = hand_start(skill, target) if draft.hand is None else draft.hand
        hand[:2] += rng.normal(0.0, spread_m, 2)
        hand[2] += rng.normal(0.0, 0.010) if skill != "close" else rng.uniform(0.0, 0.02)
        hand[3] += rng.normal(0.0, 0.08)
        guess = PANDA.default.copy()
        guess[-1] = 0.0 if SKILLS[skill].starts_closed else SKILLS[skill].open_m
        guess[-1] = HOLDING_M.get(skill, guess[-1])
        try:
            q = kinematics.solve(tool_down(hand[:3], hand[3]), guess)
            end = kinematics.solve(tool_down(target[:3], target[3]), q)
        except Unreachable:
            continue
        if np.abs(end - q)[:7].max() > FAR_RAD:
            continue
        for name, value in zip(PANDA.model_joints, q, strict=True):
            draft.qpos[model.joint(name).qposadr[0]] = value
        draft.qpos[model.joint("finger_joint2").qposadr[0]] = q[-1]
        if skill in HOLDING_M:
            _into_hand(draft, NEEDS[skill][0], kinematics.tool(q), target)
        rows.append(
            (
                draft.qpos,
                draft.mocap_pos,
                draft.mocap_quat,
                q,
                target,
                draft.goal,
                np.array(draft.support),
            )
        )
    stacked = [np.stack(column) for column in zip(*rows, strict=True)]
    names = ("qpos", "mocap_pos", "mocap_quat", "q", "target", "goal", "support")
    return Starts(**dict(zip(names, stacked, strict=True)))


def _into_hand(
    draft: _Draft, thing: str, tool: tuple[FloatArray, FloatArray], target: FloatArray
) -> None:
    """Put a thing between the fingers, off centre, and move the target by that offset."""
    position, rotation = tool
    # Fingers stand on a peg's collar, or a little above it.
    low, high = (0.0, 0.003) if thing == PEG else (-0.006, 0.006)
    offset = np.array([draft.rng.normal(0.0, 0.004), 0.0, draft.rng.uniform(low, high)])
    hangs = np.array([0.0, 0.0, p.PEG_GRIP_M - p.PIN_LENGTH_M / 2 if thing == PEG else 0.0])
    address = draft.model.joint(thing).qposadr[0]
    draft.qpos[address : address + 3] = position + rotation @ (offset + hangs)
    quat = np.zeros(4)
    # The tool's z axis points down, the thing's up.
    mujoco.mju_mat2Quat(quat, (rotation @ np.diag([1.0, -1.0, -1.0])).reshape(-1))
    draft.qpos[address + 3 : address + 7] = quat
    c, s = np.cos(target[3]), np.sin(target[3])
    target[:3] -= np.array([c * offset[0], s * offset[0], -offset[2]])
