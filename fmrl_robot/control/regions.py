"""Where a sub-goal takes the hand: from a skill, its target and the scene to poses of the tool.

PSL's *region* is the neighbourhood of the target in which the local policy takes over. A region
names several equivalent headings of the hand (a cube looks the same every quarter turn); the motion
planner takes the nearest that is free.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.motion.kinematics import tool_down
from fmrl_robot.motion.obstacles import yaw_of_pose
from fmrl_robot.motion.servo import wrap
from fmrl_robot.types import FloatArray, Pose, Scene, SceneObject

SKILLS = ("grasp", "place", "open", "close", "press")
"""Local skills that have a region here, and so a place in the running graph."""
HOVER_M, LOW_HOVER_M = 0.09, 0.07
"""Height of the tool above its target when a transit ends: at cubes; at handle and button."""
FRONT_M, FRONT_RISE_M = 0.045, 0.015
"""Distance before and above the handle when a transit to close the drawer ends."""
HOME_YAW = np.pi / 2
"""Heading of the hand in the home pose, rad."""
FLOOR_M = {"bowl": 0.006, "bin": 0.006, "drawer": 0.014}
"""Height of a container's floor above the table."""
_HANDLE = np.array([-0.1565, 0.0, 0.021])
"""From the centre of the drawer's box to the handle's bar."""
_FINGER_REACH_M = 0.052
"""From the tool to the middle of an open finger."""
_HAND_HALF_M = (0.034, 0.105)
"""Of the hand's body, along the tool's x and y."""
_HAND_ABOVE_M = 0.030
"""The hand's body begins this high above the tool."""
_RELEASE_GAP_M = 0.002
_SPACING_M = 0.050
"""Between the centres of cubes that lie side by side."""
_DRAWER_ROOM = ((-0.030, 0.012), (-0.055, 0.055))
"""Where cubes go in the open drawer, x and y from the centre of its box."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """Where a local policy starts and what it aims at."""

    targets: FloatArray
    """Equivalent positions and headings of the tool at its target, shape (options, 4)."""
    starts: tuple[Pose, ...]
    """Where the transit may end, one for each target."""

    def without(self, yaw: float | None) -> Region:
        """Leave out the options with a heading that has just failed, where others remain."""
        if yaw is None:
            return self
        keep = np.abs(wrap(self.targets[:, 3] - yaw)) > 0.35
        if not keep.any():
            return self
        starts = tuple(s for s, kept in zip(self.starts, keep, strict=True) if kept)
        return Region(targets=self.targets[keep], starts=starts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What the hand carries."""

    name: str
    offset: FloatArray
    """Of the object's centre in the tool's frame, m, shape (3,)."""


def above(point: FloatArray, height: float) -> FloatArray:
    """Return the point ``height`` m above ``point``, shape (3,)."""
    return np.array([point[0], point[1], point[2] + height])


def find(scene: Scene | None, name: str) -> SceneObject:
    """Return the object; raises FmrlError(TARGET_NOT_SEEN) where the scene has none such."""
    item = scene.find(name) if scene is not None else None
    if item is None:
        seen = sorted(o.name for o in scene.objects) if scene is not None else []
        raise FmrlError(
            f"expected to see {name!r}, the scene has {seen!r}; bring it into view",
            ErrorCode.TARGET_NOT_SEEN,
        )
    return item


def region(skill: str, target: str, scene: Scene, held: Held | None) -> Region:
    """Return the region of ``skill`` at ``target``.

    Raises:
        FmrlError: TARGET_NOT_SEEN, or SUBGOAL_FAILED where a place has nothing to place.
    """
    if skill == "grasp":
        return _hovering(_grasp(find(scene, target), scene), HOVER_M)
    if skill == "place":
        if held is None:
            raise FmrlError(
                "expected a held object to place, the hand is empty; grasp one first",
                ErrorCode.SUBGOAL_FAILED,
            )
        return _hovering(_place(target, scene, held), HOVER_M)
    item = find(scene, target)
    if skill == "press":
        top = above(item.pose.position, item.size[2] / 2)
        headings = (HOME_YAW, HOME_YAW + 0.3, HOME_YAW - 0.3)
        return _hovering(np.array([[*top, h] for h in headings]), LOW_HOVER_M)
    handle = handle_of(item)
    if skill == "open":
        return _hovering(handle[None], LOW_HOVER_M)
    yaw = handle[3] - HOME_YAW
    before = handle[:3] + np.array([-FRONT_M * np.cos(yaw), -FRONT_M * np.sin(yaw), FRONT_RISE_M])
    return Region(targets=handle[None], starts=(tool_down(before, handle[3]),))


def handle_of(drawer: SceneObject) -> FloatArray:
    """Position of the drawer's handle and the heading that grips it, shape (4,)."""
    yaw = yaw_of_pose(drawer.pose)
    return np.array([*_to_world(drawer, _HANDLE), yaw + HOME_YAW])


def _to_world(item: SceneObject, point: FloatArray) -> FloatArray:
    yaw = yaw_of_pose(item.pose)
    c, s = np.cos(yaw), np.sin(yaw)
    x, y, z = point
    return item.pose.position + np.array([c * x - s * y, s * x + c * y, z])


def _to_local(item: SceneObject, point: FloatArray) -> FloatArray:
    yaw = yaw_of_pose(item.pose)
    c, s = np.cos(yaw), np.sin(yaw)
    x, y, z = point - item.pose.position
    return np.array([c * x + s * y, c * y - s * x, z])


def _hovering(targets: FloatArray, height: float) -> Region:
    starts = tuple(tool_down(above(t, height), t[3]) for t in targets)
    return Region(targets=targets, starts=starts)


def container_of(point: FloatArray, scene: Scene) -> SceneObject | None:
    """Return the bowl, bin or drawer whose room the point is in, or None."""
    for item in scene.objects:
        if item.category in FLOOR_M:
            local = np.abs(_to_local(item, point))
            if local[0] < item.size[0] / 2 and local[1] < item.size[1] / 2 and local[2] < 0.06:
                return item
    return None


def _quarters(yaw: float) -> FloatArray:
    """Return the four headings that grip a cube turned by ``yaw``, nearest to home first."""
    base = HOME_YAW + float(wrap(np.array(yaw - HOME_YAW), np.pi / 2))
    return base + np.array([0.0, np.pi / 2, -np.pi / 2, np.pi])


def _grasp(cube: SceneObject, scene: Scene) -> FloatArray:
    position = cube.pose.position
    around = container_of(position, scene)
    headings = _quarters(yaw_of_pose(cube.pose))
    if around is not None and around.category == "drawer":
        # Across the drawer: its front panel and the cabinet leave no room along it.
        across = np.abs(np.cos(headings - yaw_of_pose(around.pose)))
        headings = headings[across > 0.7]
    headings = _roomy(position, headings, scene, around, (cube.name,))
    return np.array([[*position, h] for h in headings])


def _roomy(
    position: FloatArray,
    headings: FloatArray,
    scene: Scene,
    around: SceneObject | None,
    without: tuple[str, ...],
) -> FloatArray:
    """Keep the headings that leave about the most room for the open fingers."""
    room = np.array([_room(position, h, scene, around, without) for h in headings])
    return headings[room >= min(0.02, float(room.max()) - 1e-6)]


def _room(
    position: FloatArray,
    heading: float,
    scene: Scene,
    around: SceneObject | None,
    without: tuple[str, ...],
) -> float:
    """Least distance from hand and open fingers to another cube or the container's wall, m."""
    along = np.array([np.sin(heading), -np.cos(heading), 0.0])
    fingers = [position + side * _FINGER_REACH_M * along for side in (-1.0, 1.0)]
    least = np.inf
    for item in scene.objects:
        if item.category != "cube" or item.name in without:
            continue
        if item.pose.position[2] + item.size[2] / 2 > position[2] + _HAND_ABOVE_M:
            least = min(least, _room_for_hand(position, heading, item))
        if item.pose.position[2] < position[2] - 0.03:
            continue
        least = min(
            least,
            *(float(np.abs(_to_local(item, p))[:2].max()) - item.size[0] / 2 for p in fingers),
        )
    if around is not None:
        for p in fingers:
            local = np.abs(_to_local(around, p))[:2]
            wall = (
                around.size[0] / 2 - np.linalg.norm(local)
                if around.category == "bowl"
                else (around.size[:2] / 2 - local).min()
            )
            least = min(least, float(wall))
    return least


def _room_for_hand(position: FloatArray, heading: float, item: SceneObject) -> float:
    """Distance from the hand's body to a thing as high as it, m; negative where they overlap."""
    dx, dy = (item.pose.position - position)[:2]
    c, s = np.cos(heading), np.sin(heading)
    apart = np.abs([c * dx + s * dy, c * dy - s * dx]) - np.array(_HAND_HALF_M)
    return float(apart.max()) - 0.7 * float(item.size[:2].max())


def _place(target: str, scene: Scene, held: Held) -> FloatArray:
    """Return where the tool has to be for the held object to rest at ``target``."""
    others = tuple(
        o for o in scene.objects if o.category == "cube" and o.name not in {held.name, target}
    )
    around = None
    if target == "table":
        goal, headings = _free_spot(scene, held.name), HOME_YAW + np.array([0.0, 0.5, -0.5])
    else:
        item = find(scene, target)
        if item.category == "cube":
            goal = above(item.pose.position, item.size[2])
            headings = _quarters(yaw_of_pose(item.pose))
        else:
            goal = _spot_in(item, others)
            headings, around = _headings_in(item), item
    headings = _roomy(goal, headings, scene, around, (held.name, target))
    rows: list[FloatArray] = []
    for heading in headings:
        c, s = np.cos(heading), np.sin(heading)
        x, y, z = held.offset
        shift = np.array([c * x + s * y, s * x - c * y, -z])
        rows.append(np.array([*above(goal - shift, _RELEASE_GAP_M), heading]))
    return np.stack(rows)


def _headings_in(item: SceneObject) -> FloatArray:
    yaw = yaw_of_pose(item.pose)
    if item.category == "drawer":
        return yaw + np.array([0.0, np.pi])
    return np.concatenate([_quarters(yaw)[:3], HOME_YAW + np.array([0.4, -0.4])])


def _spot_in(item: SceneObject, others: tuple[SceneObject, ...]) -> FloatArray:
    """Return the centre of a resting cube in a container, beside the cubes already there."""
    if item.category == "drawer":
        (x0, x1), (y0, y1) = _DRAWER_ROOM
        grid = [(x, y) for y in np.linspace(y0, y1, 5) for x in np.linspace(x0, x1, 2)]
        middle = np.array([(x0 + x1) / 2, 0.0])
    else:
        reach = 0.030 if item.category == "bowl" else 0.040
        angles = np.arange(8) * np.pi / 4
        grid = [(0.0, 0.0), *((reach * np.cos(a), reach * np.sin(a)) for a in angles)]
        middle = np.zeros(2)
    inside = [_to_local(item, o.pose.position) for o in others]
    inside = [p for p in inside if np.all(np.abs(p[:2]) < item.size[:2] / 2)]

    def crowding(spot: tuple[float, float]) -> float:
        nearest = min((float(np.linalg.norm(p[:2] - spot)) for p in inside), default=1.0)
        return max(0.0, _SPACING_M - nearest) * 10.0 + float(np.linalg.norm(spot - middle))

    best = np.array(min(grid, key=crowding))
    below = [p for p in inside if np.linalg.norm(p[:2] - best) < 0.042]
    bottom = -item.pose.position[2] + FLOOR_M[item.category]
    height = max((float(p[2]) + 0.02 for p in below), default=bottom)
    return _to_world(item, np.array([*best, height + 0.02]))


def _free_spot(scene: Scene, held: str) -> FloatArray:
    """Return the centre of a cube on the table, well away from everything."""
    best, room = np.array([0.45, 0.0]), -np.inf
    for x in np.linspace(0.36, 0.58, 8):
        for y in np.linspace(-0.22, 0.14, 10):
            point = np.array([x, y, 0.02])
            distances = [
                float(np.linalg.norm(point[:2] - o.pose.position[:2]) - o.size[:2].max() / 2)
                for o in scene.objects
                if o.name != held and o.category != "drawer"
            ]
            drawer = next((o for o in scene.objects if o.category == "drawer"), None)
            if drawer is not None:
                distances.append(abs(float(_to_local(drawer, point)[1])) - drawer.size[1] / 2)
            # Room beyond 12 cm is worth nothing; nearer to the middle of the table is better.
            here = min([*distances, 0.12]) - 0.1 * float(np.hypot(x - 0.45, y))
            if here > room:
                best, room = point[:2], here
    return np.array([*best, 0.02])
