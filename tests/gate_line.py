"""A gate with a rightful commander, for tests of the gate."""

from dataclasses import replace

import numpy as np

from fmrl_robot.robots import PANDA
from fmrl_robot.safety import Gate, State
from fmrl_robot.types import JointCommand

DT_S = 0.02


def good(spec, seq, at, lease):
    zero = np.zeros(spec.num_joints)
    return JointCommand(
        seq=seq,
        stamp_s=at,
        observation_stamp_s=at,
        lease=lease,
        names=spec.joint_names,
        position=spec.default.copy(),
        velocity=zero,
        effort=zero.copy(),
        kp=spec.kp.copy(),
        kd=spec.kd.copy(),
    )


class Line:
    """A gate with a rightful commander, at rest and armed."""

    def __init__(self, spec=PANDA):
        self.spec, self.gate, self.now, self.seq = spec, Gate(spec), 0.0, 0
        _, self.lease, _ = self.gate.acquire("controller")
        self.gate.observe(spec.default)
        for _ in range(3):
            assert self.send() is None
        assert self.state is State.ARMED

    def make(self, **changes):
        return replace(good(self.spec, self.seq + 1, self.now, self.lease), **changes)

    def send(self, **changes):
        self.now += DT_S
        command = self.make(**changes)
        refusal = self.gate.submit(command, self.now)
        if refusal is None:
            self.seq = command.seq
        self.answer = self.gate.tick(self.now)
        return refusal

    def wait(self, seconds):
        self.now += seconds
        self.answer = self.gate.tick(self.now)

    @property
    def state(self):
        return self.gate.status().state


def put(array, index, value):
    changed = array.copy()
    changed[index] = value
    return changed
