"""When the gate begins to follow commands."""

import numpy as np
import pytest
from gate_line import DT_S, good

from fmrl_robot.robots import PANDA
from fmrl_robot.safety import Gate, State
from fmrl_robot.safety.gate import REARM_S


class Driver:
    def __init__(self, arm_after_s):
        self.gate = Gate(PANDA, arm_after_s=arm_after_s)
        _, self.lease, _ = self.gate.acquire("test")
        self.gate.observe(PANDA.default)
        self.seq = 0

    def send(self, start, end):
        for at in np.arange(start, end, DT_S):
            self.seq += 1
            assert self.gate.submit(good(PANDA, self.seq, at, self.lease), at) is None
            self.answer = self.gate.tick(at)

    @property
    def state(self):
        return self.gate.status().state


def test_nothing_is_followed_before_a_steady_second():
    driver = Driver(REARM_S)
    driver.send(0.0, REARM_S - 0.01)
    assert driver.state is State.DISARMED
    assert driver.answer.command is None
    driver.send(REARM_S, REARM_S + 0.05)
    assert driver.state is State.ARMED
    assert driver.answer.command is not None


def test_a_stumble_while_starting_begins_the_second_anew_and_stops_nothing():
    driver = Driver(REARM_S)
    driver.send(0.0, 0.5)
    driver.gate.tick(0.9)
    assert driver.state is State.DISARMED
    driver.send(0.9, 1.6)
    assert driver.state is State.DISARMED
    driver.send(1.6, 2.0)
    assert driver.state is State.ARMED
    assert driver.gate.status().stops == 0


def test_a_refused_command_begins_the_second_anew():
    driver = Driver(REARM_S)
    driver.send(0.0, 0.9)
    assert driver.gate.submit(good(PANDA, driver.seq, 0.9, driver.lease), 0.9) is not None
    driver.send(0.92, 1.8)
    assert driver.state is State.DISARMED


def test_once_armed_silence_stops():
    driver = Driver(REARM_S)
    driver.send(0.0, 1.2)
    assert driver.gate.tick(1.5).stopped
    assert driver.state is State.STOPPED


@pytest.mark.parametrize("arm_after_s", [0.0, REARM_S])
def test_a_reset_world_is_armed_anew(arm_after_s):
    driver = Driver(arm_after_s)
    driver.send(0.0, 1.2)
    driver.gate.reset(1.2)
    assert driver.state is State.DISARMED
    driver.send(1.3, 1.5)
    assert driver.state is (State.ARMED if arm_after_s == 0.0 else State.DISARMED)


def test_a_start_may_take_longer_to_arm_than_a_reset():
    driver = Driver(3.0)
    driver.send(0.0, 2.9)
    assert driver.state is State.DISARMED
    driver.send(2.9, 3.1)
    assert driver.state is State.ARMED
    driver.gate.reset(3.1)
    driver.send(3.2, 3.2 + REARM_S + 0.05)
    assert driver.state is State.ARMED
