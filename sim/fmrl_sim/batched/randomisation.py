"""How the robots of a batch differ from the model and from each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fmrl_robot.types import FloatArray
from fmrl_sim.batched.engine import Engine


@dataclass(frozen=True, kw_only=True, slots=True)
class Randomisation:
    """How the robots of a batch differ; half widths around 1 unless a unit is given."""

    friction: tuple[float, float] = (0.4, 1.25)
    """Of feet on floor, drawn for each robot."""
    mass: float = 0.15
    payload_kg: float = 1.0
    """Added to or taken from the trunk."""
    com_m: float = 0.02
    """How far the trunk's centre of mass moves along each axis."""
    gain: float = 0.1
    """Of each joint's stiffness and of its damping."""
    strength: float = 0.1
    """Of each motor: the torque that a command makes, and its limit."""
    joint_friction: float = 0.4
    latency_s: float = 0.04
    """Greatest delay of an action; it is drawn in whole physics steps."""
    latency_least_s: float = 0.0
    push_m_s: float = 0.4
    """Greatest kick along x and y."""
    push_every: int = 250
    """Mean control steps between kicks."""
    noise: float = 1.0
    """Scale of the observation noise; 0 for none."""


NO_RANDOMISATION = Randomisation(
    friction=(0.8, 0.8),
    mass=0.0,
    payload_kg=0.0,
    com_m=0.0,
    gain=0.0,
    strength=0.0,
    joint_friction=0.0,
    latency_s=0.0,
    push_m_s=0.0,
    noise=0.0,
)
"""The model as it is."""

VARIED = (
    "geom_friction",
    "body_mass",
    "body_inertia",
    "body_ipos",
    "actuator_gainprm",
    "actuator_biasprm",
    "actuator_forcerange",
    "dof_frictionloss",
)
"""Fields of the model in which robots differ."""


def vary(
    engine: Engine, randomisation: Randomisation, feet: np.ndarray, base: int, seed: int
) -> FloatArray:
    """Draw friction, masses, gains, strength of motors and joint friction of every robot.

    Args:
        engine: whose worlds become different.
        randomisation: by how much.
        feet: ids of the feet's geoms, (4,).
        base: id of the body that carries a payload.
        seed: of the draw.

    Returns:
        Friction under each robot's feet, (n,).
    """
    r, n, model = randomisation, engine.count, engine.model
    rng = np.random.default_rng(seed)

    def each(name: str) -> np.ndarray:
        return np.repeat(np.asarray(getattr(model, name))[None], n, axis=0)

    friction = rng.uniform(*r.friction, n)
    varied = {name: each(name) for name in VARIED}
    varied["geom_friction"][:, feet, 0] = friction[:, None]
    factor = rng.uniform(1 - r.mass, 1 + r.mass, (n, model.nbody))
    factor[:, base] += rng.uniform(-r.payload_kg, r.payload_kg, n) / model.body_mass[base]
    varied["body_mass"] *= factor
    varied["body_inertia"] *= factor[:, :, None]
    kp = rng.uniform(1 - r.gain, 1 + r.gain, (n, model.nu))
    kd = rng.uniform(1 - r.gain, 1 + r.gain, (n, model.nu))
    varied["actuator_gainprm"][:, :, 0] *= kp
    varied["actuator_biasprm"][:, :, 1] *= kp
    varied["actuator_biasprm"][:, :, 2] *= kd
    loss = rng.uniform(1 - r.joint_friction, 1 + r.joint_friction, (n, model.nv))
    varied["dof_frictionloss"] *= loss
    strength = rng.uniform(1 - r.strength, 1 + r.strength, (n, model.nu))
    for name in ("actuator_gainprm", "actuator_biasprm", "actuator_forcerange"):
        varied[name] *= strength[:, :, None]
    varied["body_ipos"][:, base] += rng.uniform(-r.com_m, r.com_m, (n, 3))
    for name, values in varied.items():
        engine.vary(name, values)
    engine.set_const()
    return friction
