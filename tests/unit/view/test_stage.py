"""The 3D half of the page, drawn on a scene that only takes notes."""

import numpy as np
import pytest

from fmrl_robot.robots import GO2, PANDA
from fmrl_robot.types import Pose, Scene, SceneObject
from fmrl_robot.view.stage import WORLD, Stage


class Node:
    def __init__(self, vertices=None):
        self.vertices, self.position, self.wxyz, self.removed = vertices, (0, 0, 0), None, False

    def remove(self):
        self.removed = True


class Notes:
    """Takes what a viser scene takes."""

    def __init__(self):
        self.nodes = {}

    def set_up_direction(self, _):
        pass

    def add_grid(self, name, **_):
        self.nodes[name] = Node()

    def add_frame(self, name, **_):
        self.nodes[name] = Node()
        return self.nodes[name]

    def add_mesh_simple(self, name, vertices, faces, **_):
        assert faces.max() < len(vertices)
        self.nodes[name] = Node(vertices)
        return self.nodes[name]


def seen(position, base=GO2.base_height_m):
    return np.array([*position, base]), np.array([1.0, 0.0, 0.0, 0.0])


def test_the_world_moves_so_that_a_walking_robot_stays_in_the_picture():
    notes = Notes()
    stage = Stage(notes, GO2)
    for x in np.arange(0.0, 6.0, 0.1):  # 1 m/s at ten redraws a second
        stage.move(GO2.default, seen((x, 0.0)))
        shown = notes.nodes[WORLD].position[:2] + np.array([x, 0.0])
        assert np.linalg.norm(shown) < 0.4
    stage.move(GO2.default, seen((0.0, 0.0)))  # put back to the start
    assert notes.nodes[WORLD].position == (0.0, 0.0, 0.0)
    inside = [n for n in notes.nodes if n != WORLD]
    assert all(name.startswith(f"{WORLD}/") for name in inside)


def drawer(travel):
    return SceneObject(
        name="drawer",
        category="drawer",
        color="purple",
        pose=Pose(position=np.array([0.5 - travel, 0.2, 0.041])),
        size=np.array([0.197, 0.236, 0.072]),
        travel=travel,
    )


def extent(notes, names):
    corners = [
        notes.nodes[n].vertices
        + np.array(notes.nodes[n].position)
        + np.array(notes.nodes[n.rpartition("/")[0]].position)
        for n in names
    ]
    return np.concatenate(corners).min(axis=0), np.concatenate(corners).max(axis=0)


def test_a_cabinet_stays_where_it_is_while_its_drawer_opens():
    notes = Notes()
    stage = Stage(notes, PANDA)
    names = [f"{WORLD}/objects/drawer/{part}" for part in (0, 1, 2)]
    stage.show(Scene(stamp_s=0.0, objects=(drawer(0.0),)))
    shut, cabinet = extent(notes, names[:1]), extent(notes, names[2:])
    # Shut, all of the drawer but its panel is inside the cabinet.
    assert shut[0][0] == pytest.approx(cabinet[0][0] - 0.012, abs=1e-3)
    assert (shut[1] < cabinet[1] + 1e-3).all()
    assert (shut[0][1:] > cabinet[0][1:] - 1e-3).all()
    stage.show(Scene(stamp_s=1.0, objects=(drawer(0.16),)))
    assert np.allclose(extent(notes, names[2:]), cabinet, atol=1e-6)
    assert extent(notes, names[:1])[0][0] == pytest.approx(shut[0][0] - 0.16, abs=1e-6)


def test_what_is_no_longer_known_is_no_longer_drawn():
    notes = Notes()
    stage = Stage(notes, PANDA)
    stage.show(Scene(stamp_s=0.0, objects=(drawer(0.0),)))
    frame = notes.nodes[f"{WORLD}/objects/drawer"]
    stage.show(Scene(stamp_s=1.0))
    assert frame.removed
