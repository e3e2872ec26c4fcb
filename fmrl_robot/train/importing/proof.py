"""Asks both files the same and compares the joint targets that they command.

The original is asked as its own training would: terms built joint by joint, by name, from a
physical state, with no index table shared with the graft.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort

from fmrl_robot.control import locomotion as loco
from fmrl_robot.control.runner import PolicyRunner, open_policy
from fmrl_robot.robots import RobotSpec
from fmrl_robot.train.importing import terms
from fmrl_robot.train.importing.refusal import refused
from fmrl_robot.train.importing.source import Source
from fmrl_robot.types import FloatArray

STATES = 256
TOLERANCE = 1e-4
"""Greatest difference of a target, in rad, or as a share of the greatest target above 1 rad:
what float32 loses on the way, not more."""

Named = dict[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """What a robot feels and is told, by name."""

    linear_velocity: FloatArray
    """m/s, shape (3,)."""
    angular_velocity: FloatArray
    """rad/s, shape (3,)."""
    gravity: FloatArray
    """Unit vector in the base's frame, shape (3,)."""
    command: FloatArray
    """vx, vy in m/s, wz in rad/s, shape (3,)."""
    position: Named
    """rad, by joint."""
    velocity: Named
    """rad/s, by joint."""
    last_target: Named
    """What was commanded last, rad, by joint."""
    window: dict[str, FloatArray]
    """By leg, each of shape (WINDOW,)."""


class Original:
    """The network as it came, asked in its own terms."""

    def __init__(self, session: ort.InferenceSession, source: Source) -> None:
        self._session, self._source = session, source
        self._input = session.get_inputs()[0]
        self._frames = [deque[FloatArray](maxlen=term.history) for term in source.terms]

    def targets(self, state: State) -> Named:
        """Joint targets in rad, by joint, for the next state of a sequence."""
        source = self._source
        for term, frames in zip(source.terms, self._frames, strict=True):
            frame = np.clip(self._term(term.name, state), *term.clip) * term.scale
            frames.append(frame)
            while len(frames) < term.history:
                frames.append(frame)
        parts = [frame for frames in self._frames for frame in frames]
        if source.by_frame:
            parts = [np.concatenate(moment) for moment in zip(*self._frames, strict=True)]
        observation = np.concatenate(parts).astype(np.float32).reshape(self._input.shape)
        action = np.asarray(self._session.run(None, {self._input.name: observation})[0])[0]
        return {
            name: source.of_joint(source.default_joint_pos, name) + float(scale * value)
            for name, scale, value in zip(
                source.action_joint_names, source.action_scale, action, strict=True
            )
        }

    def _term(self, name: str, state: State) -> FloatArray:
        source = self._source
        default = dict(zip(source.joint_names, source.default_joint_pos, strict=True))
        scale = dict(zip(source.action_joint_names, source.action_scale, strict=True))
        values: dict[str, list[float]] = {
            terms.SPEED: list(state.linear_velocity),
            "base_angular_velocity": list(state.angular_velocity),
            "projected_gravity": list(state.gravity),
            terms.COMMAND: list(state.command),
            terms.POSITION: [state.position[j] - default[j] for j in source.joint_names],
            terms.VELOCITY: [state.velocity[j] for j in source.joint_names],
            terms.ACTION: [
                (state.last_target[j] - default[j]) / scale[j] for j in source.action_joint_names
            ],
            terms.WINDOW: [v for leg in source.leg_order for v in state.window[leg]],
        }
        return np.array(values[name], dtype=np.float64)


def ours_for(state: State, runner: PolicyRunner) -> Named:
    """Joint targets in rad, by joint, that an imported file commands in the same state."""
    contract = runner.contract
    joints = contract.joint_names
    default, scale = np.array(contract.default_joint_pos), np.array(contract.action_scale)
    action = runner.act(
        {
            terms.SPEED: state.linear_velocity,
            "base_angular_velocity": state.angular_velocity,
            "projected_gravity": state.gravity,
            terms.COMMAND: state.command,
            terms.POSITION: _row(state.position, joints) - default,
            terms.VELOCITY: _row(state.velocity, joints),
            terms.ACTION: (_row(state.last_target, joints) - default) / scale,
            terms.WINDOW: np.concatenate([state.window[leg] for leg in contract.leg_order]),
        }
    )
    return dict(zip(joints, (default + scale * action).tolist(), strict=True))


def prove(original: Path, source: Source, imported: PolicyRunner, spec: RobotSpec) -> float:
    """Return the greatest difference in rad over a sequence of STATES random states.

    Raises:
        ConfigError: POLICY_REFUSED; they differ, or a target is not finite.
    """
    theirs = Original(open_policy(original), source)
    imported.reset()
    rng, worst = np.random.default_rng(0), 0.0
    for _ in range(STATES):
        state = drawn(rng, spec)
        want, got = theirs.targets(state), ours_for(state, imported)
        rows = _row(want, spec.joint_names), _row(got, spec.joint_names)
        gap = float(np.abs(rows[0] - rows[1]).max())
        # So written, a target that is not finite is refused too.
        if not gap <= TOLERANCE * max(1.0, float(np.abs(rows[0]).max())):
            todo = "this is a fault of the import, or the network's numbers overflow; report it"
            raise refused("joint targets", want, got, todo)
        worst = max(worst, gap)
    return worst


def drawn(rng: np.random.Generator, spec: RobotSpec) -> State:
    """A state anywhere within the robot's limits."""
    joints = spec.joint_names
    gravity = rng.normal(size=3)

    def named(values: FloatArray) -> Named:
        return dict(zip(joints, values.tolist(), strict=True))

    return State(
        linear_velocity=rng.normal(size=3),
        angular_velocity=rng.normal(size=3),
        gravity=gravity / np.linalg.norm(gravity),
        command=rng.uniform(-1, 1, size=3),
        position=named(rng.uniform(spec.lower, spec.upper)),
        velocity=named(0.2 * rng.uniform(-spec.velocity, spec.velocity)),
        last_target=named(rng.uniform(spec.lower, spec.upper)),
        window={leg.value: rng.integers(0, 2, loco.WINDOW).astype(np.float64) for leg in spec.legs},
    )


def _row(values: Named, names: tuple[str, ...]) -> FloatArray:
    return np.array([values[name] for name in names])
