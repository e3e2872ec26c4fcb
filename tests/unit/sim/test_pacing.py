"""Time keeps step with the wall, and a stall of the machine is not made up for."""

import pytest

from fmrl_sim.pacing import MAX_LAG_S, Latencies, Pacer


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
