"""Poses and facts of the tabletop from one colour and depth picture."""

from __future__ import annotations

import cv2
import numpy as np

from fmrl_robot.perception.camera import CameraView
from fmrl_robot.perception.colors import blobs, mask_of, to_hsv
from fmrl_robot.perception.cubes import COLORS, HALF, CubeTrack, look_for_cube
from fmrl_robot.perception.facts import HOLDING_M, IN_HAND_M, facts_of, inside
from fmrl_robot.perception.perceiver import Proprioception
from fmrl_robot.types import FloatArray, Pose, Scene, SceneObject

BOWL_SIZE = np.array([0.180, 0.180, 0.050])
BIN_SIZE = np.array([0.160, 0.160, 0.050])
BUTTON_SIZE = np.array([0.090, 0.090, 0.046])
DRAWER_SIZE = np.array([0.197, 0.236, 0.072])
CABINET_TOP_M, CABINET_SIZE_M = 0.080, (0.215, 0.240)
_DRAWER_CENTRE_M = (0.0865, 0.041)
"""From the drawer's frame to the centre of its box: along x, and up."""
_PANEL_M = 0.012
_LEAST_POINTS = 25
_MOVED_M = 0.02
_SMOOTHING = 0.2


class TabletopPerceiver:
    """Remembers what it saw: things that are hidden stay where they were."""

    def __init__(self) -> None:
        self._cubes: dict[str, CubeTrack] = {}
        self._fixed: dict[str, FloatArray] = {}
        """x, y, yaw of what stands fast: bowl, bin, button, cabinet."""
        self._opening_m = 0.0
        self._cap_top_m = float(BUTTON_SIZE[2])
        self._held: str | None = None
        self._riding: dict[str, FloatArray] = {}
        """Cubes in the drawer, in its frame: they ride along when it shuts."""

    def look(self, view: CameraView, robot: Proprioception, stamp_s: float) -> Scene:
        """Look once."""
        hsv = to_hsv(view.rgb)
        self._look_for_furniture(view, hsv)
        for color in COLORS:
            name = f"{color}_cube"
            track = look_for_cube(view, blobs(mask_of(hsv, color)), self._cubes.get(name), stamp_s)
            if track is not None:
                self._cubes[name] = track
        self._feel(robot)
        objects = self._objects(stamp_s)
        self._ride(objects)
        return Scene(
            stamp_s=stamp_s,
            objects=tuple(objects.values()),
            predicates=facts_of(
                objects,
                held=self._held,
                opening_m=self._opening_m,
                cap_top_m=self._cap_top_m,
            ),
            caption=f"a table with {', '.join(o.replace('_', ' ') for o in objects)}",
            source="camera",
        )

    # --- what stands fast -------------------------------------------------------------------------

    def _look_for_furniture(self, view: CameraView, hsv: np.ndarray) -> None:
        bowl = _points(view, hsv, "teal")
        rim = bowl[(bowl[:, 2] > 0.040) & (bowl[:, 2] < 0.056)]
        if len(rim) > _LEAST_POINTS:
            self._settle("bowl", np.array([*_circle(rim[:, :2], 0.088), 0.0]))
        bin_ = _points(view, hsv, "orange")
        rim = bin_[(bin_[:, 2] > 0.044) & (bin_[:, 2] < 0.056)]
        if len(rim) > _LEAST_POINTS:
            self._settle("bin", _square(rim[:, :2], BIN_SIZE[0]))
        cap = _points(view, hsv, "magenta")
        cap = cap[(cap[:, 2] > 0.026) & (cap[:, 2] < 0.052)]
        if len(cap) > _LEAST_POINTS:
            self._cap_top_m = float(np.percentile(cap[:, 2], 75))
            top = cap[cap[:, 2] > self._cap_top_m - 0.004, :2]
            self._settle("button", np.array([*(top.min(axis=0) + top.max(axis=0)) / 2, 0.0]))
        self._look_for_drawer(view, hsv)

    def _look_for_drawer(self, view: CameraView, hsv: np.ndarray) -> None:
        pale = (hsv[..., 1] < 60) & (hsv[..., 2] > 90)
        points = view.points_of(pale)
        lid = points[np.abs(points[:, 2] - CABINET_TOP_M) < 0.004]
        lid = lid[(lid[:, 0] > 0.45) & (lid[:, 1] > 0.0)]
        if len(lid) > 8 * _LEAST_POINTS:
            self._settle("cabinet", _rectangle(lid[:, :2]))
        if "cabinet" not in self._fixed:
            return
        purple = _points(view, hsv, "purple")
        local = _to_frame(purple[:, :2], self._fixed["cabinet"])
        panel = local[(purple[:, 2] > 0.062) & (np.abs(local[:, 1]) < 0.125), 0]
        panel = panel[(panel > -0.20) & (panel < 0.03)]
        if len(panel) > 8:
            self._opening_m = float(np.clip(-np.percentile(panel, 5) - _PANEL_M, 0.0, 0.16))

    def _settle(self, name: str, seen: FloatArray) -> None:
        """Average what stands fast; begin anew where it has plainly been moved."""
        known = self._fixed.get(name)
        if known is None or np.linalg.norm(seen[:2] - known[:2]) > _MOVED_M:
            self._fixed[name] = seen
        else:
            self._fixed[name] = known + _SMOOTHING * (seen - known)

    # --- the hand ---------------------------------------------------------------------------------

    def _feel(self, robot: Proprioception) -> None:
        """Decide what is held from the fingers and from what is near them."""
        if robot.q is None or robot.tool is None:
            return
        gripping = HOLDING_M[0] < float(robot.q[-1]) < HOLDING_M[1]
        if not gripping:
            self._held = None
            return
        near = {
            name: float(np.linalg.norm(track.pose[:3] - robot.tool))
            for name, track in self._cubes.items()
            if track.visible or name == self._held
        }
        if self._held is not None and not self._cubes[self._held].visible:
            self._cubes[self._held].pose[:3] = robot.tool
            return
        best = min(near, key=near.__getitem__, default=None)
        self._held = best if best is not None and near[best] < IN_HAND_M else None

    # --- the scene --------------------------------------------------------------------------------

    def _drawer_pose(self) -> FloatArray:
        x, y, yaw = self._fixed["cabinet"]
        along = _DRAWER_CENTRE_M[0] - self._opening_m
        return np.array([x + np.cos(yaw) * along, y + np.sin(yaw) * along, yaw])

    def _objects(self, stamp_s: float) -> dict[str, SceneObject]:
        objects = {
            name: SceneObject(
                name=name,
                category="cube",
                color=name.partition("_")[0],
                pose=_pose(track.pose[:3], track.pose[3]),
                size=2 * HALF,
                confidence=1.0 if track.visible else _faded(stamp_s - track.seen_s),
                visible=track.visible,
            )
            for name, track in self._cubes.items()
        }
        for name, color, size in (
            ("bowl", "teal", BOWL_SIZE),
            ("bin", "orange", BIN_SIZE),
            ("button", "magenta", BUTTON_SIZE),
        ):
            if name in self._fixed:
                x, y, yaw = self._fixed[name]
                travel = max(size[2] - self._cap_top_m, 0.0) if name == "button" else 0.0
                at = np.array([x, y, size[2] / 2])
                objects[name] = _thing(name, color, at, yaw, size, float(travel))
        if "cabinet" in self._fixed:
            x, y, yaw = self._drawer_pose()
            at = np.array([x, y, _DRAWER_CENTRE_M[1]])
            objects["drawer"] = _thing("drawer", "purple", at, yaw, DRAWER_SIZE, self._opening_m)
        return objects

    def _ride(self, objects: dict[str, SceneObject]) -> None:
        """Note which cubes lie in the drawer; move those along that it has taken out of sight."""
        if "drawer" not in objects:
            return
        drawer = self._drawer_pose()
        for name, track in self._cubes.items():
            if track.visible:
                self._riding.pop(name, None)
                if name != self._held and inside(track.pose[:3], objects["drawer"]):
                    self._riding[name] = _to_frame(track.pose[None, :2], drawer)[0]
            elif name in self._riding:
                x, y = self._riding[name]
                c, s = np.cos(drawer[2]), np.sin(drawer[2])
                track.pose[:2] = drawer[0] + c * x - s * y, drawer[1] + s * x + c * y


def _points(view: CameraView, hsv: np.ndarray, color: str) -> FloatArray:
    parts = blobs(mask_of(hsv, color))
    if not parts:
        return np.zeros((0, 3))
    return view.points_of(np.any(parts, axis=0))


def _faded(unseen_s: float) -> float:
    """Confidence in what was last seen so long ago; 1 where a clock was set back."""
    return float(np.exp(-max(unseen_s, 0.0)))


def _circle(points: FloatArray, radius: float) -> FloatArray:
    """Centre of a circle of known radius through points, shape (2,)."""
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    for _ in range(10):
        apart = points - centre
        # A point at the centre itself says nothing of where the centre is.
        distance = np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-9)
        residual = distance[:, 0] - radius
        jacobian = -apart / distance
        centre = centre - np.linalg.lstsq(jacobian, residual, rcond=None)[0]
    return centre


def _square(points: FloatArray, edge: float) -> FloatArray:
    """x, y, yaw of a square frame through points; yaw in [-pi/4, pi/4)."""
    best, best_cost = np.zeros(3), np.inf
    for yaw in np.linspace(-np.pi / 4, np.pi / 4, 46)[:-1]:
        c, s = np.cos(yaw), np.sin(yaw)
        turned = points @ np.array([[c, -s], [s, c]])
        low, high = turned.min(axis=0), turned.max(axis=0)
        cost = float(np.abs(high - low - edge).sum())
        if cost < best_cost:
            middle = (low + high) / 2
            best_cost = cost
            best = np.array([c * middle[0] - s * middle[1], s * middle[0] + c * middle[1], yaw])
    return best


def _rectangle(points: FloatArray) -> FloatArray:
    """The cabinet's frame (middle of its front, x to its back) from points of its lid."""
    (cx, cy), _, degrees = cv2.minAreaRect(points.astype(np.float32))
    yaw = np.radians(degrees)
    yaw = (yaw + np.pi / 4) % (np.pi / 2) - np.pi / 4
    half = CABINET_SIZE_M[0] / 2
    return np.array([cx - half * np.cos(yaw), cy - half * np.sin(yaw), yaw])


def _to_frame(points: FloatArray, frame: FloatArray) -> FloatArray:
    """Planar points (n, 2) in a frame given as x, y, yaw."""
    c, s = np.cos(frame[2]), np.sin(frame[2])
    return (points - frame[:2]) @ np.array([[c, -s], [s, c]])


def _pose(position: FloatArray, yaw: float) -> Pose:
    return Pose(
        position=position.copy(),
        quaternion=np.array([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)]),
    )


def _thing(
    name: str, color: str, position: FloatArray, yaw: float, size: FloatArray, travel: float
) -> SceneObject:
    pose = _pose(position, yaw)
    return SceneObject(name=name, category=name, color=color, pose=pose, size=size, travel=travel)
