"""Rough ground: the same for everybody who draws it, continuous, and known as MuJoCo has it."""

import mujoco
import numpy as np
import pytest
import torch

from fmrl_robot.errors import ConfigError
from fmrl_sim.scenes import rough
from fmrl_sim.scenes.terrain import (
    BLOCK_M,
    CELL_M,
    KINDS,
    MARGIN_M,
    PATCH_M,
    ROUGH_GRID_M,
    ROUGH_M,
    SLOPE_DEG,
    STEP_M,
    TREAD_M,
    WAVE_LENGTH_M,
    WAVE_M,
    make_terrain,
    surface,
)

FULL = make_terrain(1, KINDS, (0.0, 0.5, 1.0))
STEEPEST = {
    "flat": 0.0,
    "rough": 2 * ROUGH_M * CELL_M / ROUGH_GRID_M,
    "slope": np.tan(np.deg2rad(SLOPE_DEG)) * CELL_M,
    "waves": 2 * np.pi * WAVE_M / WAVE_LENGTH_M * CELL_M + 2 * WAVE_M * CELL_M / 0.4,
    "blocks": 2 * BLOCK_M,
    "stairs": STEP_M,
}
"""Greatest rise from one point to the next on the hardest ground, m."""


def patch(terrain, level, kind):
    x, y = terrain.middle(level, kind)
    along = np.arange(-PATCH_M / 2, PATCH_M / 2, CELL_M)
    return surface(terrain.heights, *np.meshgrid(x + along, y + along))


def test_a_seed_is_one_ground():
    again, other = (make_terrain(seed, KINDS, FULL.difficulties) for seed in (1, 2))
    assert again.heights.tobytes() == FULL.heights.tobytes()
    assert other.heights.tobytes() != FULL.heights.tobytes()


def test_the_look_up_is_what_a_ray_meets():
    spec = mujoco.MjSpec()
    spec.worldbody.add_geom(name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1])
    FULL.add_to(spec)
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    rng, half = np.random.default_rng(0), np.array(FULL.size_m) / 2 - 0.01
    points = rng.uniform(-half, half, (3000, 2))
    down, hit = np.array([0.0, 0.0, -1.0]), np.zeros(1, np.int32)
    rays = [
        5.0 - mujoco.mj_ray(model, data, np.array([x, y, 5.0]), down, None, 1, -1, hit)
        for x, y in points
    ]
    found = surface(torch.as_tensor(FULL.heights), *torch.as_tensor(points).T)
    assert np.ptp(rays) > 1.0
    assert np.abs(found.numpy() - rays).max() < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_no_ground_is_steeper_than_it_says_and_the_hardest_comes_close(kind):
    terrain = make_terrain(5, (kind,), (1.0,))
    steps = np.abs(np.diff(patch(terrain, 0, 0), axis=1))
    assert steps.max() <= STEEPEST[kind] + 1e-6
    assert steps.max() >= 0.7 * STEEPEST[kind]


def test_the_ground_repeats_itself_beyond_the_map():
    rng, (x_period, y_period) = np.random.default_rng(0), FULL.period_m
    along, beyond = rng.uniform(-8, 8, 500), rng.uniform(0, MARGIN_M - CELL_M, 500)
    for inside, outside in (
        ((along, beyond - y_period / 2), (along, beyond + y_period / 2)),
        ((beyond - x_period / 2, along), (beyond + x_period / 2, along)),
    ):
        here, there = (surface(FULL.heights, *at) for at in (inside, outside))
        np.testing.assert_allclose(here, there, atol=1e-5)


def test_harder_ground_is_rougher_and_flat_stays_flat():
    for kind, name in enumerate(KINDS):
        spread = [float(np.std(patch(FULL, level, kind))) for level in range(3)]
        if name == "flat":
            assert spread == [0.0, 0.0, 0.0]
        else:
            assert 0.0 < spread[0] < spread[1] < spread[2], name


def test_stairs_are_stairs():
    rise = np.diff(patch(make_terrain(0, ("stairs",), (1.0,)), 0, 0)[80])
    risers = np.flatnonzero(np.abs(rise) > 1e-4)
    assert np.allclose(np.abs(rise[risers]), STEP_M, atol=1e-5)
    treads = np.diff(risers[: len(risers) // 2]) * CELL_M
    assert np.allclose(treads, TREAD_M, atol=CELL_M + 1e-6)


def test_an_unknown_kind_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match="stairs"):
        make_terrain(0, ("lava",), (1.0,))


def test_the_scene_is_that_ground_and_the_robot_starts_on_it():
    scene = rough.build()
    for seed in range(5):
        data = scene.new_data(seed)
        assert data.ncon == 0 or data.contact.dist[: data.ncon].min() > -0.01
        mujoco.mj_step(scene.model, data, 400)
        feet = [data.geom(name).xpos for name in scene.robot.foot_geoms]
        ground = [surface(rough.ground().heights, *foot[:2]) for foot in feet]
        above = np.array([foot[2] for foot in feet]) - ground
        assert (np.abs(above - 0.022) < 0.015).all()
    assert np.std(ground) > 0.001
