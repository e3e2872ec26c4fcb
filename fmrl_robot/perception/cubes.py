"""Poses of the four cubes, fitted when they are seen to have moved, remembered when they are not.

A fit costs tens of milliseconds, and most cubes lie still most of the time: one whose pixels look
the same as when it was fitted keeps its pose.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fmrl_robot.perception.box_fit import fit_box, ray_samples
from fmrl_robot.perception.camera import CameraView
from fmrl_robot.perception.facts import CUBE_M
from fmrl_robot.types import BoolArray, FloatArray

COLORS = ("red", "green", "blue", "yellow")
HALF = np.full(3, CUBE_M / 2)
_STILL_M, _STILL_SHARE = 0.0015, 0.06
_FITS_AT_REST = 3
_GREATEST_ERROR_M = 0.006
_CLUSTER_M = 0.05
_ALONG_VIEW_M = 0.014
_REST_BAND_M = 0.003
"""So near to the height of rest, a cube is taken to rest: pixels are wider than that."""


@dataclass(kw_only=True, slots=True)
class CubeTrack:
    """What is known of one cube."""

    pose: FloatArray
    """x, y, z in m and yaw in rad, shape (4,)."""
    seen_s: float
    visible: bool
    centroid: FloatArray
    """Of the pixels that were fitted last, shape (3,)."""
    pixels: int
    fits: int


def look_for_cube(
    view: CameraView, parts: list[BoolArray], track: CubeTrack | None, stamp_s: float
) -> CubeTrack | None:
    """Update the track of a cube from the blobs of its colour; None while it was never seen."""
    found = _cluster(view, parts)
    if found is None:
        if track is not None:
            track.visible = False
        return track
    mask, points = found
    centroid = points.mean(axis=0)
    if track is not None and _still(track, centroid, len(points)):
        track.seen_s, track.visible = stamp_s, True
        if track.fits >= _FITS_AT_REST:
            return track
    fit = _fit(view, mask, points, track)
    if fit is None:
        if track is not None:
            track.visible = False
        return track
    fits = track.fits + 1 if track is not None and _still(track, centroid, len(points)) else 1
    return CubeTrack(
        pose=fit,
        seen_s=stamp_s,
        visible=True,
        centroid=centroid,
        pixels=len(points),
        fits=fits,
    )


def _still(track: CubeTrack, centroid: FloatArray, pixels: int) -> bool:
    return bool(
        np.linalg.norm(centroid - track.centroid) < _STILL_M
        and abs(pixels - track.pixels) <= _STILL_SHARE * track.pixels + 1
    )


def _cluster(view: CameraView, parts: list[BoolArray]) -> tuple[BoolArray, FloatArray] | None:
    """Join what lies within a cube's reach of the largest blob (a finger may divide it)."""
    if not parts:
        return None
    mask, points = parts[0], view.points_of(parts[0])
    if len(points) == 0:
        return None
    middle = np.median(points, axis=0)
    for part in parts[1:]:
        more = view.points_of(part)
        if len(more) and np.linalg.norm(np.median(more, axis=0) - middle) < _CLUSTER_M:
            mask = mask | part
    points = view.points_of(mask)
    near = points[np.linalg.norm(points - middle, axis=1) < _CLUSTER_M]
    return (mask, near) if len(near) else None


def _fit(
    view: CameraView, mask: BoolArray, points: FloatArray, track: CubeTrack | None
) -> FloatArray | None:
    middle = points.mean(axis=0)
    away = middle - view.position_in_world
    guess = np.array([*(middle + _ALONG_VIEW_M * away / np.linalg.norm(away)), 0.0])
    if track is not None:
        guess[3] = track.pose[3]
    ring = _ring(view, mask, middle)
    rows, columns = np.nonzero(ring)
    rays = view.rays(rows, columns)
    free = ray_samples(view.position_in_world, rays, guess[:3], CUBE_M)
    fit = fit_box(points, free, HALF, guess)
    if fit.error_m > _GREATEST_ERROR_M:
        return None
    position = fit.position
    if abs(position[2] - CUBE_M / 2) < _REST_BAND_M:
        position = np.array([position[0], position[1], CUBE_M / 2])
    return np.array([*position, fit.yaw])


def _ring(view: CameraView, mask: BoolArray, middle: FloatArray) -> BoolArray:
    """Pixels close around the cube that see past it: nothing nearer hides it there."""
    seen = mask.astype(np.uint8)
    kernel = np.ones((3, 3), np.uint8)
    inner, outer = cv2.dilate(seen, kernel), cv2.dilate(seen, kernel, iterations=3)
    _, depth = view.project(middle[None])
    behind = view.valid_depth() & (view.depth > float(depth[0]) - 0.03)
    return (outer > 0) & (inner == 0) & behind
