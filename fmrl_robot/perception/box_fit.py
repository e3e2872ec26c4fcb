"""Pose of an upright box of known size from the pixels that show it and those that do not.

A cube of 4 cm is about ten pixels wide, so its corners cannot be found; but every pixel says
something: one that shows the cube puts a point on its surface, one beside it says that its ray
passes the cube by. The pose (x, y, z, yaw) that agrees best with all of them is found by damped
least squares. Pixels hidden behind something nearer say nothing, which is what makes the fit hold
while the gripper covers half of the cube.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fmrl_robot.types import FloatArray

_STEP = np.array([1e-4, 1e-4, 1e-4, 2e-3])
"""Finite-difference steps, m and rad."""
_RAY_SAMPLES = 9
_ITERATIONS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class BoxFit:
    """Result of a fit."""

    position: FloatArray
    """Centre in the world, m, shape (3,)."""
    yaw: float
    """About z, rad, in [-pi/4, pi/4) (a square box looks the same every quarter turn)."""
    error_m: float
    """Root mean square of the residuals."""


def signed_distance(points: FloatArray, pose: FloatArray, half: FloatArray) -> FloatArray:
    """Distance of points from a box's surface, negative inside, shape (points,).

    Args:
        points: in the world, shape (..., 3).
        pose: x, y, z, yaw.
        half: half extents, shape (3,).
    """
    c, s = np.cos(pose[3]), np.sin(pose[3])
    d = points - pose[:3]
    local = np.stack([c * d[..., 0] + s * d[..., 1], c * d[..., 1] - s * d[..., 0], d[..., 2]], -1)
    q = np.abs(local) - half
    outside = np.linalg.norm(np.maximum(q, 0.0), axis=-1)
    return outside + np.minimum(q.max(axis=-1), 0.0)


def fit_box(
    surface: FloatArray,
    free_points: FloatArray,
    half: FloatArray,
    guess: FloatArray,
) -> BoxFit:
    """Find the upright box that explains the seen points and the rays that pass it by.

    Args:
        surface: points seen on the box, m, shape (points, 3).
        free_points: samples along rays that miss the box, m, shape (rays, samples, 3).
        half: half extents, m, shape (3,).
        guess: x, y, z, yaw to start from; the box has to be symmetric under quarter turns, so
            four yaws are tried.
    """
    quarter = np.pi / 2
    starts = [guess + np.array([0, 0, 0, turn * quarter / 4]) for turn in range(4)]
    coarse = [_descend(surface, free_points, half, start, iterations=3) for start in starts]
    best, _ = min(coarse, key=lambda result: result[1])
    pose, cost = _descend(surface, free_points, half, best, iterations=_ITERATIONS)
    yaw = (pose[3] + quarter / 2) % quarter - quarter / 2
    return BoxFit(position=pose[:3], yaw=float(yaw), error_m=float(np.sqrt(cost / len(surface))))


def ray_samples(origin: FloatArray, rays: FloatArray, near: FloatArray, reach: float) -> FloatArray:
    """Points along rays around where they pass ``near``, shape (rays, samples, 3).

    Args:
        origin: of all rays, m, shape (3,).
        rays: directions, shape (rays, 3).
        near: the point to sample around, m, shape (3,).
        reach: how far to sample to either side, m.
    """
    directions = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    along = directions @ (near - origin)
    offsets = np.linspace(-reach, reach, _RAY_SAMPLES)
    return origin + (along[:, None] + offsets)[..., None] * directions[:, None, :]


def _residuals(
    surface: FloatArray, free_points: FloatArray, half: FloatArray, pose: FloatArray
) -> FloatArray:
    on_surface = signed_distance(surface, pose, half)
    if not len(free_points):
        return on_surface
    inside = np.minimum(signed_distance(free_points, pose, half).min(axis=1), 0.0)
    return np.concatenate([on_surface, inside])


def _descend(
    surface: FloatArray,
    free_points: FloatArray,
    half: FloatArray,
    start: FloatArray,
    iterations: int,
) -> tuple[FloatArray, float]:
    """Levenberg-Marquardt from ``start``; returns the pose and the sum of squares."""
    pose, damping = start.astype(np.float64), 1e-3
    residuals = _residuals(surface, free_points, half, pose)
    cost = float(residuals @ residuals)
    for _ in range(iterations):
        jacobian = np.stack(
            [
                (_residuals(surface, free_points, half, pose + step) - residuals) / step.sum()
                for step in np.diag(_STEP)
            ],
            axis=1,
        )
        normal = jacobian.T @ jacobian
        scale = np.diag(np.diag(normal) + 1e-6 * np.trace(normal))
        step = np.linalg.solve(
            normal + damping * scale + 1e-12 * np.eye(4), -jacobian.T @ residuals
        )
        trial = pose + step
        trial_residuals = _residuals(surface, free_points, half, trial)
        trial_cost = float(trial_residuals @ trial_residuals)
        if trial_cost < cost:
            settled = cost - trial_cost < 1e-4 * cost
            pose, residuals, cost = trial, trial_residuals, trial_cost
            damping = max(damping / 5, 1e-6)
            if settled:
                break
        else:
            damping *= 10
    return pose, cost
