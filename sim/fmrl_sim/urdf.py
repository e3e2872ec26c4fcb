"""A robot's kinematic tree as URDF, written from the MuJoCo model that is being simulated.

Tools of the ROS world ask for URDF; writing it from the model that moves keeps the two from ever
disagreeing. Visuals are meshes on disk (urdf_meshes.py) or left to tools that load the MuJoCo model
itself.
"""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import mujoco
import numpy as np

from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray

if TYPE_CHECKING:
    from fmrl_sim.urdf_meshes import Mesh


_SLIDE = int(mujoco.mjtJoint.mjJNT_SLIDE)


def robot_bodies(model: mujoco.MjModel, robot: RobotSpec) -> list[int]:
    """Ids of the bodies that are the robot's, parents first."""
    root = model.body(robot.base_body).id
    found = {root}
    for body in range(root + 1, model.nbody):
        if int(model.body_parentid[body]) in found:
            found.add(body)
    return sorted(found)


def link_name(model: mujoco.MjModel, robot: RobotSpec, body: int) -> str:
    """Name of a body's link and frame: as in the model, an arm's with the robot's name before."""
    name = model.body(body).name
    return f"{robot.name}_{name}" if robot.kind == "arm" else name


def write(
    model: mujoco.MjModel,
    robot: RobotSpec,
    visuals: Mapping[str, Sequence[Mesh]] | None = None,
    *,
    world: bool = False,
    physical: bool = False,
) -> str:
    """Return the URDF of ``robot``; its joints bear the RobotSpec's names.

    Args:
        model: the compiled model that the robot is part of.
        robot: whose.
        visuals: meshes by body; None: links without looks.
        world: fix the base to a link ``world``.
        physical: with masses, inertias and primitive collision shapes, for other simulators; a
            simulator that can set moments of inertia should set those of :func:`inertia`.
    """
    document = Xml.Element("robot", name=robot.name)
    bodies = robot_bodies(model, robot)
    names = dict(zip(robot.model_joints, robot.joint_names, strict=True))
    if world:
        Xml.SubElement(document, "link", name="world")
        _write_fixed(document, "world", link_name(model, robot, bodies[0]), "world_fixed")
    for body in bodies:
        link = Xml.SubElement(document, "link", name=link_name(model, robot, body))
        for mesh in (visuals or {}).get(model.body(body).name, ()):
            _write_visual(link, mesh)
        if physical:
            _write_inertia(link, model, body)
            _write_collisions(link, model, body)
        if body == bodies[0]:
            continue
        count = int(model.body_jntnum[body])
        joint = int(model.body_jntadr[body]) if count else -1
        _write_joint(document, model, robot, body, joint, names)
    Xml.indent(document)
    return Xml.tostring(document, encoding="unicode", xml_declaration=True)


def _write_fixed(document: Xml.Element, parent: str, child: str, name: str) -> None:
    element = Xml.SubElement(document, "joint", name=name, type="fixed")
    Xml.SubElement(element, "parent", link=parent)
    Xml.SubElement(element, "child", link=child)


def _write_visual(link: Xml.Element, mesh: Mesh) -> None:
    visual = Xml.SubElement(link, "visual")
    geometry = Xml.SubElement(visual, "geometry")
    Xml.SubElement(geometry, "mesh", filename=mesh.file.as_uri())
    material = Xml.SubElement(visual, "material", name=mesh.file.stem)
    red, green, blue = (f"{c / 255:.3f}" for c in mesh.color)
    Xml.SubElement(material, "color", rgba=f"{red} {green} {blue} 1")


def inertia(model: mujoco.MjModel, body: int) -> tuple[float, FloatArray, FloatArray]:
    """Mass of a link, its principal moments of inertia and their frame's quaternion wxyz.

    The rotor of the link's joint is the link's here: URDF knows none. So one moment may exceed the
    sum of the others, which no solid's can.
    """
    mass, moments, quat = model.body_mass[body], model.body_inertia[body], model.body_iquat[body]
    if model.body_jntnum[body] != 1 or model.jnt_type[model.body_jntadr[body]] < _SLIDE:
        return float(mass), moments, quat
    joint = int(model.body_jntadr[body])
    rotor = float(model.dof_armature[model.jnt_dofadr[joint]])
    if model.jnt_type[joint] == _SLIDE:
        return float(mass) + rotor, moments, quat
    turn = np.zeros(9)
    mujoco.mju_quat2Mat(turn, quat)
    frame = turn.reshape(3, 3)
    axis = model.jnt_axis[joint]
    moments, axes = np.linalg.eigh(
        frame @ np.diag(moments) @ frame.T + rotor * np.outer(axis, axis)
    )
    axes[:, 2] *= np.linalg.det(axes)
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, axes.flatten())
    return float(mass), moments, quat


def _write_inertia(link: Xml.Element, model: mujoco.MjModel, body: int) -> None:
    mass, moments, quat = inertia(model, body)
    possible = np.minimum(moments, 0.999 * (moments.sum() - moments))
    element = Xml.SubElement(link, "inertial")
    _write_origin(element, model.body_ipos[body], quat)
    Xml.SubElement(element, "mass", value=f"{mass:.9g}")
    ixx, iyy, izz = (f"{v:.9g}" for v in possible)
    Xml.SubElement(element, "inertia", ixx=ixx, iyy=iyy, izz=izz, ixy="0", ixz="0", iyz="0")


def _write_collisions(link: Xml.Element, model: mujoco.MjModel, body: int) -> None:
    kinds = mujoco.mjtGeom
    for geom in range(
        model.body_geomadr[body], model.body_geomadr[body] + model.body_geomnum[body]
    ):
        if not model.geom_contype[geom] and not model.geom_conaffinity[geom]:
            continue
        size, kind = model.geom_size[geom], int(model.geom_type[geom])
        shapes = {
            int(kinds.mjGEOM_SPHERE): ("sphere", {"radius": size[0]}),
            int(kinds.mjGEOM_CAPSULE): ("capsule", {"radius": size[0], "length": 2 * size[1]}),
            int(kinds.mjGEOM_CYLINDER): ("cylinder", {"radius": size[0], "length": 2 * size[1]}),
            int(kinds.mjGEOM_BOX): ("box", {}),
        }
        if kind not in shapes:
            continue
        tag, sizes = shapes[kind]
        element = Xml.SubElement(link, "collision")
        _write_origin(element, model.geom_pos[geom], model.geom_quat[geom])
        values = {name: f"{value:.9g}" for name, value in sizes.items()}
        if tag == "box":
            values = {"size": _text(2 * size)}
        Xml.SubElement(Xml.SubElement(element, "geometry"), tag, values)


def _write_origin(element: Xml.Element, position: FloatArray, quat: FloatArray) -> None:
    Xml.SubElement(element, "origin", xyz=_text(position), rpy=_text(_rpy(quat)))


def _write_joint(
    document: Xml.Element,
    model: mujoco.MjModel,
    robot: RobotSpec,
    body: int,
    joint: int,
    names: dict[str, str],
) -> None:
    link = link_name(model, robot, body)
    kind, name, plain = "fixed", f"{link}_fixed", ""
    if joint >= 0:
        slides = model.jnt_type[joint] == int(mujoco.mjtJoint.mjJNT_SLIDE)
        kind = "prismatic" if slides else "revolute"
        plain = model.joint(joint).name
        name = names.get(plain, f"{robot.name}_{plain}")
    element = Xml.SubElement(document, "joint", name=name, type=kind)
    parent = link_name(model, robot, int(model.body_parentid[body]))
    Xml.SubElement(element, "parent", link=parent)
    Xml.SubElement(element, "child", link=link)
    _write_origin(element, model.body_pos[body], model.body_quat[body])
    if joint < 0:
        return
    Xml.SubElement(element, "axis", xyz=_text(model.jnt_axis[joint]))
    low, high = model.jnt_range[joint]
    effort, speed = 100.0, 0.2
    if model.joint(joint).name in robot.model_joints:
        index = robot.model_joints.index(model.joint(joint).name)
        effort, speed = robot.effort[index], robot.velocity[index]
    Xml.SubElement(
        element,
        "limit",
        lower=f"{low:.6g}",
        upper=f"{high:.6g}",
        effort=f"{effort:.6g}",
        velocity=f"{speed:.6g}",
    )
    leader = _leader(model, joint)
    if leader is not None and plain not in names:
        Xml.SubElement(element, "mimic", joint=names.get(leader, f"{robot.name}_{leader}"))


def _leader(model: mujoco.MjModel, joint: int) -> str | None:
    """Name of the joint that an equality ties this one to, such as the other finger's."""
    for i in np.flatnonzero(model.eq_type == int(mujoco.mjtEq.mjEQ_JOINT)):
        pair = {int(model.eq_obj1id[i]), int(model.eq_obj2id[i])}
        if joint in pair and len(pair - {joint, -1}) == 1:
            return model.joint((pair - {joint}).pop()).name
    return None


def _text(values: FloatArray) -> str:
    return " ".join(f"{v:.9g}" for v in values)


def _rpy(quat: FloatArray) -> FloatArray:
    """Fixed-axis roll, pitch, yaw of a quaternion wxyz."""
    w, x, y, z = quat
    return np.array(
        [
            np.arctan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y)),
            np.arcsin(np.clip(2 * (w * y - z * x), -1.0, 1.0)),
            np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)),
        ]
    )
