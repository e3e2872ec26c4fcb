"""What holds of every RobotSpec, checked when one is made.

A figure that is wrong here is wrong everywhere: the gate takes its limits from it, the simulator
its gains, the controllers the order of legs. So a spec that breaks a law does not come into being.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.types import SAYTAP_LEGS

if TYPE_CHECKING:
    from fmrl_robot.robots.spec import RobotSpec

PER_JOINT = (
    *("lower", "upper", "velocity", "effort", "step", "default"),
    *("kp", "kd", "kp_limit", "kd_limit"),
)
"""Arrays of a RobotSpec with a number for each joint."""
STOPS = {"arm": "brake_and_hold", "quadruped": "damp_and_sit"}
"""How each kind of robot is stopped."""


def check_spec(spec: RobotSpec) -> None:
    """Refuse a spec that breaks a law.

    Raises:
        ConfigError: CONFIG_INVALID; the message names the field, what it has to be and what it is.
    """
    _Checked(spec).all()


class _Checked:
    """One spec, and what is said where a law does not hold."""

    def __init__(self, spec: RobotSpec) -> None:
        self.spec = spec

    def all(self) -> None:
        spec = self.spec
        self.holds("kind", spec.kind in STOPS, f"one of {', '.join(STOPS)}")
        self._names("joint_names", spec.joint_names, len(spec.joint_names) or 1)
        for field in ("model_joints", "model_actuators"):
            self._names(field, getattr(spec, field), spec.num_joints)
        for field in PER_JOINT:
            self._numbers(field, (spec.num_joints,))
        self._limits()
        stop = STOPS[spec.kind]
        self.holds(
            "stop_kind", spec.stop_kind == stop, f"{stop!r}, for it is one of the {spec.kind}s"
        )
        self.holds("base_body", bool(spec.base_body), "the name of a body of the model")
        if spec.kind == "arm":
            self._workspace()
        else:
            self._legs()

    def _limits(self) -> None:
        spec = self.spec
        self.holds("upper", np.all(spec.lower < spec.upper), "above lower for every joint")
        inside = (spec.lower <= spec.default) & (spec.default <= spec.upper)
        self.holds("default", np.all(inside), "from lower to upper for every joint")
        for field in ("velocity", "effort", "step", "kp"):
            self.holds(field, np.all(getattr(spec, field) > 0), "above 0 for every joint")
        self.holds("kd", np.all(spec.kd >= 0), "at least 0 for every joint")
        for field in ("kp", "kd"):
            most = getattr(spec, f"{field}_limit")
            self.holds(field, np.all(getattr(spec, field) <= most), f"at most {field}_limit")
        periods = np.array([spec.command_dt_s, spec.policy_dt_s])
        rising = np.all(np.isfinite(periods)) and 0 < spec.command_dt_s <= spec.policy_dt_s
        self.holds("command_dt_s", rising, "above 0 s, at most policy_dt_s")

    def _workspace(self) -> None:
        spec = self.spec
        for field in ("workspace_lower", "workspace_upper"):
            self._numbers(field, (3,))
        low, high = np.array(spec.workspace_lower), np.array(spec.workspace_upper)
        self.holds("workspace_upper", np.all(low < high), "above workspace_lower on each axis")

    def _legs(self) -> None:
        """Controllers, policies and contact patterns share one order of legs."""
        spec, legs = self.spec, [leg.value for leg in SAYTAP_LEGS]
        self.holds("legs", list(spec.legs) == legs, f"{legs}, the order of every array here")
        self.holds(
            "joint_names", spec.num_joints == 3 * len(legs), "hip, thigh and calf of each leg"
        )
        self._names("foot_geoms", spec.foot_geoms, len(legs))
        height = np.isfinite(spec.base_height_m) and spec.base_height_m > 0
        self.holds("base_height_m", height, "above 0 m")
        self._leg_shape()
        viscosity = spec.viscosity is None or 0 <= spec.viscosity < np.inf
        self.holds("viscosity", viscosity, "None, or at least 0 N m s/rad")

    def _leg_shape(self) -> None:
        shape = self.spec.leg_shape
        if shape is None:
            return
        lengths = (shape.thigh_m, shape.calf_m, shape.foot_radius_m)
        others = (shape.hip_x_m, shape.hip_y_m, shape.abduction_m, shape.foot_x_m)
        law = bool(np.all(np.isfinite([*lengths, *others]))) and min(lengths) > 0
        self.holds("leg_shape", law, "None, or finite measures with lengths and radius above 0 m")

    def _names(self, field: str, names: Sequence[str], count: int) -> None:
        distinct = len(names) == len(set(names)) == count and all(names)
        self.holds(field, distinct, f"{count} names, each of them once")

    def _numbers(self, field: str, shape: tuple[int, ...]) -> None:
        values: Any = getattr(self.spec, field)
        fits = isinstance(values, np.ndarray) and values.shape == shape
        law = fits and values.dtype.kind in "fiu" and bool(np.all(np.isfinite(values)))
        self.holds(field, law, f"an array of {shape[0]} finite numbers")

    def holds(self, field: str, law: bool | np.bool_, expected: str) -> None:
        if not law:
            raise ConfigError(
                f"expected {field} = {expected} in the RobotSpec of {self.spec.name!r}, got "
                f"{getattr(self.spec, field)!r}; correct it (docs/your_robot.md)",
                ErrorCode.CONFIG_INVALID,
            )


def check_model(spec: RobotSpec, model: Any) -> None:
    """Refuse a spec that names what its MuJoCo model has not.

    Args:
        spec: of the robot.
        model: its ``mujoco.MjSpec``; nothing of MuJoCo is imported here.

    Raises:
        ConfigError: CONFIG_INVALID; a joint, an actuator, the base's body or a foot is not there,
            or an actuator drives another joint than the one that is named in its place.
    """
    has = _Checked(spec)
    for field, names, things in (
        ("model_joints", spec.model_joints, model.joints),
        ("model_actuators", spec.model_actuators, model.actuators),
        ("base_body", (spec.base_body,), model.bodies),
        ("foot_geoms", spec.foot_geoms, model.geoms),
    ):
        known = [thing.name for thing in things if thing.name]
        has.holds(field, set(names) <= set(known), f"among {', '.join(known)} of {spec.model.path}")
    joints = {joint.name for joint in model.joints}
    for joint, name in zip(spec.model_joints, spec.model_actuators, strict=True):
        # A finger may be driven through a tendon, whose name is no joint's.
        target = model.actuator(name).target
        fits = target == joint or target not in joints
        has.holds("model_actuators", fits, f"the actuator of {joint} beside it, not of {target}")
