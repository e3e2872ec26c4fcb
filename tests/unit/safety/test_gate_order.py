"""The gate's guards that look at order and time: replay, bursts, latch, re-arming, lease.

Each attack is tried twice, the second time with its guard taken out, when it has to get through.
"""

import numpy as np
import pytest
from gate_line import DT_S, Line, put
from hypothesis import given, settings
from hypothesis import strategies as st

from fmrl_robot.errors import ErrorCode
from fmrl_robot.robots import GO2, PANDA
from fmrl_robot.safety import Gate, State, checks
from fmrl_robot.safety import gate as gate_module
from fmrl_robot.safety.gate import BURST_PERIODS, DEADLINE_S, LATE_S, REARM_S

PLENTY = 200
"""Commands in a row: more than four times what re-arming takes."""


# --- replay ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("back", [0, 1, 2])
def test_a_replayed_command_is_refused(back):
    line = Line()
    assert line.send(seq=line.seq - back)[0] is ErrorCode.COMMAND_REPLAYED

    line = Line()
    line.gate._seq = -1  # the control: a gate that does not remember
    assert line.send(seq=line.seq - back) is None


def test_neither_a_stranger_nor_a_refused_command_uses_a_number_up():
    line = Line()
    line.send(seq=10**9, lease="stranger")
    line.send(seq=10**9, position=np.full(8, np.nan))
    assert line.send() is None


@pytest.mark.parametrize("interlude", ["stop", "reset"])
def test_numbers_are_remembered_through(interlude):
    line = Line()
    if interlude == "stop":
        line.gate.stop()
        line.gate.rearm()
    else:
        line.gate.reset(line.now)
    assert line.send(seq=line.seq)[0] is ErrorCode.COMMAND_REPLAYED


# --- how far, how fast ----------------------------------------------------------------------------


def run_away(line, count, apart_s):
    """Commands ``apart_s`` apart, each one whole step further; return how many got through."""
    through = 0
    for _ in range(count):
        line.now += apart_s - DT_S
        target = line.gate._last.position[0] + line.spec.step[0]
        position = put(line.spec.default, 0, target)
        through += line.send(position=position) is None
    return through


def test_many_small_steps_at_once_are_a_large_one(monkeypatch):
    """A commander at 1 kHz goes no faster than one at 50 Hz."""
    line = Line()
    assert run_away(line, 40, 0.001) <= BURST_PERIODS + 40 * 0.001 / DT_S
    assert line.gate.status().refusals.keys() == {ErrorCode.STEP_LIMIT}

    monkeypatch.setattr(Gate, "_steps_in_hand", lambda *_: BURST_PERIODS)
    assert run_away(Line(), 40, 0.001) == 40


def test_a_rightful_commander_at_full_speed_is_never_held_back():
    line = Line()
    for apart_s in (0.02, 0.035, 0.005, 0.02, 0.03, 0.02, 0.01, 0.02, 0.02, 0.09, 0.02) * 3:
        assert run_away(line, 1, apart_s) == 1


@settings(max_examples=60, deadline=None)
@given(
    gaps=st.lists(st.floats(0.0, DEADLINE_S - 1e-3), min_size=1, max_size=60),
    spec=st.sampled_from([PANDA, GO2]),
)
def test_the_target_outruns_the_limit_by_no_more_than_one_burst(gaps, spec):
    line = Line(spec)
    began, start = line.now, line.gate._last.position[0]
    for gap in gaps:
        run_away(line, 1, gap)
        if line.state is State.ARMED:
            periods = (line.now - began) / DT_S
            moved = line.gate._last.position[0] - start
            assert moved <= (BURST_PERIODS + periods) * spec.step[0] + 1e-3


def test_before_it_is_armed_a_step_counts_from_where_the_robot_is(monkeypatch):
    line = Line()
    line.gate.stop("pressed")
    line.gate.rearm()
    line.gate.observe(put(PANDA.default, 2, 0.5))
    assert line.send()[0] is ErrorCode.STEP_LIMIT

    monkeypatch.setattr(checks, "small_step", lambda *_: None)
    line.gate.rearm()
    assert line.send() is None


def test_a_joint_that_is_not_measured_arms_nothing(monkeypatch):
    line = Line()
    line.gate.reset(line.now)
    line.gate.observe(put(PANDA.default, 2, np.nan))
    assert line.send()[0] is ErrorCode.STEP_LIMIT

    monkeypatch.setattr(checks, "small_step", lambda *_: None)
    assert line.send() is None


# --- silence --------------------------------------------------------------------------------------


def test_a_command_that_ends_a_silence_does_not_hide_it(monkeypatch):
    """The body stalled: the late command is judged before the next tick could see the gap."""
    line = Line()
    line.now += DEADLINE_S
    assert line.send()[0] is ErrorCode.NOT_ARMED
    assert line.gate.status().code is ErrorCode.COMMAND_SILENCE

    line = Line()
    monkeypatch.setattr(Gate, "_watch", lambda *_: None)
    line.now += DEADLINE_S
    assert line.send() is None


def test_a_clock_that_is_not_a_number_stops():
    line = Line()
    line.wait(np.nan)
    assert line.answer.stopped


# --- latch and re-arming --------------------------------------------------------------------------


def test_a_stop_latches_until_it_is_asked_to_end(monkeypatch):
    line = Line()
    line.gate.stop("pressed")
    for _ in range(PLENTY):
        assert line.send()[0] is ErrorCode.NOT_ARMED
        assert line.answer.stopped
        assert line.answer.command is None
    assert line.gate.rearm()[0]

    monkeypatch.setattr(Gate, "_latch", lambda *_: None)
    line = Line()
    line.gate.stop("pressed")
    assert line.send() is None, "the control: a stop that does not latch"


def test_rearming_takes_one_steady_second(monkeypatch):
    def commands_until_armed():
        line = Line()
        line.gate.stop("pressed")
        line.gate.rearm()
        began = line.now + DT_S
        while line.state is not State.ARMED:
            assert line.send() is None
            assert line.answer.stopped is (line.state is not State.ARMED)
            assert line.now < 10 * REARM_S
        return line.now - began

    assert REARM_S <= commands_until_armed() + 1e-9 < REARM_S + 2 * DT_S
    monkeypatch.setattr(gate_module, "REARM_S", 0.0)
    assert commands_until_armed() < DT_S


@pytest.mark.parametrize("how", ["a gap", "a bad command", "a stop"])
def test_what_disturbs_that_second_latches_the_stop_again(how):
    line = Line()
    line.gate.stop("pressed")
    line.gate.rearm()
    for _ in range(20):
        assert line.send() is None
    if how == "a gap":
        line.wait(DEADLINE_S + 0.01)
    elif how == "a bad command":
        line.send(position=np.full(8, np.nan))
    else:
        line.gate.stop("pressed again")
    assert line.state is State.STOPPED
    assert line.gate.status().stops == 1, "the same stop goes on"
    for _ in range(PLENTY):
        assert line.send()[0] is ErrorCode.NOT_ARMED


def test_only_a_stopped_gate_is_rearmed():
    line = Line()
    assert not line.gate.rearm()[0]
    assert line.state is State.ARMED


def test_who_presses_stop_on_a_stopped_robot_is_heard():
    """Else what lifts a stop for silence by itself would lift a person's stop."""
    line = Line()
    line.wait(1.0)
    assert line.gate.status().code is ErrorCode.COMMAND_SILENCE
    line.gate.stop("pressed")
    status = line.gate.status()
    assert (status.code, status.reason, status.stops) == (ErrorCode.STOP_REQUESTED, "pressed", 1)


# --- lease ----------------------------------------------------------------------------------------


def test_taking_over_displaces_the_holder(monkeypatch):
    line = Line()
    granted, lease, why = line.gate.acquire("another")
    assert not granted and not lease and "controller" in why
    assert line.send() is None, "asking for it changes nothing"
    granted, lease, _ = line.gate.acquire("another", take_over=True)
    assert granted
    assert line.send()[0] is ErrorCode.LEASE_INVALID
    assert line.send(lease=lease) is None

    monkeypatch.setattr(gate_module.secrets, "compare_digest", lambda *_: True)
    line = Line()
    line.gate.acquire("another", take_over=True)
    assert line.send() is None, "the control: the displaced one goes on commanding"


def test_a_holder_who_restarted_gets_a_new_lease_and_the_old_one_ends():
    line = Line()
    granted, lease, _ = line.gate.acquire("controller")
    assert granted and lease != line.lease
    assert line.send()[0] is ErrorCode.LEASE_INVALID
    assert line.send(lease=lease, seq=1) is None, "it numbers anew"


def test_a_nameless_holder_is_refused():
    gate = Gate(PANDA)
    assert not gate.acquire("")[0]
    assert gate.status().holder == ""


def test_the_new_holder_steps_from_where_the_old_one_left_off():
    line = Line()
    _, lease, _ = line.gate.acquire("another", take_over=True)
    far = put(PANDA.default, 0, 0.5)
    assert line.send(lease=lease, position=far)[0] is ErrorCode.STEP_LIMIT


@pytest.mark.parametrize("begin", ["stop", "reset"])
def test_a_stranger_cannot_keep_the_holder_from_arming_though_its_own_faults_do(begin):
    def armed(**fault):
        line = Line()
        line.gate._arm_after_s = REARM_S
        if begin == "stop":
            line.gate.stop()
            line.gate.rearm()
        else:
            line.gate.reset(line.now)
        for _ in range(PLENTY):
            line.gate.submit(line.make(**fault), line.now)
            line.send()
        return line.state is State.ARMED

    assert armed(lease="stranger")
    assert not armed(seq=0)


# --- latency --------------------------------------------------------------------------------------


def test_commands_later_than_the_policy_bears_stop_the_robot():
    def line_after(max_delay_s, late_s, seconds):
        line = Line()
        line.gate.acquire("controller", max_delay_s=max_delay_s)
        line.lease, line.seq = line.gate._lease, 0
        for _ in range(round(seconds / DT_S)):
            line.send(observation_stamp_s=line.now + DT_S - late_s)
        return line

    late = line_after(0.02, 0.05, LATE_S + 2 * DT_S)
    assert late.gate.status().code is ErrorCode.COMMAND_LATE
    assert "within 0.04 s" in late.gate.status().reason
    assert late.gate.status().reason.endswith("got 0.05 s")
    assert line_after(0.02, 0.05, LATE_S - DT_S).state is State.ARMED, "one slow moment is nothing"
    assert line_after(0.02, 0.035, 1.0).state is State.ARMED, "a period more is no news"
    assert line_after(0.0, 0.05, 1.0).state is State.ARMED, "the control: nobody said what it bears"
