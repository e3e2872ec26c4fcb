"""Time keeps step with the wall, and a stall of the machine is not made up for."""

import pytest

from fmrl_robot.robots import robot
from fmrl_sim.pacing import COMMAND_AHEAD_S, MAX_LAG_S, Latencies, Lockstep, Pacer


@pytest.mark.parametrize("factor", [0.5, 1.0, 4.0])
def test_physics_follow_the_wall_at_the_factor(factor):
    pacer = Pacer(factor)
    pacer.restart(100.0, 3.0)
    physics = 3.0
    for k in range(1, 101):
        physics = pacer.target(100.0 + 0.01 * k, physics)
    assert physics == pytest.approx(3.0 + factor * 1.0)
    assert pacer.lost_s == 0.0


def test_a_stall_is_let_go():
    pacer = Pacer(2.0)
    pacer.restart(0.0, 0.0)
    assert pacer.target(5.0, 0.0) == pytest.approx(2.0 * MAX_LAG_S)
    assert pacer.lost_s == pytest.approx(5.0 - MAX_LAG_S)
    assert pacer.target(5.01, 2.0 * MAX_LAG_S) == pytest.approx(2.0 * (MAX_LAG_S + 0.01))


def test_lockstep_waits_for_the_command_that_is_due_and_no_longer():
    lockstep = Lockstep(patience_s=0.5, ahead_s=COMMAND_AHEAD_S)
    assert not lockstep.waits(9.0, 0.0)  # nobody commands yet
    lockstep.heard(1.00, wall_s=10.0)
    assert not lockstep.waits(1.00 + COMMAND_AHEAD_S - 0.004, 10.1)
    assert lockstep.waits(1.00 + COMMAND_AHEAD_S, 10.1)
    lockstep.heard(1.02, wall_s=10.3)
    assert not lockstep.waits(1.00 + COMMAND_AHEAD_S, 10.3)
    lockstep.restart()
    assert not lockstep.waits(9.0, 10.4)


def test_lockstep_waits_once_for_who_has_ended_or_answers_the_past():
    lockstep = Lockstep(patience_s=0.5, ahead_s=COMMAND_AHEAD_S)
    lockstep.heard(1.0, wall_s=10.0)
    looks = [lockstep.waits(1.04, 10.0 + 0.004 * k) for k in range(1, 200)]
    assert looks.index(False) * 0.004 == pytest.approx(0.5, abs=0.01)
    assert not any(looks[looks.index(False) :])
    lockstep.heard(1.0, wall_s=10.9)
    assert not lockstep.waits(1.06, 10.9)
    lockstep.heard(1.06, wall_s=11.0)
    assert lockstep.waits(1.10, 11.1)


def test_lockstep_does_not_count_the_time_in_which_nobody_ran():
    lockstep = Lockstep(patience_s=0.5, ahead_s=COMMAND_AHEAD_S)
    lockstep.heard(1.0, wall_s=10.0)
    assert lockstep.waits(1.04, 10.01)
    assert lockstep.waits(1.04, 15.0)


def test_no_patience_never_waits():
    lockstep = Lockstep(patience_s=0.0, ahead_s=COMMAND_AHEAD_S)
    lockstep.heard(1.0, wall_s=10.0)
    assert not lockstep.waits(2.0, 10.0)


@pytest.mark.parametrize("name", ["panda", "go2", "go1"])
def test_lockstep_stays_under_the_limits_of_the_gate(name):
    # A delay of two periods is late for a policy that bears one.
    assert 2 * robot(name).command_dt_s >= COMMAND_AHEAD_S + 0.004


def test_latencies_pair_a_command_with_its_observation():
    latencies = Latencies()
    assert latencies.summary() == {}
    for k in range(100):
        latencies.sent(0.02 * k, 10.0 + 0.02 * k)
        latencies.answered(0.02 * k, 10.0 + 0.02 * k + 0.003)
    latencies.answered(99.0, 13.0)  # answers nothing that was sent
    summary = latencies.summary()
    assert summary["answer_p99_ms"] == pytest.approx(3.0)
    assert summary["period_p50_ms"] == pytest.approx(20.0)
    assert summary["period_p999_ms"] > 900
